"""Servers under measurement: started with Redis's options on a free port, pinned, observed, ended by their pid."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from .cores import Cores
from .resp import Client, ServerError, info

READY_S = 20.0
STOP_S = 20.0
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Spec:
    """A server to compare: its name in tables, and its executable."""

    name: str
    executable: Path

    @property
    def command(self) -> list[str]:
        """The program's name as it sees it: one binary may serve several names."""
        return [f"{self.name}-server" if self.executable.name == "ochre" else str(self.executable)]


def built(name: str) -> Path:
    """The release build of `name`, or the one binary that answers to every name."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release"
    candidate = target / name
    return candidate if candidate.exists() else target / "ochre"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that name servers."""
    parser.add_argument("--ochre", type=Path, metavar="PATH", help="Ochre's server (default: the release build)")
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME=PATH", help="a server to compare with; may be repeated"
    )


def specs(arguments: argparse.Namespace) -> list[Spec]:
    """The servers that the command line names, Ochre first."""
    found = [Spec("ochre", arguments.ochre or built("ochre-server"))]
    for peer in arguments.peer:
        name, separator, path = peer.partition("=")
        if not separator:
            raise SystemExit(f"--peer {peer}: expected NAME=PATH")
        found.append(Spec(name, Path(path)))
    for spec in found:
        if not os.access(spec.executable, os.X_OK):
            raise SystemExit(f"{spec.name}: {spec.executable} is no executable")
    return found


class Server:
    """A running server."""

    def __init__(self, spec: Spec, cores: Cores, workers: int, options: Sequence[str] = ()) -> None:
        self.spec = spec
        self.port = free_port()
        self._directory = tempfile.TemporaryDirectory(prefix="ochre-bench-")
        self._log = Path(self._directory.name) / "output"
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        arguments += ["--daemonize", "no", "--io-threads", str(workers), "--dir", self._directory.name, *options]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                spec.command + arguments,
                executable=spec.executable,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )
        try:
            self.client = self._await()
        except BaseException:
            self.stop()
            raise

    @property
    def name(self) -> str:
        """Its name in tables."""
        return self.spec.name

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self.stop()

    def rest(self) -> None:
        """Stops its clock: a server with nothing to do may look for work all the time, on the cores of another one."""
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Lets it go on."""
        self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """While the others rest."""
        self.wake()
        try:
            yield
        finally:
            self.rest()

    def stop(self) -> None:
        """Ends the process and removes its folder."""
        self._process.terminate()
        self.wake()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._directory.cleanup()

    def _await(self) -> Client:
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                client = Client(self.port)
                client.call("PING")
                return client
            except (OSError, ServerError):
                time.sleep(0.02)
        output = self._log.read_text(errors="replace").strip().splitlines()[-10:]
        raise SystemExit("\n".join([f"{self.name} does not answer; its last words:", *output]))

    def version(self) -> str:
        """Its kind and version, as it tells them itself."""
        fields = info(self.client, "server")
        for kind in ("ochre", "valkey"):
            if f"{kind}_version" in fields:
                return f"{kind} {fields[f'{kind}_version']}"
        return f"redis {fields.get('redis_version', '?')}"

    def cpu_s(self) -> float:
        """CPU time of all its threads so far, in seconds.

        The scheduler's own account has nanoseconds; utime and stime have ticks of 10 ms and serve where it is missing.
        """
        tasks = Path(f"/proc/{self._process.pid}/task")
        try:
            return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9
        except (OSError, IndexError, ValueError):
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self) -> int:
        """Memory that the process has in RAM."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def used_bytes(self) -> int:
        """Memory that the server says it uses."""
        return int(info(self.client, "memory")["used_memory"])

    def error_replies(self) -> int:
        """How many replies were errors so far."""
        return int(info(self.client, "stats")["total_error_replies"])

    def keys(self) -> int:
        """Number of keys in database 0."""
        reply = self.client.call("DBSIZE")
        assert isinstance(reply, int)
        return reply


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(found: Sequence[Spec], cores: Cores, workers: int, options: Sequence[str] = ()) -> Iterator[list[Server]]:
    """All of them at once."""
    with ExitStack() as stack:
        yield [stack.enter_context(Server(spec, cores, workers, options)) for spec in found]
