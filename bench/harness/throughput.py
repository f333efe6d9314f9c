"""Throughput, latency and server CPU per operation, interleaved over servers.

All servers run at once, pinned to the same cores, and take turns (A B A B ...), so that a change of the machine's mood
meets all of them; medians are reported. CPU per operation is the figure to trust: it does not depend on how fast
the load generator is, and little on what else runs.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from .generator import Generator, Run
from .server import Server
from .workload import Test

BUSY_LIMIT = 0.95


@dataclass(frozen=True)
class Shape:
    """What all measurements of a run share."""

    pipelines: tuple[int, ...]
    connections: int
    value_bytes: int
    keyspace: int
    seconds: float
    repetitions: int


@dataclass
class Sample:
    """One run against one server."""

    run: Run
    cpu_us: float


@dataclass
class Row:
    """A test at a pipeline depth: samples per server."""

    test: str
    pipeline: int
    workers: int
    generator_threads: int
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def cpu_us(self, server: str) -> float:
        """Median CPU of the server per operation, microseconds."""
        return statistics.median(sample.cpu_us for sample in self.samples[server])

    def rps(self, server: str) -> float:
        """Median operations per second."""
        return statistics.median(sample.run.rps for sample in self.samples[server])

    def latency_us(self, server: str) -> tuple[float, float, float]:
        """Medians of p50, p99 and p99.9, microseconds."""
        runs = [sample.run for sample in self.samples[server]]
        return (
            statistics.median(run.p50_us for run in runs),
            statistics.median(run.p99_us for run in runs),
            statistics.median(run.p999_us for run in runs),
        )

    def generator_bound(self, server: str) -> bool:
        """Whether the generator, not the server, may have set the pace."""
        busy = statistics.median(sample.run.busy for sample in self.samples[server])
        return busy > BUSY_LIMIT * self.generator_threads


def measure(
    servers: Sequence[Server], generator: Generator, tests: Sequence[Test], shape: Shape, workers: int
) -> list[Row]:
    """All tests at all pipeline depths on all servers."""
    rows = []
    prepared: set[object] = set()
    for test in tests:
        _prepare(servers, generator, test, shape, prepared)
        for pipeline in shape.pipelines:
            row = Row(test.name, pipeline, workers, generator.threads)
            for _ in range(shape.repetitions):
                for server in servers:
                    sample = _sample(server, generator, test, shape, pipeline)
                    row.samples.setdefault(server.name, []).append(sample)
            rows.append(row)
            _progress(row)
    return rows


def _prepare(
    servers: Sequence[Server], generator: Generator, test: Test, shape: Shape, prepared: set[object]
) -> None:
    for setup in test.setup:
        count = setup.keyspace or test.keyspace or shape.keyspace
        if (setup, count) in prepared:
            continue
        prepared.add((setup, count))
        for server in servers:
            generator.load(server, setup.command, count, shape.value_bytes)


def _sample(server: Server, generator: Generator, test: Test, shape: Shape, pipeline: int) -> Sample:
    options = ["--duration", str(shape.seconds), "-c", str(shape.connections), "-P", str(pipeline)]
    options += ["-r", str(test.keyspace or shape.keyspace), "-d", str(shape.value_bytes)]
    before = server.cpu_s()
    run = generator.run(server, options, test.command)
    return Sample(run, (server.cpu_s() - before) * 1e6 / run.requests)


def _progress(row: Row) -> None:
    cells = [f"{name} {row.cpu_us(name):.3f} us/op {row.rps(name):,.0f}/s" for name in row.samples]
    print(f"{row.workers} worker(s) {row.test} P={row.pipeline}: {'; '.join(cells)}", file=sys.stderr, flush=True)
