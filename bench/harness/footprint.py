"""What a server and the processes that it forked have in RAM, each shared page counted once.

A fork shares its pages until one of both writes; the resident sets of both would count most of them twice, that of the parent
alone none of the copies. The kernel's proportional set sizes add up to what the machine pays.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

STEP_S = 0.05


def family(pid: int) -> list[int]:
    """A process and its children."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has ended meanwhile.
        if int(fields[1]) == pid:
            found.append(int(entry.name))
    return found


def proportional(text: str) -> int:
    """The bytes that a `smaps_rollup` tells as Pss."""
    lines = (line.split() for line in text.splitlines() if line.startswith("Pss:"))
    return sum(int(words[1]) * 1024 for words in lines)


def footprint_bytes(pid: int) -> int:
    """Memory of a process and its children now."""
    total = 0
    for each in family(pid):
        try:
            total += proportional(Path(f"/proc/{each}/smaps_rollup").read_text())
        except OSError:
            continue
    return total


class Peak:
    """Watches a process from a thread of its own; `bytes` is the most that was seen."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.bytes = footprint_bytes(pid)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(STEP_S):
            self.bytes = max(self.bytes, footprint_bytes(self._pid))
