"""Tables, and the place in the README where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are figures."""
    lines = [_line(header), _line(["---"] + ["---:"] * (len(header) - 1))]
    return "\n".join(lines + [_line(row) for row in rows])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def ratio(ours: float, theirs: float) -> str:
    """Our figure as a share of theirs."""
    return f"{ours / theirs:.2f}" if theirs > 0 else "-"


def keep(section: str, text: str) -> None:
    """Replaces what stands between the README's markers of `section`."""
    start, end = f"<!-- {section}: start -->", f"<!-- {section}: end -->"
    before, opened, rest = README.read_text().partition(start)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        raise SystemExit(f"{README.name} lacks the markers of {section}")
    README.write_text(f"{before}{start}\n\n{text.strip()}\n\n{end}{after}")
