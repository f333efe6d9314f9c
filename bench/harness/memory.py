"""Bytes per key: the same distinct keys on each server, weighed from inside and from outside.

Each case has a fresh server, so that neither fragmentation nor a table's past growth is charged to the next case.
The figure is the difference between the loaded and the empty server divided by the number of keys, of `used_memory`
(what the server counts) and of the resident set (what the machine pays).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from .cores import Cores
from .generator import Generator
from .server import Server, Spec
from .workload import MemoryCase

SETTLE_S = 10.0
STEP_S = 0.25
# Memory is at rest when it moves by less than this between looks.
REST_BYTES = 256 * 1024


@dataclass(frozen=True)
class Weight:
    """Bytes per key of one case on one server."""

    case: str
    keys: int
    server: str
    used: float
    rss: float


def weigh(
    found: Sequence[Spec], generator: Generator, cases: Sequence[MemoryCase], keys: int, cores: Cores, workers: int
) -> list[Weight]:
    """All cases on all servers, one server at a time."""
    weights = []
    for case in cases:
        for spec in found:
            with Server(spec, cores, workers) as server:
                weight = _weigh(server, generator, case, keys)
            weights.append(weight)
            print(
                f"memory {keys} x {case.name}: {spec.name} used {weight.used:.1f} rss {weight.rss:.1f}",
                file=sys.stderr,
                flush=True,
            )
    return weights


def _weigh(server: Server, generator: Generator, case: MemoryCase, keys: int) -> Weight:
    used_before, rss_before = at_rest(server)
    generator.load(server, case.command, keys, case.value_bytes)
    used_after, rss_after = at_rest(server)
    if server.keys() != keys:
        raise SystemExit(f"{server.name} holds {server.keys()} keys instead of {keys}")
    return Weight(
        case.name, keys, server.name, (used_after - used_before) / keys, (rss_after - rss_before) / keys
    )


def at_rest(server: Server) -> tuple[int, int]:
    """`used_memory` and resident set once they have stopped moving (a table may still be growing), in bytes."""
    deadline = time.monotonic() + SETTLE_S
    before = (server.used_bytes(), server.rss_bytes())
    while True:
        time.sleep(STEP_S)
        now = (server.used_bytes(), server.rss_bytes())
        moved = max(abs(now[0] - before[0]), abs(now[1] - before[1]))
        if moved < REST_BYTES or time.monotonic() > deadline:
            return now
        before = now
