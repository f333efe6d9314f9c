"""Connections that listen to a channel and take what they are sent, without looking into it.

One thread takes it all, on the generator's cores. How much there has to be in the end is known, so whoever measures can
wait until everything was delivered, and nothing that was lost goes unnoticed.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from types import TracebackType

from .cores import Cores
from .resp import encode

TIMEOUT_S = 60.0
BUFFER_BYTES = 1 << 20
# What wakes the thread up now and then, and whoever waits for it.
POLL_S = 0.002


def message_bytes(channel: str, message_len: int) -> int:
    """What one delivery takes in RESP2."""
    return len(encode(["message", channel, b"x" * message_len]))


class Subscribers:
    """So many of them, from the beginning of a `with` block to its end."""

    def __init__(self, port: int, cores: Cores, channel: str, count: int) -> None:
        self._received = 0
        self._lost = False
        self._ends = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._sockets = [_subscribed(port, channel) for _ in range(count)]
        for each in self._sockets:
            self._selector.register(each, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._take, args=(cores,), daemon=True)

    def __enter__(self) -> Subscribers:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self._thread.join()
        self._selector.close()
        for each in self._sockets:
            each.close()

    def await_bytes(self, total: int) -> None:
        """Waits until so much has come since the beginning, in all."""
        deadline = time.monotonic() + TIMEOUT_S
        while self._received < total:
            if self._lost or time.monotonic() > deadline:
                raise SystemExit(f"subscribers were sent {self._received:,} of {total:,} bytes")
            time.sleep(POLL_S)

    def _take(self, cores: Cores) -> None:
        os.sched_setaffinity(0, cores)
        buffer = bytearray(BUFFER_BYTES)
        while not self._ends.is_set():
            for key, _ in self._selector.select(POLL_S):
                each = key.fileobj
                assert isinstance(each, socket.socket)
                received = each.recv_into(buffer)
                self._received += received
                if received == 0:
                    self._lost = True
                    self._selector.unregister(each)


def _subscribed(port: int, channel: str) -> socket.socket:
    """A connection that listens: the confirmation has been taken."""
    connection = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    confirmation = encode(["subscribe", channel]).replace(b"*2", b"*3", 1) + b":1\r\n"
    connection.sendall(encode(["SUBSCRIBE", channel]))
    taken = b""
    while len(taken) < len(confirmation):
        received = connection.recv(len(confirmation) - len(taken))
        if not received:
            raise SystemExit("a subscriber was refused")
        taken += received
    if taken != confirmation:
        raise SystemExit(f"not a confirmation: {taken!r}")
    return connection
