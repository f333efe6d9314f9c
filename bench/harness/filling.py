"""What fills servers: elements by the thousand, commands by the pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from .resp import Client

PIPELINE = 50
CHUNK = 1000

Thing = TypeVar("Thing")


def batched(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    """So many at a time."""
    left = iter(things)
    while batch := list(islice(left, size)):
        yield batch


def pieces(head: str, form: str, count: int, first: int = 0) -> Iterator[Sequence[str]]:
    """Commands that bring so many elements, numbered from `first` on."""
    for numbers in batched(range(first, first + count), CHUNK):
        yield [*head.split(), *" ".join(form.format(n=number) for number in numbers).split()]


def send(client: Client, commands: Iterable[Sequence[str]]) -> None:
    """Sends commands, many at a time."""
    for batch in batched(commands, PIPELINE):
        client.pipeline(batch)
