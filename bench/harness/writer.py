"""A client that keeps setting random keys, 50 at a time, and knows how long each batch took.

It is a process of its own: whatever else the measuring script does (polling, sampling memory) would otherwise stop its
clock along with its interpreter. A closed loop on purpose: it is the worst case for a snapshot, which has to keep what is overwritten,
and a pause shows as one long batch.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from .cores import Cores
from .resp import Client, encode

BATCH = 50
# Batches are encoded before the clock runs, and sent again and again.
PREPARED = 4000
KEY_DIGITS = 12


@dataclass(frozen=True)
class Batches:
    """When each batch began (`time.monotonic`) and how long it took, in seconds."""

    began: Sequence[float]
    took: Sequence[float]

    def between(self, start: float, end: float) -> Batches:
        """Those that were under way at any time between `start` and `end`."""
        chosen = [(at, took) for at, took in zip(self.began, self.took) if at + took >= start and at <= end]
        return Batches([at for at, _ in chosen], [took for _, took in chosen])

    def worst_ms(self) -> float:
        """The longest one."""
        return max(self.took, default=0.0) * 1000

    def percentile_ms(self, share: float) -> float:
        """What that share of them stays within."""
        ordered = sorted(self.took)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 if ordered else 0.0

    def per_second(self) -> float:
        """SETs per second."""
        span = (self.began[-1] + self.took[-1] - self.began[0]) if self.began else 0.0
        return len(self.began) * BATCH / span if span > 0 else 0.0


def prepare(keys: int, value_bytes: int, seed: int, batches: int = PREPARED) -> list[bytes]:
    """Encoded batches of SETs of random ones of the keys that `Generator.load` makes."""
    numbers = random.Random(seed)
    value = b"w" * value_bytes

    def batch() -> bytes:
        chosen = (numbers.randrange(keys) for _ in range(BATCH))
        return b"".join(encode(["SET", f"key:{number:0{KEY_DIGITS}}", value]) for number in chosen)

    return [batch() for _ in range(batches)]


class Writer:
    """Writes from its beginning until `stop`."""

    def __init__(self, port: int, batches: Sequence[bytes], cores: Cores) -> None:
        context = multiprocessing.get_context("fork")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_write, args=(port, batches, cores, there))
        self._process.start()
        there.close()
        self._here.recv()

    def stop(self) -> Batches:
        """Ends it and tells what it saw."""
        self._here.send("stop")
        began, took = self._here.recv()
        self._process.join()
        return Batches(began, took)


def _write(port: int, batches: Sequence[bytes], cores: Cores, control: Connection) -> None:
    os.sched_setaffinity(0, cores)
    gc.disable()
    began, took = array("d"), array("d")
    with Client(port) as client:
        control.send("ready")
        number = 0
        while not control.poll():
            request = batches[number % len(batches)]
            start = time.monotonic()
            client.raw(request, BATCH)
            took.append(time.monotonic() - start)
            began.append(start)
            number += 1
    control.recv()
    control.send((began, took))
