"""What the programs in Python share: tests by decoration, waiting for conditions, and a count at the end.

A test waits for what has to happen, never for a time, unless it is about that time; whatever it starts, it ends.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import traceback

PATIENCE_S = 60
TESTS = []

# Who is told to end still ends what it has started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def test(function):
    TESTS.append(function)
    return function


def until(ready, patience_s=PATIENCE_S):
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + patience_s
    while not (answer := ready()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
    return answer


def raises(error, text, function):
    try:
        function()
    except error as caught:
        assert text in str(caught), str(caught)
    else:
        raise AssertionError(f"no {error.__name__}")


def kill(process):
    """Ends a process at once, with those that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def started(command, **options):
    """A process, and those it starts in turn, for the time of a block."""
    process = subprocess.Popen(command, start_new_session=True, **options)
    try:
        yield process
    finally:
        kill(process)


def run(*modes):
    """Runs every test in each mode, `(words, call)`, where `call` runs the test; prints the count and ends the program."""
    passed = failed = 0
    for words, call in modes:
        for function in TESTS:
            try:
                call(function)
                passed += 1
            except Exception:
                failed += 1
                print(f"FAILED {function.__name__} {words}\n{traceback.format_exc()}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
