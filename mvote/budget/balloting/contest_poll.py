"""Which poll asks for which source of a contest."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base
from mvote.budget.cycle import Cycle
from mvote.errors import NotFound
from mvote.polls.poll import Poll, State

GIVEN_UP: tuple[State, ...] = ("cancelled", "voided")
"""After these a source may be asked once more."""


class ContestPoll(Base):
    """The poll of one source of a contest. Insert-only.

    Another one follows only once the one before was cancelled or voided; the last one counts.
    """

    __tablename__ = "contest_poll"
    __table_args__ = (CheckConstraint("n >= 1", name="numbered"), UniqueConstraint("poll_id"))

    cycle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cycle.id"), primary_key=True)
    #: keys of the cycle's definition
    contest: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    #: 1, 2, 3 … in the order of the attempts
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    poll_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("poll.id"))


Asked = tuple[ContestPoll, Poll]


def polls_of_contest(session: Session, *, cycle_id: uuid.UUID, contest: str) -> Sequence[Asked]:
    """The newest poll of each source that was ever asked, in the order of their keys."""
    newest = (
        select(ContestPoll, Poll)
        .join(Poll, Poll.id == ContestPoll.poll_id)
        .where(ContestPoll.cycle_id == cycle_id, ContestPoll.contest == contest)
        .ext(distinct_on(ContestPoll.source))
        .order_by(ContestPoll.source, ContestPoll.n.desc())
    )
    return [(row, poll) for row, poll in session.execute(newest)]


def polls_of_cycle(session: Session, cycle_id: uuid.UUID) -> Sequence[Asked]:
    """Every poll of the cycle, those that were given up, too: by contest, source and attempt."""
    of_it = (
        select(ContestPoll, Poll)
        .join(Poll, Poll.id == ContestPoll.poll_id)
        .where(ContestPoll.cycle_id == cycle_id)
        .order_by(ContestPoll.contest, ContestPoll.source, ContestPoll.n)
    )
    return [(row, poll) for row, poll in session.execute(of_it)]


def contest_in(cycle: Cycle, key: str) -> dict[str, Any]:
    """The contest as the cycle's definition has it. Raises NotFound."""
    for contest in cycle.definition.get("contests") or ():
        if contest["key"] == key:
            return dict(contest)
    raise NotFound
