"""Following a cycle: the wish to be told what becomes of it, and the end of that wish."""

from __future__ import annotations

import uuid

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.budget.telling.bulletin import CycleFollower


def follow(session: Session, *, cycle_id: uuid.UUID, citizen_id: uuid.UUID) -> None:
    """Let the citizen be told what becomes of the cycle; whoever is already stays so.

    Anyone may, whether they vote or not. It is in no journal: a time beside it would stand near
    that of a ballot.
    """
    adding = insert(CycleFollower).values(cycle_id=cycle_id, citizen_id=citizen_id)
    session.execute(adding.on_conflict_do_nothing())


def unfollow(session: Session, *, cycle_id: uuid.UUID, citizen_id: uuid.UUID) -> None:
    """Let the citizen be told no more of the cycle; what was told stays in the inbox."""
    mine = (CycleFollower.cycle_id == cycle_id, CycleFollower.citizen_id == citizen_id)
    session.execute(delete(CycleFollower).where(*mine))


def follows(session: Session, *, cycle_id: uuid.UUID, citizen_id: uuid.UUID) -> bool:
    """Whether the citizen is told what becomes of the cycle."""
    return session.get(CycleFollower, (cycle_id, citizen_id)) is not None
