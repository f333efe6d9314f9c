"""Throughput, latency and server CPU per operation, interleaved over servers.

All servers are there at once, with each number of workers, and take turns (A B A B ...) while the others are stopped, so that a change of the machine's
mood meets all of them; medians are reported. CPU per operation is the figure to trust: it does not depend on how fast
the load generator is, and little on what else runs.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .generator import Generator, Run
from .resp import ServerError
from .server import Server
from .subscribers import Subscribers, message_bytes
from .workload import CHANNEL, Setup, Test

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


@dataclass(frozen=True)
class Arrangement:
    """Servers with so many workers each, on the same cores, and the generator that loads one of them at a time."""

    workers: int
    servers: Sequence[Server]
    generator: Generator


@dataclass
class Sample:
    """One run against one server."""

    run: Run
    cpu_us: float


@dataclass
class Row:
    """A test at a pipeline depth with a number of workers: samples per server."""

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


def measure(arrangements: Sequence[Arrangement], tests: Sequence[Test], shape: Shape) -> list[Row]:
    """All tests at all pipeline depths on all servers with all numbers of workers."""
    rows = []
    prepared: set[object] = set()
    servers = [server for arrangement in arrangements for server in arrangement.servers]
    for server in servers:
        server.rest()
    for test in tests:
        for arrangement in arrangements:
            _prepare(arrangement, test, shape, prepared)
        for pipeline in shape.pipelines:
            found = [Row(test.name, pipeline, each.workers, each.generator.threads) for each in arrangements]
            for _ in range(shape.repetitions):
                for row, arrangement in zip(found, arrangements):
                    _turn(row, arrangement, test, shape)
            rows += found
            for row in found:
                _progress(row)
    for server in servers:
        server.wake()
    return rows


def _turn(row: Row, arrangement: Arrangement, test: Test, shape: Shape) -> None:
    for server in arrangement.servers:
        with server.awake():
            sample = _sample(server, arrangement.generator, test, shape, row.pipeline)
        row.samples.setdefault(server.name, []).append(sample)


def _prepare(arrangement: Arrangement, test: Test, shape: Shape, prepared: set[object]) -> None:
    for setup in test.setup:
        work = (arrangement.workers, setup, _count(setup, test, shape))
        if work in prepared:
            continue
        prepared.add(work)
        for server in arrangement.servers:
            with server.awake():
                _set_up(server, arrangement.generator, setup, test, shape)


def _count(setup: Setup, test: Test, shape: Shape) -> int:
    return setup.keyspace or test.keyspace or shape.keyspace


def _set_up(server: Server, generator: Generator, setup: Setup, test: Test, shape: Shape) -> None:
    if setup.listed is None:
        generator.load(server, setup.command, _count(setup, test, shape), shape.value_bytes)
        return
    for command in setup.listed():
        try:
            server.client.call(*command)
        except ServerError as error:
            raise SystemExit(f"{server.name}: {' '.join(command[:3])}: {error}") from error


def _sample(server: Server, generator: Generator, test: Test, shape: Shape, pipeline: int) -> Sample:
    for setup in test.before:
        _set_up(server, generator, setup, test, shape)
    length = ["-n", str(test.requests)] if test.requests else ["--duration", str(shape.seconds)]
    options = [*length, "-c", str(shape.connections), "-P", str(pipeline)]
    options += ["-r", str(test.keyspace or shape.keyspace), "-d", str(shape.value_bytes)]
    errors = server.error_replies()
    if test.subscribers:
        sample = _heard(server, generator, test, shape, options)
    else:
        before = server.cpu_s()
        run = generator.run(server, options, test.command)
        sample = Sample(run, (server.cpu_s() - before) * 1e6 / run.requests)
    if server.error_replies() > errors:
        raise SystemExit(f"{server.name}: {test.name} was answered by errors")
    return sample


def _heard(server: Server, generator: Generator, test: Test, shape: Shape, options: Sequence[str]) -> Sample:
    """A run that ends when all subscribers have what was published, and counts that."""
    each_bytes = message_bytes(CHANNEL, shape.value_bytes)
    with Subscribers(server.port, generator.cores, CHANNEL, test.subscribers) as subscribers:
        before = server.cpu_s()
        run = generator.run(server, options, test.command)
        deliveries = run.requests * test.subscribers
        subscribers.await_bytes(deliveries * each_bytes)
        cpu_s = server.cpu_s() - before
    run = replace(run, requests=deliveries, rps=run.rps * test.subscribers)
    return Sample(run, cpu_s * 1e6 / deliveries)


def _progress(row: Row) -> None:
    cells = [f"{name} {row.cpu_us(name):.3f} us/op {row.rps(name):,.0f}/s" for name in row.samples]
    print(f"{row.workers} worker(s) {row.test} P={row.pipeline}: {'; '.join(cells)}", file=sys.stderr, flush=True)
