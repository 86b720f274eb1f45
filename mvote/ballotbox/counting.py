"""Counting: the box is unsealed, added up, counted again by other code, and attested.

The counter sees box and log only. What it finds is a statement; whether that is published is
decided by the accounting, which the database computes.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from mvote.ballotbox.helping import helpers, opened_by
from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.statements import records_public, statement_of
from mvote.ballotbox.stock import sealing_key_name
from mvote.ballotbox.tables import LogEntry, Result
from mvote.ballotbox.tallying import Recount, agrees, in_order
from mvote.ballotbox.trustees import waiting_for_trustees
from mvote.ballotbox.unsealing import CHUNK, Count, Opener, chunks
from mvote.ballotbox.vectors import PACK
from mvote.polls.definition import FrozenPoll, canonical, read_definition
from mvote.polls.poll import Poll, PollDefinition

HELPED_FROM = 50_000
"""Ballots. Below, helpers would take longer to start than to count."""
MOST_HELPERS = 4
PACKS_AT_ONCE = 64
SECONDS_BETWEEN_NEWS = 2.0
log = logging.getLogger("mvote.counting")

Tell = Callable[[uuid.UUID, int, int], None]
"""Told now and then: the poll, how many entries are unsealed, of how many."""


def _tell_nobody(poll_id: uuid.UUID, done: int, size: int) -> None:
    """Whoever counts a few ballots needs no news of it."""


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How to count: who counts again, who is told, how many processes help from which size on."""

    recount: Recount | None = None
    tell: Tell = _tell_nobody
    processes: int = min(MOST_HELPERS, os.cpu_count() or 1)
    helped_from: int = HELPED_FROM


ONCE_AND_ALONE = Manner()


def polls_to_count(session: Session, keystore: Keystore) -> list[uuid.UUID]:
    """Polls that are closed and not yet counted; without those that wait for their trustees."""
    closed = session.scalars(select(Poll.id).where(Poll.state == "closed")).all()
    waiting = waiting_for_trustees(session, keystore) if closed else set()
    return [poll_id for poll_id in closed if poll_id not in waiting]


def count_poll(
    session: Session, keystore: Keystore, poll_id: uuid.UUID, manner: Manner = ONCE_AND_ALONE
) -> bool:
    """Count a closed poll and publish it if the accounting holds; whether it was published.

    All in one transaction: whoever is killed at it leaves nothing behind, and counts again. Raises
    KeyMissing or KeyUnreadable without the poll's private key, HelperLost if a process ended.
    """
    content = _definition(session, poll_id)
    key = keystore.get(sealing_key_name(read_definition(content).sealing_key))
    return count_with_key(session, content, key, manner)


def count_with_key(session: Session, content: bytes, private: bytes, manner: Manner) -> bool:
    """Count the closed poll of the definition *content* with its *private* key, 32 bytes."""
    poll = read_definition(content)
    head = _log_head(session, poll.poll_id)
    count = Count()
    news = _News(poll.poll_id, head.size, manner.tell)
    news.reached(0)
    for part in _parts(session, content, private, head.size, manner):
        count += part
        news.reached(len(count.roots) * CHUNK)
    _write_records(session, poll.poll_id, count)
    # plain INSERT: the counter may write results, not read them back
    result = _result(session, poll, count, head, manner.recount)
    session.execute(insert(Result.__table__).values(result))  # type: ignore[arg-type]
    published: bool = session.execute(_FINISH, {"poll_id": poll.poll_id}).scalar_one()
    return published


_FINISH = text("SELECT finish_counting(:poll_id)")
_PARTICIPATIONS = text("SELECT participation_count(:poll_id)")
_QUARANTINED = text("SELECT quarantined_count(:poll_id)")
_LAST_CHECKPOINT = text(
    "SELECT size, root FROM checkpoint WHERE poll_id = :poll_id ORDER BY size DESC LIMIT 1"
)
_INTO_RECORD = text(
    "INSERT INTO record (poll_id, j, vectors)"
    " SELECT :poll_id, :first + (place - 1) * :pack, vectors"
    " FROM unnest(CAST(:packs AS bytea[])) WITH ORDINALITY AS t (vectors, place)"
)


@dataclass(frozen=True)
class _Head:
    """The final checkpoint: so many entries, under this root."""

    size: int
    root: bytes


class _News:
    """Says how far the count is, now and then: to the log, and to whoever wants to be told."""

    def __init__(self, poll_id: uuid.UUID, size: int, tell: Tell) -> None:
        self._poll_id, self._size, self._tell = poll_id, size, tell
        self._said_at = time.monotonic()

    def reached(self, done: int) -> None:
        """So many entries are unsealed."""
        done = min(done, self._size)
        if done in (0, self._size) or time.monotonic() - self._said_at > SECONDS_BETWEEN_NEWS:
            self._said_at = time.monotonic()
            log.info("counting", extra={"poll_id": self._poll_id, "done": done, "of": self._size})
            self._tell(self._poll_id, done, self._size)


def _definition(session: Session, poll_id: uuid.UUID) -> bytes:
    content = select(PollDefinition.canonical).where(PollDefinition.poll_id == poll_id)
    return session.execute(content).scalar_one()


def _log_head(session: Session, poll_id: uuid.UUID) -> _Head:
    checkpoint = session.execute(_LAST_CHECKPOINT, {"poll_id": poll_id}).one_or_none()
    if checkpoint is not None:
        return _Head(*checkpoint)
    last = select(func.max(LogEntry.idx)).where(LogEntry.poll_id == poll_id)
    # Who took the checkpoints away does not stop the count, only its publication.
    return _Head(session.execute(last).scalar_one() + 1, b"")


def _parts(
    session: Session, content: bytes, private: bytes, size: int, manner: Manner
) -> Iterator[Count]:
    """The counts of all chunks, unsealed here or by helpers."""
    poll = read_definition(content)
    all_chunks = chunks(session, poll.poll_id, size)
    if size < manner.helped_from:
        opener = Opener(poll, X25519PrivateKey.from_private_bytes(private))
        yield from map(opener.open, all_chunks)
        return
    with helpers(manner.processes, content, private) as pipes:
        yield from opened_by(pipes, all_chunks)


def _write_records(session: Session, poll_id: uuid.UUID, count: Count) -> None:
    records, first = in_order(count.vectors), 0
    while packs := list(islice(_packs(records), PACKS_AT_ONCE)):
        place = {"poll_id": poll_id, "first": first, "pack": PACK}
        session.execute(_INTO_RECORD, place | {"packs": packs})
        first += PACKS_AT_ONCE * PACK


def _packs(records: Iterator[bytes]) -> Iterator[bytes]:
    while pack := b"".join(islice(records, PACK)):
        yield pack


def _result(
    session: Session, poll: FrozenPoll, count: Count, head: _Head, recount: Recount | None
) -> dict[str, Any]:
    here = {"poll_id": poll.poll_id}
    figures = {
        "participations": session.execute(_PARTICIPATIONS, here).scalar_one(),
        "entries": count.entries,
        "records": count.ballots,
        "quarantined": session.execute(_QUARANTINED, here).scalar_one(),
        "unopenable": count.unopenable,
    }
    checks = {"log_agrees": count.root() == head.root}
    if recount is not None:
        checks["recounted"] = agrees(poll, count, recount)
    attested = {"log_size": head.size, "log_root": count.root().hex(), **figures}
    attested["recounted"] = checks.get("recounted", False)
    is_public = records_public(poll, count.ballots)
    statement = statement_of(poll, count, attested, is_public=is_public)
    more = {"statement": canonical(statement), "records_public": is_public}
    return here | figures | checks | more
