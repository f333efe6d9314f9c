"""What a reader has to know about the machine and the run to judge its figures."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from .server import Server, Spec


def machine() -> str:
    """Processor, cores, memory and kernel."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{_processor()}, {cores} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def versions(found: Sequence[Spec], cores: frozenset[int]) -> str:
    """Kind and version of each server under its name in the tables."""
    told = []
    for spec in found:
        with Server(spec, cores, 1) as server:
            told.append(f"{spec.name} = {server.version()}")
    return ", ".join(told)


def command() -> str:
    """The command line, with the last part of each path: where files lie on one machine tells a reader nothing."""
    return " ".join([f"bench/{Path(sys.argv[0]).name}", *(_short(word) for word in sys.argv[1:])])


def _short(word: str) -> str:
    name, separator, value = word.rpartition("=")
    return f"{name}{separator}{Path(value).name}" if "/" in value else word


def heading(found: Sequence[Spec], cores: frozenset[int], notes: Sequence[str] = ()) -> str:
    """The lines above a table."""
    lines = [
        f"- Date: {date.today().isoformat()}",
        f"- Machine: {machine()}",
        f"- Servers: {versions(found, cores)}",
        f"- Command: `{command()}`",
    ]
    return "\n".join([*lines, *(f"- {note}" for note in notes)])
