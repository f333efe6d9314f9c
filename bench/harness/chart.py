"""A bar chart as SVG, written by hand: groups of bars, one colour per server.

Colours and text read on light and dark pages alike (a style sheet inside the file switches them).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

COLOURS = ("#c2691f", "#3f72af", "#8a8a8a", "#5b9a68", "#8e6bb0")
BAR, GAP, GROUP_GAP = 22, 3, 14
LEFT, RIGHT, TOP = 150, 84, 56
WIDTH = 860
STYLE = "text{font:13px system-ui,sans-serif;fill:#333}.t{font-size:16px;font-weight:600}.g{stroke:#8884}"
DARK = "@media(prefers-color-scheme:dark){text{fill:#ddd}}"


@dataclass(frozen=True)
class Group:
    """Bars that belong together: a label, and one value and its text per series."""

    label: str
    values: Sequence[float]
    texts: Sequence[str]


def bars(title: str, series: Sequence[str], groups: Sequence[Group]) -> str:
    """Horizontal bars; the scale starts at 0 and ends at the largest value."""
    largest = max((value for group in groups for value in group.values), default=0.0) or 1.0
    group_height = len(series) * (BAR + GAP) + GROUP_GAP
    height = TOP + len(groups) * group_height + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}{DARK}</style>",
        f'<text class="t" x="8" y="22">{escape(title)}</text>',
        _legend(series),
        f'<line class="g" x1="{LEFT}" y1="{TOP - 6}" x2="{LEFT}" y2="{height - 8}"/>',
    ]
    for index, group in enumerate(groups):
        parts.append(_group(group, TOP + index * group_height, largest))
    return "\n".join([*parts, "</svg>", ""])


def _legend(series: Sequence[str]) -> str:
    parts, x = [], 8
    for index, name in enumerate(series):
        colour = COLOURS[index % len(COLOURS)]
        parts.append(f'<rect x="{x}" y="32" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 17}" y="43">{escape(name)}</text>')
        x += 40 + 8 * len(name)
    return "".join(parts)


def _group(group: Group, top: int, largest: float) -> str:
    count = len(group.values)
    middle = top + count * (BAR + GAP) / 2 + 4
    parts = [f'<text x="{LEFT - 8}" y="{middle:.0f}" text-anchor="end">{escape(group.label)}</text>']
    for index, (value, text) in enumerate(zip(group.values, group.texts, strict=True)):
        y = top + index * (BAR + GAP)
        width = max(1.0, value / largest * (WIDTH - LEFT - RIGHT))
        colour = COLOURS[index % len(COLOURS)]
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2" fill="{colour}"/>')
        parts.append(f'<text x="{LEFT + width + 6:.1f}" y="{y + 16}">{escape(text)}</text>')
    return "".join(parts)
