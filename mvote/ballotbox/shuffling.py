"""Shuffling: envelopes lose their outer layer and their order, and become entries of the log.

While a poll is open a batch is taken as soon as 2k envelopes wait, and k of them, drawn at random,
stay for the next one; the rest follows after closing. A batch is one transaction: whoever is killed
in it has done nothing. No lock that casting waits for is held.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.log import BALLOT_ENTRY, CHUNK, append, is_ours
from mvote.ballotbox.poll_keys import key_name
from mvote.ballotbox.sealing import Unreadable, unwrap_outer
from mvote.ballotbox.tables import BoxedBallot, Envelope, QuarantinedEnvelope
from mvote.polls.definition import read_definition
from mvote.polls.poll import Poll, PollDefinition

LARGEST_BATCH = 100_000
"""So many envelopes are held in memory, and not more but k."""

Row = tuple[uuid.UUID, bytes]
"""An envelope: (id, outer)."""

_CLOSE = text("SELECT close_poll(:poll_id)")
_FINISH = text("SELECT finish_closing(:poll_id)")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one transaction of shuffling has done."""

    #: so many ballots are in box and log now
    ballots: int
    #: so many envelopes must follow in further batches at once
    waiting: int


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


def shuffle(
    session: Session, keystore: Keystore, poll_id: uuid.UUID, *, largest: int = LARGEST_BATCH
) -> Batch | None:
    """Shuffle one batch of the poll, if one is due, and close a closing poll with its last one.

    A batch takes *largest* envelopes at most, drawn at random. None if another shuffler is at this
    poll. Raises KeyMissing without the link key; nothing is changed then.
    """
    if not is_ours(session, poll_id):
        return None
    state = session.scalars(select(Poll.state).where(Poll.id == poll_id)).one()
    match state:
        case "open":
            taken = _take_but_k(session, poll_id, largest)
        case "closing" | "voided":
            taken = _take_all(session, poll_id, largest)
        case _:
            return Batch(ballots=0, waiting=0)
    batch = _shuffle(session, keystore, poll_id, *taken)
    if state == "closing" and not batch.waiting:
        append(session, log_id=poll_id, entries=[])  # a poll without ballots has a log, too
        session.execute(_FINISH, {"poll_id": poll_id})
    return batch


def _take_but_k(session: Session, poll_id: uuid.UUID, largest: int) -> tuple[list[Row], int]:
    """All that wait in an open poll but a random k, and how many more must follow."""
    waiting = envelopes_waiting(session, poll_id)
    k = _k_of(session, poll_id)
    if waiting < 2 * k:
        return [], 0
    if waiting > largest + k:
        return _draw(session, poll_id, largest), waiting - largest
    rows = _draw(session, poll_id, waiting)
    return secrets.SystemRandom().sample(rows, len(rows) - k), 0


def _take_all(session: Session, poll_id: uuid.UUID, largest: int) -> tuple[list[Row], int]:
    """What waits in a poll that takes no more, or an even part of it: no batch is a small rest."""
    waiting = envelopes_waiting(session, poll_id)
    batches = -(-waiting // largest)
    rows = _draw(session, poll_id, -(-waiting // batches)) if batches else []
    return rows, waiting - len(rows)


def _draw(session: Session, poll_id: uuid.UUID, count: int) -> list[Row]:
    """So many envelopes, from a random place on in the order of their ids, which are random."""
    place = uuid.UUID(bytes=secrets.token_bytes(16))
    wanted = (
        select(Envelope.id, Envelope.outer)
        .where(Envelope.poll_id == poll_id)
        .order_by(Envelope.id)
        .limit(count)
    )
    rows = session.execute(wanted.where(Envelope.id >= place)).all()
    rest = wanted.where(Envelope.id < place).limit(count - len(rows))
    return [*rows, *session.execute(rest)]


def envelopes_waiting(session: Session, poll_id: uuid.UUID) -> int:
    """How many envelopes of the poll wait to be shuffled."""
    count = select(func.count()).where(Envelope.poll_id == poll_id)
    return session.execute(count).scalar_one()


def _k_of(session: Session, poll_id: uuid.UUID) -> int:
    canonical = select(PollDefinition.canonical).where(PollDefinition.poll_id == poll_id)
    return read_definition(session.execute(canonical).scalar_one()).k


def _shuffle(
    session: Session, keystore: Keystore, poll_id: uuid.UUID, rows: list[Row], waiting: int
) -> Batch:
    """Open, sort, put into box and log, and away with exactly these envelopes."""
    if not rows:
        return Batch(ballots=0, waiting=waiting)
    opened = _open(session, keystore, poll_id, rows)
    opened.sort(key=lambda ballot: ballot.tracker)
    entries = [(BALLOT_ENTRY, ballot.tracker + ballot.c) for ballot in opened]
    size = append(session, log_id=poll_id, entries=entries).size
    _put_into_box(session, poll_id, size - len(opened), [ballot.sealed for ballot in opened])
    _remove(session, poll_id, [envelope_id for envelope_id, _ in rows])
    return Batch(ballots=len(opened), waiting=waiting)


def _open(
    session: Session, keystore: Keystore, poll_id: uuid.UUID, rows: list[Row]
) -> list[_Opened]:
    # Without the key nothing is decided: the envelopes wait until the keystore is back.
    link_key = keystore.get(key_name(poll_id, "L"))
    opened, unreadable = [], []
    for envelope_id, outer in rows:
        try:
            opened.append(_Opened(*unwrap_outer(link_key, poll_id.bytes, envelope_id, outer)))
        except Unreadable:
            unreadable.append({"poll_id": poll_id, "id": envelope_id, "outer": outer})
    if unreadable:
        session.execute(insert(QuarantinedEnvelope), unreadable)
    return opened


_INTO_BOX = text(
    f"INSERT INTO {BoxedBallot.__tablename__} (poll_id, idx, sealed)"  # noqa: S608
    " SELECT :poll_id, :first + place - 1, sealed"
    " FROM unnest(CAST(:sealed AS bytea[])) WITH ORDINALITY AS t (sealed, place)"
)
_REMOVE = text(
    f"DELETE FROM {Envelope.__tablename__}"  # noqa: S608
    " WHERE poll_id = :poll_id AND id = ANY (CAST(:ids AS uuid[]))"
)


def _put_into_box(
    session: Session, poll_id: uuid.UUID, first: int, sealed: Sequence[bytes]
) -> None:
    for start in range(0, len(sealed), CHUNK):
        place = {"poll_id": poll_id, "first": first + start}
        session.execute(_INTO_BOX, place | {"sealed": sealed[start : start + CHUNK]})


def _remove(session: Session, poll_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> None:
    for start in range(0, len(ids), CHUNK):
        session.execute(_REMOVE, {"poll_id": poll_id, "ids": ids[start : start + CHUNK]})
