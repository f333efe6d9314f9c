"""A disk that stalls: a file system of its own in an image file, which the kernel can freeze.

While it is frozen every write and every sync to it waits, as with a disk that does not answer. Needs root and a loop
device; where they are missing, `Disk.make` says so and the scenario is left out.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

IMAGE_BYTES = 512 << 20
# A script that dies must not leave processes in a sleep that nobody can end.
THAW_AFTER_S = 60


class Disk:
    """A mounted file system; leaving the context takes everything away."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ochre-stall-")
        self.path = Path(self._folder.name) / "disk"
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Disk:
        image = Path(self._folder.name) / "image"
        with image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        self.path.mkdir()
        try:
            _run("mkfs.ext4", "-q", str(image))
            _run("mount", "-o", "loop", str(image), str(self.path))
        except (OSError, subprocess.CalledProcessError) as error:
            self._folder.cleanup()
            raise NoDisk(str(error)) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thaw()
        _run("umount", str(self.path))
        self._folder.cleanup()

    def freeze(self) -> None:
        """From now on nothing can be written."""
        guard = f"sleep {THAW_AFTER_S}; fsfreeze -u {self.path}"
        self._guard = subprocess.Popen(["sh", "-c", guard], stderr=subprocess.DEVNULL, start_new_session=True)
        _run("fsfreeze", "-f", str(self.path))

    def thaw(self) -> None:
        """Everything goes on."""
        if self._guard is None:
            return
        _run("fsfreeze", "-u", str(self.path))
        os.killpg(self._guard.pid, signal.SIGKILL)
        self._guard.wait()
        self._guard = None


class NoDisk(Exception):
    """There are no means for such a disk here."""


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
