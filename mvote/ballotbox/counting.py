"""Counting: every ballot is unsealed, checked against its entry in the log, and added up.

The counter sees box and log only. What it finds is a statement; whether that is published is
decided by the accounting, which the database computes.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.sealing import Unreadable, commitment, unseal
from mvote.ballotbox.stock import sealing_key_name
from mvote.ballotbox.tables import BoxedBallot, LogEntry, Result
from mvote.ballotbox.vectors import NoVector, marks_in
from mvote.polls.definition import (
    SMALLEST_FULL_RECORDS,
    FrozenPoll,
    Question,
    canonical,
    read_definition,
)
from mvote.polls.poll import Poll, PollDefinition

FETCH = 5_000


@dataclass
class Count:
    """What unsealing the box gave."""

    vectors: list[bytes] = field(default_factory=list)
    entries: int = 0
    unopenable: int = 0


def polls_to_count(session: Session) -> list[uuid.UUID]:
    """Polls that are closed and not yet counted."""
    return list(session.scalars(select(Poll.id).where(Poll.state == "closed")))


def count_poll(session: Session, keystore: Keystore, poll_id: uuid.UUID) -> bool:
    """Count a closed poll and publish it if the accounting holds; whether it was published."""
    content = select(PollDefinition.canonical).where(PollDefinition.poll_id == poll_id)
    poll = read_definition(session.execute(content).scalar_one())
    private = X25519PrivateKey.from_private_bytes(keystore.get(sealing_key_name(poll.sealing_key)))
    count = _unseal_all(session, poll, private)
    count.vectors.sort()
    _write_records(session, poll_id, count.vectors)
    # plain INSERT: the counter may write results, not read them back
    session.execute(insert(Result.__table__).values(_result(session, poll, count)))  # type: ignore[arg-type]
    published: bool = session.execute(_FINISH, {"poll_id": poll_id}).scalar_one()
    return published


_FINISH = text("SELECT finish_counting(:poll_id)")
_PARTICIPATIONS = text("SELECT participation_count(:poll_id)")
_QUARANTINED = text("SELECT quarantined_count(:poll_id)")


def _unseal_all(session: Session, poll: FrozenPoll, private: X25519PrivateKey) -> Count:
    count = Count()
    for sealed, data in _ballots(session, poll.poll_id):
        count.entries += 1
        vector = _checked_vector(poll, private, sealed, data)
        if vector is None:
            count.unopenable += 1
        else:
            count.vectors.append(vector)
    return count


def _ballots(session: Session, poll_id: uuid.UUID) -> Iterator[tuple[bytes | None, bytes]]:
    """Each ballot entry of the log with the sealed ballot at its place, if there is one."""
    together = (
        select(BoxedBallot.sealed, LogEntry.data)
        .select_from(LogEntry)
        .outerjoin(
            BoxedBallot,
            (BoxedBallot.poll_id == LogEntry.poll_id) & (BoxedBallot.idx == LogEntry.idx),
        )
        .where(LogEntry.poll_id == poll_id, LogEntry.kind == 1)
        .order_by(LogEntry.idx)
        .execution_options(yield_per=FETCH)
    )
    yield from session.execute(together)


def _checked_vector(
    poll: FrozenPoll, private: X25519PrivateKey, sealed: bytes | None, data: bytes
) -> bytes | None:
    """The vector of a ballot that is what its entry says; None for one that is not."""
    if sealed is None:
        return None
    try:
        ballot = unseal(private, sealed)
        marks_in(poll.question, ballot.vector)
    except (Unreadable, NoVector):
        return None
    c = commitment(poll.P, ballot.tracker, ballot.salt, ballot.vector)
    return ballot.vector if ballot.tracker + c == data else None


def _write_records(session: Session, poll_id: uuid.UUID, vectors: list[bytes]) -> None:
    for start in range(0, len(vectors), FETCH):
        chunk = vectors[start : start + FETCH]
        session.execute(_INTO_RECORD, {"poll_id": poll_id, "start": start, "vectors": chunk})


_INTO_RECORD = text(
    "INSERT INTO record (poll_id, j, vector) SELECT :poll_id, :start + place - 1, vector"
    " FROM unnest(CAST(:vectors AS bytea[])) WITH ORDINALITY AS t (vector, place)"
)


def _result(session: Session, poll: FrozenPoll, count: Count) -> dict[str, Any]:
    here = {"poll_id": poll.poll_id}
    participations = session.execute(_PARTICIPATIONS, here).scalar_one()
    quarantined = session.execute(_QUARANTINED, here).scalar_one()
    figures = {
        "participations": participations,
        "entries": count.entries,
        "records": len(count.vectors),
        "quarantined": quarantined,
        "unopenable": count.unopenable,
    }
    public = _records_public(poll, len(count.vectors))
    statement = _statement(poll, count, figures, records_public=public)
    return (
        here
        | figures
        | {
            "statement": canonical(statement),
            "records_public": public,
        }
    )


def _statement(
    poll: FrozenPoll, count: Count, figures: dict[str, int], *, records_public: bool
) -> dict[str, Any]:
    """What the counter attests. Totals only if enough ballots came to hide each voter in.

    The records' hash stands beside public records only: of few ballots with few options all
    possible lists could be tried until one gives the hash.
    """
    counted = count_marks(poll.question, count.vectors)
    statement: dict[str, Any] = {
        "format": "mvote-statement/1",
        "poll_id": str(poll.poll_id),
        "definition_hash": poll.hash.hex(),
        **figures,
        "valid": len(count.vectors) - counted.blank,
        "blank": counted.blank,
        "spoilt": 0,
        "program_hash": program_hash(),
        "too_few": len(count.vectors) < poll.publish_from,
    }
    if statement["too_few"]:
        del statement["valid"], statement["blank"]
    else:
        statement["totals"] = dict(zip(poll.question.options, counted.totals, strict=True))
    if records_public:
        statement["records_hash"] = records_hash(count.vectors)
    return statement


@dataclass(frozen=True)
class Tally:
    """Totals in the order of the options, and how many ballots mark none."""

    totals: tuple[int, ...]
    blank: int


def count_marks(question: Question, vectors: Iterable[bytes]) -> Tally:
    """Add up the marks of *vectors*; equal ballots are added up together."""
    totals = [0] * len(question.options)
    blank = 0
    for vector, ballots in Counter(vectors).items():
        marks = marks_in(question, vector)
        blank += ballots * (not any(marks))
        for place, mark in enumerate(marks):
            totals[place] += ballots * mark
    return Tally(tuple(totals), blank)


def records_hash(vectors: Iterable[bytes]) -> str:
    """SHA-256 over the sorted records, each with its length before it."""
    digest = hashlib.sha256(b"mvote/records/1\x00")
    for vector in vectors:
        digest.update(len(vector).to_bytes(2, "big") + vector)
    return digest.hexdigest()


def program_hash() -> str:
    """SHA-256 over the source of the counting program, file by file."""
    digest = hashlib.sha256()
    for name in ("counting.py", "sealing.py", "vectors.py", "notation.py"):
        digest.update(name.encode() + b"\x00" + (Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()


def _records_public(poll: FrozenPoll, ballots: int) -> bool:
    """Vectors are shown if frozen so, if enough came, and never few unusual ones."""
    several_marks = poll.question.max_selections > 1
    least = SMALLEST_FULL_RECORDS if several_marks else 0
    return poll.records == "full" and ballots >= max(poll.publish_from, least)
