"""Shuffling: envelopes lose their outer layer and their order, and become entries of the log."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.poll_keys import key_name
from mvote.ballotbox.sealing import Unreadable, unwrap_outer
from mvote.ballotbox.tables import BoxedBallot, Envelope, LogEntry, QuarantinedEnvelope
from mvote.polls.poll import Poll, PollDefinition

DEFINITION_ENTRY = 0
BALLOT_ENTRY = 1

_CLOSE = text("SELECT close_poll(:poll_id)")
_FINISH = text("SELECT finish_closing(:poll_id)")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:poll_id, 2))")


@dataclass(frozen=True, repr=False)
class _Opened:
    """An envelope without its outer layer. Trackers are random: to sort by them is to shuffle."""

    tracker: bytes
    c: bytes
    sealed: bytes


def polls_due(session: Session) -> list[uuid.UUID]:
    """Polls whose time is over by the database's clock, and those whose closing was interrupted."""
    due = select(Poll.id).where(
        Poll.state.in_(("open", "closing")), Poll.closes_at <= func.clock_timestamp()
    )
    interrupted = select(Poll.id).where(Poll.state == "closing")
    return list(session.scalars(due.union(interrupted)))


def close_poll(session: Session, poll_id: uuid.UUID) -> bool:
    """Stop casting: waits for casts in flight, lets none in after. Commit at once, it is short."""
    closed: bool = session.execute(_CLOSE, {"poll_id": poll_id}).scalar_one()
    return closed


def shuffle_last(session: Session, keystore: Keystore, poll_id: uuid.UUID) -> int | None:
    """The final shuffle of a closing poll: all envelopes into box and log, sorted by tracker.

    All in one transaction; afterwards the poll is closed. Returns the number of ballots, or None
    if another shuffler is at it. Raises KeyMissing without the link key; nothing is changed then.
    """
    if not session.execute(_TRY_LOCK, {"poll_id": str(poll_id)}).scalar_one():
        return None
    opened = _open_envelopes(session, keystore, poll_id)
    opened.sort(key=lambda ballot: ballot.tracker)
    first = _first_free_index(session, poll_id)
    _append(session, poll_id, first, opened)
    session.execute(delete(Envelope).where(Envelope.poll_id == poll_id))
    session.execute(_FINISH, {"poll_id": poll_id})
    return len(opened)


def _open_envelopes(session: Session, keystore: Keystore, poll_id: uuid.UUID) -> list[_Opened]:
    waiting = select(Envelope.id, Envelope.outer).where(Envelope.poll_id == poll_id)
    envelopes = session.execute(waiting).all()
    # Without the key nothing is decided: the poll stays closing until the keystore is back.
    link_key = keystore.get(key_name(poll_id, "L")) if envelopes else b""
    opened, unreadable = [], []
    for envelope_id, outer in envelopes:
        try:
            opened.append(_Opened(*unwrap_outer(link_key, poll_id.bytes, envelope_id, outer)))
        except Unreadable:
            unreadable.append({"poll_id": poll_id, "id": envelope_id, "outer": outer})
    if unreadable:
        session.execute(insert(QuarantinedEnvelope), unreadable)
    return opened


def _first_free_index(session: Session, poll_id: uuid.UUID) -> int:
    """Where the next entry goes; the definition takes place 0 when the log begins."""
    last = select(func.max(LogEntry.idx)).where(LogEntry.poll_id == poll_id)
    found = session.execute(last).scalar_one_or_none()
    if found is not None:
        return int(found) + 1
    canonical = select(PollDefinition.canonical).where(PollDefinition.poll_id == poll_id)
    digest = hashlib.sha256(session.execute(canonical).scalar_one()).digest()
    session.add(LogEntry(poll_id=poll_id, idx=0, kind=DEFINITION_ENTRY, data=digest))
    session.flush()
    return 1


_INTO_BOX = text(
    f"INSERT INTO {BoxedBallot.__tablename__} (poll_id, idx, sealed)"  # noqa: S608
    " SELECT :poll_id, :first + place - 1, sealed"
    " FROM unnest(CAST(:sealed AS bytea[])) WITH ORDINALITY AS t (sealed, place)"
)
_INTO_LOG = text(
    f"INSERT INTO {LogEntry.__tablename__} (poll_id, idx, kind, data)"  # noqa: S608
    " SELECT :poll_id, :first + place - 1, 1, data"
    " FROM unnest(CAST(:data AS bytea[])) WITH ORDINALITY AS t (data, place)"
)
CHUNK = 10_000


def _append(session: Session, poll_id: uuid.UUID, first: int, ballots: list[_Opened]) -> None:
    for start in range(0, len(ballots), CHUNK):
        chunk = ballots[start : start + CHUNK]
        place = {"poll_id": poll_id, "first": first + start}
        session.execute(_INTO_BOX, place | {"sealed": [ballot.sealed for ballot in chunk]})
        session.execute(_INTO_LOG, place | {"data": [b.tracker + b.c for b in chunk]})
