"""The web worker sends head and body together, whole and in order."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from api.worker import LONGEST_KEPT, Together

Pair = tuple[Together, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        yield Together(ours), theirs


def received(theirs: socket.socket) -> bytes:
    """What has arrived by now."""
    try:
        return theirs.recv(1_000_000)
    except BlockingIOError:
        return b""


def test_nothing_leaves_before_the_whole_is_there(pair: Pair) -> None:
    together, theirs = pair
    together.sendall(b"head ")
    together.sendall(b"body")
    assert received(theirs) == b""
    together.flush()
    assert received(theirs) == b"head body"


def test_what_was_sent_is_not_sent_again(pair: Pair) -> None:
    together, theirs = pair
    together.sendall(b"once")
    together.flush()
    together.flush()
    assert received(theirs) == b"once"


def test_what_is_long_does_not_wait(pair: Pair) -> None:
    together, theirs = pair
    together.sendall(b"head ")
    together.sendall(b"x" * LONGEST_KEPT)
    assert received(theirs) == b"head " + b"x" * LONGEST_KEPT


def test_whatever_else_is_done_with_the_connection_comes_after(pair: Pair) -> None:
    together, theirs = pair
    together.sendall(b"head ")
    together.send(b"file")
    assert received(theirs) == b"head file"
