"""A small blocking client: enough of RESP2 to prepare servers and to ask them questions."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Sequence
from types import TracebackType

Word = str | bytes | int

TIMEOUT_S = 60.0


class ServerError(Exception):
    """An error reply."""


Reply = bytes | int | None | list["Reply"] | ServerError


def encode(command: Sequence[Word]) -> bytes:
    """One command as RESP."""
    parts = [b"*%d\r\n" % len(command)]
    for word in command:
        raw = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


class Client:
    """One connection. Errors inside a pipeline come back as values; a single call raises them."""

    def __init__(self, port: int, timeout_s: float = TIMEOUT_S) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb", 256 * 1024)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._reader.close()
        self._socket.close()

    def call(self, *command: Word) -> Reply:
        """Sends one command and returns its reply."""
        self._socket.sendall(encode(command))
        reply = self._read()
        if isinstance(reply, ServerError):
            raise reply
        return reply

    def pipeline(self, commands: Iterable[Sequence[Word]]) -> list[Reply]:
        """Sends all commands at once and returns their replies."""
        encoded = [encode(command) for command in commands]
        return self.raw(b"".join(encoded), len(encoded))

    def raw(self, request: bytes, replies: int) -> list[Reply]:
        """Sends encoded commands and returns that many replies."""
        self._socket.sendall(request)
        return [self._read() for _ in range(replies)]

    def drain(self, *command: Word) -> float:
        """Sends one command and takes its reply without looking into it; seconds until all of it was there.

        The answer to a PING behind it tells its end. A slow reader would measure itself.
        """
        began, end = time.monotonic(), b"+PONG\r\n"
        self._socket.sendall(encode(command) + encode(["PING"]))
        tail = b""
        while not tail.endswith(end):
            received = self._socket.recv(1 << 20)
            if not received:
                raise ConnectionError("the server closed the connection")
            tail = (tail + received)[-len(end) :]
        return time.monotonic() - began

    def _read(self) -> Reply:
        line = self._reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            length = int(rest)
            return None if length < 0 else self._reader.read(length + 2)[:-2]
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"-":
            return ServerError(rest.decode(errors="replace"))
        if kind == b"*":
            length = int(rest)
            return None if length < 0 else [self._read() for _ in range(length)]
        raise ConnectionError(f"not a reply: {line!r}")


def info(client: Client, section: str) -> dict[str, str]:
    """The fields of an INFO section."""
    reply = client.call("INFO", section)
    assert isinstance(reply, bytes)
    lines = (line for line in reply.decode(errors="replace").splitlines() if ":" in line and not line.startswith("#"))
    return dict(line.split(":", 1) for line in lines)
