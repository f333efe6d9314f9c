"""The append-only file: throughput and CPU per SET under each policy, and whether a disk that stalls stops anybody.

Each policy has servers of its own, with their files on the disk that holds temporary files; they take turns as for every
throughput. For the stall a server's file is on a file system that is frozen for a few seconds while an observer goes on
sending SETs at a modest, open rate: what they wait is what any client waits.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from . import stall, throughput
from .cores import Plan
from .generator import Generator, Run
from .server import Server, Spec, running
from .workload import Test, words

SET = Test("set", words("SET key:__rand_int__ __data__"))
POLICIES = ("always", "everysec")
OBSERVER_RATE = 1000
OBSERVER_CONNECTIONS = 4
STALL_LEAD_S = 1.0


def options(policy: str) -> list[str]:
    """A server that appends."""
    return ["--appendonly", "yes", "--appendfsync", policy, "--auto-aof-rewrite-percentage", "0"]


@dataclass(frozen=True)
class Policy:
    """What was measured under one policy."""

    name: str
    rows: Sequence[throughput.Row]


def measure(
    found: Sequence[Spec], plan: Plan, workers: int, generator: Generator, shape: throughput.Shape
) -> list[Policy]:
    """All policies."""
    measured = []
    for policy in POLICIES:
        with running(found, plan.server, workers, options(policy)) as servers:
            arrangement = throughput.Arrangement(workers, servers, generator)
            measured.append(Policy(policy, throughput.measure([arrangement], [SET], shape)))
    return measured


@dataclass(frozen=True)
class Stalled:
    """What an observer felt of a stall, microseconds."""

    server: str
    quiet: Run
    during: Run


def stalls(
    found: Sequence[Spec], plan: Plan, workers: int, generator: Generator, seconds: float
) -> list[Stalled] | None:
    """A stall of so many seconds for each server under `everysec`; nothing where there are no means for it."""
    try:
        return [_stall(spec, plan, workers, generator, seconds) for spec in found]
    except stall.NoDisk as error:
        print(f"no disk to stall: {error}", file=sys.stderr)
        return None


def _stall(spec: Spec, plan: Plan, workers: int, generator: Generator, seconds: float) -> Stalled:
    with stall.Disk() as disk:
        appending = [*options("everysec"), "--dir", str(disk.path)]
        with Server(spec, plan.server, workers, appending) as server:
            quiet = generator.finish(_observe(server, generator, seconds))
            observer = _observe(server, generator, seconds + 2 * STALL_LEAD_S)
            time.sleep(STALL_LEAD_S)
            disk.freeze()
            time.sleep(seconds)
            disk.thaw()
            during = generator.finish(observer)
    print(f"{spec.name}: worst during a stall {during.max_us / 1000:.1f} ms", file=sys.stderr, flush=True)
    return Stalled(spec.name, quiet, during)


def _observe(server: Server, generator: Generator, seconds: float) -> subprocess.Popen[str]:
    options = ["--rate", str(OBSERVER_RATE), "--duration", str(seconds), "-c", str(OBSERVER_CONNECTIONS)]
    return generator.start(server, [*options, "-r", "10000", "-d", "64"], SET.command)
