"""Snapshots under a writer: how long they take, what they cost in memory, what the writer feels; and saving plus loading.

Servers take turns within each repetition, and medians count. Latency and memory come from different snapshots: looking at a
process's pages takes milliseconds, which the writer would feel.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .cores import Cores
from .footprint import Peak, footprint_bytes
from .resp import info
from .server import Server
from .writer import Batches, Writer

SNAPSHOT_LIMIT_S = 300.0
POLL_S = 0.005
QUIET_S = 3.0
# The writer runs for a moment before and after the snapshot.
LEAD_S = 0.2


@dataclass
class Figures:
    """What was measured of one server, a value per repetition."""

    quiet_worst_ms: list[float] = field(default_factory=list)
    quiet_tail_ms: list[float] = field(default_factory=list)
    during_worst_ms: list[float] = field(default_factory=list)
    during_tail_ms: list[float] = field(default_factory=list)
    sets_per_s: list[float] = field(default_factory=list)
    busy_save_s: list[float] = field(default_factory=list)
    idle_save_s: list[float] = field(default_factory=list)
    memory_before: list[float] = field(default_factory=list)
    memory_growth: list[float] = field(default_factory=list)
    reload_s: list[float] = field(default_factory=list)

    def median(self, name: str) -> float:
        """The median of one figure."""
        values: list[float] = getattr(self, name)
        return statistics.median(values) if values else 0.0


@dataclass(frozen=True)
class Shape:
    """What all measurements share."""

    batches: Sequence[bytes]
    client: Cores
    repetitions: int


def measure(servers: Sequence[Server], shape: Shape) -> dict[str, Figures]:
    """All servers, which hold their keys already."""
    figures = {server.name: Figures() for server in servers}
    steps: Sequence[Callable[[Server, Shape, Figures], None]] = (_quiet, _latency, _memory, _idle, _reload)
    for server in servers:
        server.rest()
    for _ in range(shape.repetitions):
        for step in steps:
            for server in servers:
                with server.awake():
                    step(server, shape, figures[server.name])
                print(f"{server.name}: {step.__name__[1:]} measured", file=sys.stderr, flush=True)
    for server in servers:
        server.wake()
    return figures


def _quiet(server: Server, shape: Shape, figures: Figures) -> None:
    writer = Writer(server.port, shape.batches, shape.client)
    time.sleep(QUIET_S)
    seen = writer.stop()
    figures.quiet_worst_ms.append(seen.worst_ms())
    figures.quiet_tail_ms.append(seen.percentile_ms(0.999))


def _latency(server: Server, shape: Shape, figures: Figures) -> None:
    seen, took_s = under_writer(server, shape)
    figures.during_worst_ms.append(seen.worst_ms())
    figures.during_tail_ms.append(seen.percentile_ms(0.999))
    figures.sets_per_s.append(seen.per_second())
    figures.busy_save_s.append(took_s)


def _memory(server: Server, shape: Shape, figures: Figures) -> None:
    before = footprint_bytes(server.pid)
    with Peak(server.pid) as peak:
        under_writer(server, shape)
    figures.memory_before.append(before)
    figures.memory_growth.append(peak.bytes / before)


def _idle(server: Server, _shape: Shape, figures: Figures) -> None:
    figures.idle_save_s.append(save(server))


def _reload(server: Server, _shape: Shape, figures: Figures) -> None:
    keys = server.keys()
    began = time.monotonic()
    server.client.call("DEBUG", "RELOAD")
    figures.reload_s.append(time.monotonic() - began)
    if server.keys() != keys:
        raise SystemExit(f"{server.name} holds {server.keys()} keys after a reload instead of {keys}")


def under_writer(server: Server, shape: Shape) -> tuple[Batches, float]:
    """The batches that were under way during a snapshot, and how long that took."""
    writer = Writer(server.port, shape.batches, shape.client)
    time.sleep(LEAD_S)
    began = time.monotonic()
    took_s = save(server)
    seen = writer.stop()
    return seen.between(began, began + took_s), took_s


def save(server: Server) -> float:
    """Has a snapshot written in the background; how many seconds until the server says that it is there."""
    began = time.monotonic()
    server.client.call("BGSAVE")
    while True:
        fields = info(server.client, "persistence")
        if fields["rdb_bgsave_in_progress"] == "0":
            break
        if time.monotonic() - began > SNAPSHOT_LIMIT_S:
            raise SystemExit(f"{server.name} does not finish its snapshot")
        time.sleep(POLL_S)
    if fields["rdb_last_bgsave_status"] != "ok":
        raise SystemExit(f"{server.name} could not write its snapshot")
    return time.monotonic() - began
