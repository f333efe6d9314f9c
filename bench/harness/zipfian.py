"""A trace whose popularity follows Zipf's law: rank r is asked for in proportion to 1 / r^s."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate


class Zipf:
    """Numbers of keys, the popular ones scattered over the keyspace; equal seeds give equal traces."""

    def __init__(self, keys: int, exponent: float, seed: int) -> None:
        self._random = random.Random(seed)
        self._cumulative = list(accumulate(rank**-exponent for rank in range(1, keys + 1)))
        self._key_of_rank = list(range(keys))
        self._random.shuffle(self._key_of_rank)

    def trace(self, length: int) -> Iterator[int]:
        """The next `length` keys asked for."""
        total = self._cumulative[-1]
        for _ in range(length):
            yield self._key_of_rank[bisect_left(self._cumulative, self._random.random() * total)]

    def share(self, keys: int) -> float:
        """The hit ratio of a cache that holds exactly the `keys` most popular keys."""
        held = min(keys, len(self._cumulative))
        return self._cumulative[held - 1] / self._cumulative[-1] if held else 0.0
