"""Tables of figures that have an aim: what was measured, what it should be, and whether it is.

An aim is either absolute or a share of the first peer's figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from . import markdown
from .appending import Policy, Stalled
from .snapshots import Figures

WORST_MORE_MS = 5.0
STALL_MORE_MS = 50.0


@dataclass(frozen=True)
class Aim:
    """What a figure should be at most: so much, or so much of the peer's."""

    most: float
    is_share: bool = False
    at_least: bool = False

    def words(self) -> str:
        """As the table tells it."""
        sign = ">=" if self.at_least else "<="
        return f"{sign} {self.most:g}{' of the peer' if self.is_share else ''}"

    def is_met(self, ours: float, theirs: float | None) -> bool | None:
        """Whether it is met; unknown without a peer."""
        if self.is_share and not theirs:
            return None
        value = ours / theirs if self.is_share and theirs else ours
        return value >= self.most if self.at_least else value <= self.most


def row(label: str, values: Sequence[float], digits: int, aim: Aim | None) -> list[str]:
    """One line: the figures of all servers, ours as a share of each peer's, the aim and the verdict."""
    peers = values[1:]
    verdict = ""
    if aim:
        met = aim.is_met(values[0], peers[0] if peers else None)
        verdict = {True: "yes", False: "no", None: "?"}[met]
    shares = [markdown.ratio(values[0], peer) for peer in peers]
    return [label, *(f"{value:,.{digits}f}" for value in values), *shares, aim.words() if aim else "", verdict]


def header(first: str, names: Sequence[str]) -> list[str]:
    """The line above such rows."""
    return [first, *names, *(f"vs {peer}" for peer in names[1:]), "aim", "met"]


def snapshot_table(figures: Mapping[str, Figures], names: Sequence[str]) -> str:
    """What snapshots cost."""

    def values(compute: Callable[[Figures], float]) -> list[float]:
        return [compute(figures[name]) for name in names]

    def medians(name: str) -> list[float]:
        return values(lambda each: each.median(name))

    mib = 2**20
    rows = [
        row("peak memory during BGSAVE / before", medians("memory_growth"), 2, Aim(1.10)),
        row("memory before, MiB", values(lambda each: each.median("memory_before") / mib), 0, None),
        row("worst batch without a snapshot, ms", medians("quiet_worst_ms"), 1, None),
        row("worst batch during BGSAVE, ms", medians("during_worst_ms"), 1, None),
        row(
            "the difference, ms",
            values(lambda each: each.median("during_worst_ms") - each.median("quiet_worst_ms")),
            1,
            Aim(WORST_MORE_MS),
        ),
        row("99.9 % of batches without a snapshot, ms", medians("quiet_tail_ms"), 1, None),
        row("99.9 % of batches during BGSAVE, ms", medians("during_tail_ms"), 1, None),
        row("SETs/s during BGSAVE", medians("sets_per_s"), 0, None),
        row("BGSAVE under the writer, s", medians("busy_save_s"), 2, Aim(1.0, is_share=True)),
        row("BGSAVE with nobody else, s", medians("idle_save_s"), 2, Aim(1.0, is_share=True)),
        row("save and load (DEBUG RELOAD), s", medians("reload_s"), 2, Aim(0.6, is_share=True)),
    ]
    return markdown.table(header("snapshot", names), rows)


def log_table(policies: Sequence[Policy], names: Sequence[str]) -> str:
    """Throughput and CPU per SET with the append-only file."""
    rows = []
    for policy in policies:
        for each in policy.rows:
            what = f"`{policy.name}`, {each.pipeline} at a time"
            is_paced_by_disk = policy.name == "always" and each.pipeline == 1
            rates = Aim(1.0, is_share=True, at_least=True) if is_paced_by_disk else None
            # Unpipelined, most of it is the kernel's, for the sockets, whoever serves them.
            cost = Aim(0.5, is_share=True) if each.pipeline > 1 else None
            rows.append(row(f"{what}: SETs/s", [each.rps(name) for name in names], 0, rates))
            rows.append(row(f"{what}: CPU us/SET", [each.cpu_us(name) for name in names], 3, cost))
    return markdown.table(header("append-only file", names), rows)


def stall_table(seen: Sequence[Stalled]) -> str:
    """What a stalled disk does to those who write."""
    ours, aim, lines = seen[0].server, Aim(STALL_MORE_MS), []
    for one in seen:
        quiet_ms, worst_ms = one.quiet.max_us / 1000, one.during.max_us / 1000
        figures = (quiet_ms, worst_ms, worst_ms - quiet_ms, one.during.p999_us / 1000)
        met = "yes" if aim.is_met(worst_ms - quiet_ms, None) else "no"
        verdict = [aim.words(), met] if one.server == ours else ["", ""]
        lines.append([one.server, *(f"{value:.1f}" for value in figures), *verdict])
    header_line = ["server", "quiet worst ms", "stalled worst ms", "more ms", "stalled p99.9 ms", "aim", "met"]
    return markdown.table(header_line, lines)
