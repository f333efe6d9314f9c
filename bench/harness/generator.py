"""The load generator, as a process of its own on its own cores."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .cores import Cores
from .server import Server, built

# Loading: enough requests in flight that the server, not the round trip, sets the pace.
LOAD_PIPELINE = 64
LOAD_CONNECTIONS = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The option that names the load generator."""
    parser.add_argument(
        "--generator", type=Path, metavar="PATH", help="ochre-benchmark (default: the release build)"
    )


@dataclass(frozen=True)
class Run:
    """What one run of the generator measured. Latencies are microseconds."""

    requests: int
    rps: float
    p50_us: float
    p99_us: float
    p999_us: float
    max_us: float
    busy: float
    """CPU seconds of the generator per second: near its number of threads, it may be the bottleneck."""


class Generator:
    """Starts ochre-benchmark with the options that a measurement needs."""

    def __init__(self, path: Path | None, cores: Cores, threads: int = 1) -> None:
        self.path = path or built("ochre-benchmark")
        self.cores = cores
        self.threads = threads
        if not os.access(self.path, os.X_OK):
            raise SystemExit(f"{self.path} is no executable: build the release binaries first, or name --generator")

    def start(self, server: Server, options: Sequence[str], command: Sequence[str]) -> subprocess.Popen[str]:
        """Starts a run without waiting for it."""
        arguments = ["ochre-benchmark", "-p", str(server.port), "--json", *options, "--", *command]
        return subprocess.Popen(
            arguments,
            executable=self.path,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, self.cores),
        )

    @staticmethod
    def finish(process: subprocess.Popen[str]) -> Run:
        """Waits for a run that `start` began."""
        began = time.monotonic()
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        if process.returncode != 0 or not output.strip():
            raise SystemExit(f"the load generator failed (status {process.returncode}): {process.args}")
        line = json.loads(output.splitlines()[-1])
        seconds = max(line["seconds"], time.monotonic() - began, 1e-9)
        return Run(
            requests=line["requests"],
            rps=line["rps"],
            p50_us=line["p50_us"],
            p99_us=line["p99_us"],
            p999_us=line["p99.9_us"],
            max_us=line["max_us"],
            busy=(usage.ru_utime + usage.ru_stime) / seconds,
        )

    def run(self, server: Server, options: Sequence[str], command: Sequence[str]) -> Run:
        """One run from start to end."""
        threads = ["--threads", str(self.threads)] if self.threads > 1 else []
        return self.finish(self.start(server, [*threads, *options], command))

    def load(
        self, server: Server, command: Sequence[str], count: int, value_bytes: int, *, sequential: bool = True
    ) -> None:
        """Sends `command` once for each number from 0 to `count` - 1: the same keys on every server.

        Unless it is to be so many numbers drawn at random.
        """
        options = ["-n", str(count), "-r", str(count), "-d", str(value_bytes)]
        options += ["--sequential"] if sequential else []
        options += ["-c", str(LOAD_CONNECTIONS), "-P", str(LOAD_PIPELINE)]
        self.run(server, options, command)
