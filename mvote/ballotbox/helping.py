"""Helpers: processes that unseal beside this one, because unsealing holds Python's lock.

A helper hears of its work through a pipe only, so it ends with whoever started it, even if that one
is killed: its pipe then ends. What it holds of the key is gone with it.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from mvote.ballotbox.unsealing import Chunk, Count, Opener
from mvote.polls.definition import read_definition


class HelperLost(OSError):
    """A helper has ended before its work; what was counted is thrown away."""


@contextmanager
def helpers(number: int, definition: bytes, private: bytes) -> Iterator[list[Connection]]:
    """So many processes, each at the other end of a pipe; ended at the end."""
    spawn = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(number):
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=_help, args=[theirs, definition, private], daemon=True)
        process.start()
        theirs.close()  # only the helper holds it now: it is seen to end
        pipes.append(ours)
        processes.append(process)
    try:
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join()


def opened_by(pipes: list[Connection], chunks: Iterable[Chunk]) -> Iterator[Count]:
    """The counts of all *chunks*, in the order in which they are ready. Raises HelperLost.

    One chunk for each helper and one that is read meanwhile are in memory, never more.
    """
    idle, busy = list(pipes), set[Connection]()
    try:
        for chunk in chunks:
            while not idle:
                yield from _ready(idle, busy)
            pipe = idle.pop()
            pipe.send(chunk)
            busy.add(pipe)
        while busy:
            yield from _ready(idle, busy)
    except (EOFError, ConnectionError) as error:
        raise HelperLost("a helper has ended while counting") from error


def _ready(idle: list[Connection], busy: set[Connection]) -> Iterator[Count]:
    """What has become ready, once something has."""
    for each in wait(busy):
        assert isinstance(each, Connection)  # noqa: S101  # for the type checker
        yield each.recv()
        busy.remove(each)
        idle.append(each)


def _help(pipe: Connection, definition: bytes, private: bytes) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever is at the keyboard stops the counter
    opener = Opener(read_definition(definition), X25519PrivateKey.from_private_bytes(private))
    try:
        while True:
            pipe.send(opener.open(pipe.recv()))
    except (EOFError, ConnectionError):
        return  # whoever counts has ended
