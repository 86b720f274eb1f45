"""The case of a reported poll: what waits for an officer, whether it is held back, what was said.

Held back means: in no list and no search. The poll stays readable by its id, and voting goes on.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any, Literal, get_args

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, exists, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, state_check
from mvote.errors import ImpossibleTransition, Text
from mvote.people.citizens import hash_check
from mvote.polls.poll import Poll
from mvote.wording import Message, say

Ground = Literal[
    "personal-data", "insult-or-hate", "advertising", "false-pretences", "duplicate", "other"
]
GROUNDS: tuple[Ground, ...] = get_args(Ground)
GROUND_NAMES: dict[str, Message] = {
    "personal-data": say("personal data"),
    "insult-or-hate": say("insult or hate"),
    "advertising": say("advertising"),
    "false-pretences": say("false pretences"),
    "duplicate": say("a duplicate"),
    "other": say("something else"),
}
State = Literal["reported", "held", "released", "kept"]
STATES: tuple[State, ...] = get_args(State)
Decision = Literal["release", "keep"]
DECISIONS: tuple[Decision, ...] = get_args(Decision)
LONGEST_TEXT = 1_000

TRANSITIONS: dict[tuple[State, str], State] = {
    ("reported", "report"): "reported",
    ("held", "report"): "held",
    ("released", "report"): "reported",
    ("kept", "report"): "kept",
    ("reported", "hold"): "held",
    ("reported", "release"): "released",
    ("reported", "keep"): "kept",
    ("held", "expire"): "reported",
    ("held", "release"): "released",
    ("held", "keep"): "kept",
    ("kept", "release"): "released",
}
"""The whole life of a case. The database's trigger `moderation_case_guard` knows the same pairs."""


def after(state: State, verb: str) -> State:
    """The state that *verb* leads to. Raises ImpossibleTransition."""
    try:
        return TRANSITIONS[state, verb]
    except KeyError:
        raise ImpossibleTransition(state=state, verb=verb) from None


class Case(Base):
    """All that was reported of one poll, and where it stands. It begins with the first report."""

    __tablename__ = "moderation_case"
    __table_args__ = (
        state_check("state", STATES),
        CheckConstraint("(state IN ('held', 'kept')) = (held_at IS NOT NULL)", name="held_dated"),
        CheckConstraint(
            "(state IN ('reported', 'held')) = (waiting > 0)", name="waits_with_reports"
        ),
        CheckConstraint("(waiting > 0) = (waiting_since IS NOT NULL)", name="waiting_dated"),
        CheckConstraint("0 <= releases AND releases <= decided", name="releases_decided"),
        CheckConstraint("0 <= spent AND spent <= waiting", name="spent_waits"),
        CheckConstraint("expired >= 0", name="expired_counted"),
        Index(
            "ix_moderation_case_held_at", "held_at", postgresql_where=text("held_at IS NOT NULL")
        ),
    )  # fmt: skip

    poll_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("poll.id"), primary_key=True)
    state: Mapped[State]
    #: reports that no officer has answered
    waiting: Mapped[int]
    #: the hour of the first of them
    waiting_since: Mapped[dt.datetime | None]
    #: since which hour it is held back, or kept out of the lists
    held_at: Mapped[dt.datetime | None]
    decided: Mapped[int] = mapped_column(default=0)
    releases: Mapped[int] = mapped_column(default=0)
    #: of those that wait, so many have held it back already, and do not again
    spent: Mapped[int] = mapped_column(default=0)
    #: how many holds ended by themselves
    expired: Mapped[int] = mapped_column(default=0)

    @property
    def version(self) -> str:
        """What an officer has read: each report that waits changes it, and each decision."""
        return f"{self.decided}.{self.waiting}"

    @property
    def was_left_out(self) -> bool:
        """Whether it is out of the lists, or what waits had held it back until that ended."""
        return self.held_at is not None or self.spent > 0

    @property
    def decided_before(self) -> int:
        """What a report of now keeps: of a poll that is kept out, the last decision answers it."""
        return self.decided - (self.state == "kept")


class Report(Base):
    """One person's report of one poll: by a keyed hash, without a time."""

    __tablename__ = "report"
    __table_args__ = (
        hash_check("reporter"),
        state_check("ground", GROUNDS),
        CheckConstraint("char_length(text) BETWEEN 1 AND 1000", name="text_short"),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("moderation_case.poll_id"), primary_key=True
    )
    reporter: Mapped[bytes] = mapped_column(primary_key=True)
    ground: Mapped[Ground]
    text: Mapped[str | None]
    #: how many decisions there were before the one that answers it
    decided_before: Mapped[int]


class Decided(Base):
    """An officer's decision on all reports that waited then. Insert-only."""

    __tablename__ = "moderation_decision"
    __table_args__ = (
        state_check("decision", DECISIONS),
        CheckConstraint("n >= 1", name="numbered"),
        CheckConstraint("held_at <= at", name="held_before"),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("moderation_case.poll_id"), primary_key=True
    )
    n: Mapped[int] = mapped_column(primary_key=True)
    decision: Mapped[Decision]
    #: told to the author, in the languages the officer wrote it in
    reason: Mapped[Text] = mapped_column(JSONB)
    #: how many reports it answered, by ground
    grounds: Mapped[dict[str, Any]]
    decided_by: Mapped[uuid.UUID]
    at: Mapped[dt.datetime]
    #: since when the poll was held back, if it was
    held_at: Mapped[dt.datetime | None]


def cut_to_hour(instant: dt.datetime) -> dt.datetime:
    """What is kept of when reports came: to the second it would tell who was there then."""
    return instant.replace(minute=0, second=0, microsecond=0)


def may_be_held_back(poll: Poll) -> bool:
    """The city's own polls are never held back; of private ones no list tells anyway."""
    return poll.origin == "citizen" and not poll.is_private


def left_out() -> ColumnElement[bool]:
    """SQL: the poll is held back, or kept out of lists."""
    return exists().where(Case.poll_id == Poll.id, Case.held_at.is_not(None))


def held_since(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dt.datetime]:
    """Those of the polls that are left out of lists, and since when."""
    found = select(Case.poll_id, Case.held_at).where(
        Case.poll_id.in_(ids), Case.held_at.is_not(None)
    )
    return {poll_id: held_at for poll_id, held_at in session.execute(found) if held_at}
