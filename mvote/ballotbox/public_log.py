"""What anybody may read of a log: as much as its newest signed checkpoint holds."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.ballotbox import log
from mvote.ballotbox.log_tables import Checkpoint, Cosignature
from mvote.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class Inclusion:
    """That an entry is in the log, and where."""

    index: int
    size: int
    root: bytes
    proof: Sequence[bytes]


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """That the log of one size begins with the log of a smaller one."""

    old: int
    new: int
    old_root: bytes
    new_root: bytes
    proof: Sequence[bytes]


@dataclass(frozen=True, kw_only=True)
class LoggedBallot:
    """A ballot's entry (tracker ‖ C) under the newest signed checkpoint: never what was chosen."""

    data: bytes
    inclusion: Inclusion
    note: str


def newest(session: Session, log_id: uuid.UUID) -> Checkpoint:
    """The newest signed checkpoint. Raises NotFound before there is one."""
    checkpoint = log.signed_checkpoint(session, log_id)
    if checkpoint is None:
        raise NotFound
    return checkpoint


def note_of(session: Session, checkpoint: Checkpoint) -> str:
    """The signed note, followed by the lines of the witnesses that have seen it."""
    wanted = (
        select(Cosignature.line)
        .where(Cosignature.poll_id == checkpoint.poll_id, Cosignature.size == checkpoint.size)
        .order_by(Cosignature.witness)
    )
    lines = [f"{line.rstrip()}\n" for line in session.scalars(wanted)]
    return (checkpoint.note or "") + "".join(lines)


def inclusion_of(session: Session, log_id: uuid.UUID, *, index: int, size: int) -> Inclusion:
    """The proof for the entry at *index* in the log of *size*; both lie within the log."""
    return Inclusion(
        index=index,
        size=size,
        root=log.root_at(session, log_id, size),
        proof=log.inclusion(session, log_id, index=index, size=size),
    )


def consistency_of(session: Session, log_id: uuid.UUID, *, old: int, new: int) -> Consistency:
    """The proof that the log of *new* extends that of *old*; both lie within the log."""
    return Consistency(
        old=old,
        new=new,
        old_root=log.root_at(session, log_id, old),
        new_root=log.root_at(session, log_id, new),
        proof=log.consistency(session, log_id, old=old, new=new),
    )


def logged_ballot(session: Session, poll_id: uuid.UUID, tracker: bytes) -> LoggedBallot:
    """The ballot with this tracker. Raises NotFound until a signed checkpoint holds it."""
    checkpoint = newest(session, poll_id)
    found = log.find_ballot(session, poll_id, tracker)
    if found is None or found[0] >= checkpoint.size:
        raise NotFound
    index, data = found
    return LoggedBallot(
        data=data,
        inclusion=inclusion_of(session, poll_id, index=index, size=checkpoint.size),
        note=note_of(session, checkpoint),
    )
