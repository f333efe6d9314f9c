"""What another client feels while something big happens, and how long memory takes to come back.

The observer is an open loop of GETs at a modest rate: a closed loop would send nothing during a pause and so
measure it once. Its latencies count from the time when each request should have been sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .generator import Generator, Run
from .server import Server

CONNECTIONS = 4
SAMPLE_S = 0.05
# Memory is back when all but this share of what was used has been returned.
REMAINDER = 0.05


@dataclass(frozen=True)
class Observation:
    """A window of time around an event."""

    quiet: Run
    during: Run
    answer_s: float
    """How long the request that caused the event took; 0 when there was none."""
    used_back_s: float | None
    rss_back_s: float | None
    """Seconds from the event until memory was back, none when it was not within the window."""
    rss_left: float
    """Share of the resident set that the event should have freed and had not at the end of the window."""


@dataclass(frozen=True)
class Level:
    """Memory of a server at one time, bytes."""

    used: int
    rss: int


def level(server: Server) -> Level:
    """The server's memory now."""
    return Level(server.used_bytes(), server.rss_bytes())


class Observer:
    """Watches a server through the load generator."""

    def __init__(self, generator: Generator, rate: int, window_s: float, lead_s: float = 1.0) -> None:
        self._generator = generator
        self._rate = rate
        self._window_s = window_s
        self._lead_s = lead_s

    def quiet(self, server: Server) -> Run:
        """The same observation when nothing happens: the noise of machine and observer."""
        return self.watch(server, level(server), lambda: 0.0, None).during

    def watch(
        self, server: Server, empty: Level, event: Callable[[], float], quiet: Run | None, at: float | None = None
    ) -> Observation:
        """Observes for one window; the event is caused, or (with `at`, seconds since the epoch) happens by itself."""
        if at is not None:
            time.sleep(max(0.0, at - self._lead_s - time.time()))
        full = level(server)
        process = self._generator.start(
            server,
            ["--rate", str(self._rate), "--duration", str(self._window_s), "-c", str(CONNECTIONS)],
            ("GET", "observed"),
        )
        end = time.time() + self._window_s
        moment = at if at is not None else time.time() + self._lead_s
        time.sleep(max(0.0, moment - time.time()))
        answer_s = event()
        used_back, rss_back = self._memory_back(server, empty, full, moment, end)
        run = self._generator.finish(process)
        gained = max(full.rss - empty.rss, 1)
        rss_left = max(0.0, (server.rss_bytes() - empty.rss) / gained)
        return Observation(quiet or run, run, answer_s, used_back, rss_back, rss_left)

    @staticmethod
    def _memory_back(
        server: Server, empty: Level, full: Level, moment: float, end: float
    ) -> tuple[float | None, float | None]:
        used_goal = empty.used + (full.used - empty.used) * REMAINDER
        rss_goal = empty.rss + (full.rss - empty.rss) * REMAINDER
        used_back: float | None = None
        rss_back: float | None = None
        while time.time() < end and (used_back is None or rss_back is None):
            now = level(server)
            elapsed = time.time() - moment
            if used_back is None and now.used <= used_goal:
                used_back = elapsed
            if rss_back is None and now.rss <= rss_goal:
                rss_back = elapsed
            time.sleep(SAMPLE_S)
        return used_back, rss_back
