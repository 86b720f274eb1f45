"""A log: entries that are only ever added, under a tree (RFC 9162) that proves it.

Each poll has one, and so has the city, whose entries are the polls' checkpoints. An entry is a
kind byte ‖ data; its leaf is hashed over both.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from mvote.ballotbox import merkle, tiles
from mvote.ballotbox.log_tables import Checkpoint
from mvote.ballotbox.tables import LogEntry
from mvote.polls.poll import PollDefinition

CITY = uuid.UUID(int=0)
"""In place of a poll's id: the log of the polls' checkpoints."""

DEFINITION_ENTRY = 0  #: SHA-256(definition); always at 0 in a poll's log
BALLOT_ENTRY = 1  #: tracker (16) ‖ C (32)
NOTICE_ENTRY = 3  #: SHA-256(notice)
STATEMENT_ENTRY = 4  #: SHA-256(statement of the count)
CHECKPOINT_ENTRY = 5  #: poll id (16) ‖ size (8, big-endian) ‖ root (32); in the city's log only

Entry = tuple[int, bytes]
"""(kind, data)."""
CHUNK = 10_000


class TreeHead(NamedTuple):
    """A state of a log: how many entries, and the root over them."""

    size: int
    root: bytes


EMPTY = TreeHead(0, merkle.EMPTY_ROOT)


class TreeDamaged(ValueError):
    """The stored tree is not the one that the newest checkpoint was made of."""


def append(session: Session, *, log_id: uuid.UUID, entries: Sequence[Entry]) -> TreeHead:
    """Add *entries* with their part of the tree and a checkpoint; the new state.

    A poll's log begins with the hash of its definition, which is put before the first entries.
    One at a time for each log: another one waits until the caller's transaction has ended. Reads
    one tile a level. Raises TreeDamaged, and LookupError for a tile that is missing.
    """
    session.execute(_LOCK, {"log_id": str(log_id)})
    head = head_of(session, log_id)
    if head == EMPTY and log_id != CITY:
        entries = [_definition_entry(session, log_id), *entries]
    if not entries:
        return head
    edge = tiles.read_tiles(session, log_id, tiles.right_edge(head.size))
    if tiles.root_of_edge(edge, head.size) != head.root:
        raise TreeDamaged(f"log {log_id} is not what its checkpoint at {head.size} says")
    _write_entries(session, log_id, head.size, entries)
    grown = tiles.grow(edge, head.size, [leaf_of(*entry) for entry in entries])
    tiles.write_tiles(session, log_id, grown)
    size = head.size + len(entries)
    added = TreeHead(size, tiles.root_of_edge(edge | grown, size))
    session.execute(insert(Checkpoint).values(poll_id=log_id, **added._asdict()))
    return added


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:log_id, 2))")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:log_id, 2))")


def is_ours(session: Session, log_id: uuid.UUID) -> bool:
    """Whether this transaction is from now on the only one to append; False: another one is."""
    locked: bool = session.execute(_TRY_LOCK, {"log_id": str(log_id)}).scalar_one()
    return locked


def leaf_of(kind: int, data: bytes) -> bytes:
    """The leaf's hash of an entry."""
    return merkle.leaf_hash(bytes([kind]) + data)


def head_of(session: Session, log_id: uuid.UUID) -> TreeHead:
    """The newest state, signed or not."""
    newest = (
        select(Checkpoint.size, Checkpoint.root)
        .where(Checkpoint.poll_id == log_id)
        .order_by(Checkpoint.size.desc())
        .limit(1)
    )
    found = session.execute(newest).one_or_none()
    return TreeHead(found.size, found.root) if found else EMPTY


def size_of(session: Session, log_id: uuid.UUID) -> int:
    """How many entries a log has."""
    return head_of(session, log_id).size


def signed_checkpoint(session: Session, log_id: uuid.UUID) -> Checkpoint | None:
    """The newest checkpoint that is signed."""
    newest = (
        select(Checkpoint)
        .where(Checkpoint.poll_id == log_id, Checkpoint.note.is_not(None))
        .order_by(Checkpoint.size.desc())
        .limit(1)
    )
    return session.scalars(newest).one_or_none()


def entries_between(
    session: Session, log_id: uuid.UUID, *, start: int, end: int
) -> list[tuple[int, int, bytes]]:
    """(index, kind, data) of the entries from *start* to before *end*."""
    wanted = (
        select(LogEntry.idx, LogEntry.kind, LogEntry.data)
        .where(LogEntry.poll_id == log_id, LogEntry.idx >= start, LogEntry.idx < end)
        .order_by(LogEntry.idx)
    )
    return [(index, kind, data) for index, kind, data in session.execute(wanted)]


def find_ballot(session: Session, poll_id: uuid.UUID, tracker: bytes) -> tuple[int, bytes] | None:
    """Index and data of the ballot with this tracker (16 bytes)."""
    wanted = select(LogEntry.idx, LogEntry.data).where(
        LogEntry.poll_id == poll_id,
        LogEntry.kind == BALLOT_ENTRY,
        func.substr(LogEntry.data, _1, _16) == tracker,
    )
    found = session.execute(wanted).first()
    return (found.idx, found.data) if found else None


# Written into the statement, as they stand in the index.
_1, _16 = text("1"), text("16")


def root_at(session: Session, log_id: uuid.UUID, size: int) -> bytes:
    """The root over the first *size* entries."""
    return tiles.over_tiles(session, log_id, lambda hashes: merkle.root_at(size, hashes))


def inclusion(session: Session, log_id: uuid.UUID, *, index: int, size: int) -> list[bytes]:
    """The proof that the entry at *index* is in the log of *size*. ValueError unless index < size.

    LookupError if the log is not so large.
    """
    return tiles.over_tiles(
        session, log_id, lambda hashes: merkle.inclusion_proof(index, size, hashes)
    )


def consistency(session: Session, log_id: uuid.UUID, *, old: int, new: int) -> list[bytes]:
    """The proof that the log of *new* entries begins with that of *old*. ValueError if old > new.

    LookupError if the log is not so large.
    """
    return tiles.over_tiles(
        session, log_id, lambda hashes: merkle.consistency_proof(old, new, hashes)
    )


def _definition_entry(session: Session, poll_id: uuid.UUID) -> Entry:
    wanted = select(PollDefinition.hash).where(PollDefinition.poll_id == poll_id)
    return DEFINITION_ENTRY, session.execute(wanted).scalar_one()


def _write_entries(
    session: Session, log_id: uuid.UUID, first: int, entries: Sequence[Entry]
) -> None:
    for start in range(0, len(entries), CHUNK):
        kinds, contents = zip(*entries[start : start + CHUNK], strict=True)
        place = {"log_id": log_id, "first": first + start}
        session.execute(_INTO_LOG, place | {"kinds": list(kinds), "contents": list(contents)})


_INTO_LOG = text(
    "INSERT INTO log_entry (poll_id, idx, kind, data)"
    " SELECT :log_id, :first + place - 1, kind, data"
    " FROM unnest(CAST(:kinds AS smallint[]), CAST(:contents AS bytea[]))"
    " WITH ORDINALITY AS t (kind, data, place)"
)
