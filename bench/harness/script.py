"""How the commands start and end: whatever ends them, the servers that they started end, too."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run(main: Callable[[], None]) -> None:
    """Runs `main`; a request to terminate unwinds it, as an interruption does."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
