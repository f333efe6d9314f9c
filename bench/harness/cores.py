"""Which processor cores the server and the load generator run on.

Both on the same cores would measure their competition, so they get different ones as long as there are enough.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

Cores = frozenset[int]


def parse(text: str) -> Cores:
    """A list such as `0-3,6`."""
    cores: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        cores.update(range(int(first), int(last or first) + 1))
    return frozenset(cores)


def show(cores: Cores) -> str:
    """The list in the form that `parse` reads, without ranges."""
    return ",".join(str(core) for core in sorted(cores))


@dataclass(frozen=True)
class Plan:
    """Cores of the server and of everything else."""

    server: Cores
    client: Cores

    @property
    def shared(self) -> bool:
        """Whether server and load generator compete: throughput then says little, CPU per operation still much."""
        return bool(self.server & self.client)


def plan(workers: int, server: Cores | None = None, client: Cores | None = None) -> Plan:
    """The first `workers` cores for the server, the rest for the client; all for the client when none is left."""
    available = sorted(os.sched_getaffinity(0))
    chosen = server or frozenset(available[:workers])
    rest = frozenset(available) - chosen
    return Plan(chosen, client or rest or frozenset(available))
