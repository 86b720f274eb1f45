"""Checkpoints: a log's name, size and root in a signed note (c2sp.org/tlog-checkpoint)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mvote.ballotbox.merkle import HASH_BYTES
from mvote.ballotbox.notation import h
from mvote.ballotbox.notes import (
    MalformedNote,
    Note,
    Verifier,
    decoded64,
    encoded64,
    open_note,
    parse_note,
)

LARGEST_SIZE = 2**63 - 1
SIZE = re.compile("0|[1-9][0-9]{0,18}")
LINES = 3


@dataclass(frozen=True, kw_only=True)
class LogState:
    """What a log of that *origin* says of itself: how many entries, and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed and cosigned."""
        return f"{self.origin}\n{self.size}\n{encoded64(self.root)}\n"


def poll_origin(host: str, poll_id: str) -> str:
    """The name of a poll's log, as it stands in its definition."""
    return f"{host}/mvote/poll/{poll_id}"


def city_origin(host: str) -> str:
    """The name of the log that holds every poll's checkpoints."""
    return f"{host}/mvote/city"


def name_in_city(poll: bytes, *, is_private: bool) -> bytes:
    """The 16 bytes by which the city's log names a poll: its id, or what only those can tell to
    be a private poll's who know its id."""
    return h("mvote/room/city/1", poll)[: len(poll)] if is_private else poll


def parse_checkpoint(text: str) -> LogState:
    """The checkpoint in a note's *text*. Ours have three lines: any more are refused."""
    lines = text.split("\n")
    if len(lines) != LINES + 1 or lines.pop() or not all(lines):
        raise MalformedNote("a checkpoint has three lines: origin, size, root")
    origin, size, root = lines
    if not SIZE.fullmatch(size) or int(size) > LARGEST_SIZE:
        raise MalformedNote(f"not a size: {size[:40]!r}")
    checkpoint = LogState(origin=origin, size=int(size), root=decoded64(root))
    if len(checkpoint.root) != HASH_BYTES:
        raise MalformedNote("a root has 32 bytes")
    return checkpoint


def read_checkpoint(raw: str | bytes) -> LogState:
    """The checkpoint in a note whose signatures do not matter, such as one of our own files."""
    return parse_checkpoint(parse_note(raw).text)


def open_checkpoint(
    raw: str | bytes, *, origin: str, verifiers: Sequence[Verifier]
) -> tuple[LogState, Note]:
    """The checkpoint of the log *origin* that *verifiers* have signed, and their signatures.

    Raises MalformedNote (also for a checkpoint of another log) or UnverifiedNote.
    """
    note = open_note(raw, verifiers)
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise MalformedNote(f"a checkpoint of {checkpoint.origin[:200]!r}, not of {origin!r}")
    return checkpoint, note
