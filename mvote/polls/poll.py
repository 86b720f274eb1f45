"""The poll: one vote in one period, its states, and what is always true of it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal

from sqlalchemy import CheckConstraint, Index, Integer, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, validates

from mvote.base import Base, new_id, state_check, utc_now
from mvote.errors import ImpossibleTransition
from mvote.polls.marks import marks_of

State = Literal["draft", "open", "closing", "closed", "counted", "published", "cancelled", "voided"]
Status = Literal[State, "scheduled"]
STATES: tuple[State, ...] = (
    "draft", "open", "closing", "closed", "counted", "published", "cancelled", "voided",
)  # fmt: skip
STATUSES: tuple[Status, ...] = (*STATES, "scheduled")
Origin = Literal["citizen", "government"]
ORIGINS: tuple[Origin, ...] = ("citizen", "government")
Verb = Literal["open", "cancel", "close", "finish_closing", "count", "publish", "void"]

TRANSITIONS: dict[tuple[State, Verb], State] = {
    ("draft", "open"): "open",
    ("draft", "cancel"): "cancelled",
    ("open", "cancel"): "cancelled",  # only before voting begins
    ("open", "close"): "closing",
    ("closing", "finish_closing"): "closed",
    ("closed", "count"): "counted",
    ("counted", "publish"): "published",
    ("open", "void"): "voided",
    ("closing", "void"): "voided",
    ("closed", "void"): "voided",
    ("counted", "void"): "voided",
}
"""The whole life of a poll. The database's trigger `poll_guard` knows the same pairs."""


def after(state: State, verb: Verb) -> State:
    """The state that *verb* leads to. Raises ImpossibleTransition."""
    try:
        return TRANSITIONS[state, verb]
    except KeyError:
        raise ImpossibleTransition(state=state, verb=verb) from None


class Poll(Base):
    """A poll. `content` is what the author writes; opening freezes it into a definition."""

    __tablename__ = "poll"
    __table_args__ = (
        state_check("state", STATES),
        state_check("origin", ORIGINS),
        CheckConstraint("opens_at < closes_at", name="opens_before_it_closes"),
        CheckConstraint(
            "state IN ('draft', 'cancelled')"
            " OR (frozen_at IS NOT NULL AND opens_at IS NOT NULL AND closes_at IS NOT NULL)",
            name="frozen_with_a_period",
        ),
        CheckConstraint(
            "(state IN ('closing', 'closed', 'counted', 'published')) <= (closed_at IS NOT NULL)",
            name="closed_has_closed_at",
        ),
        CheckConstraint(
            "(state = 'published') = (published_at IS NOT NULL)", name="published_has_published_at"
        ),
        CheckConstraint(
            "(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_has_cancelled_at"
        ),
        Index("ix_poll_author_id_created_at", "author_id", "created_at"),
        Index(
            "ix_poll_title_bigrams",
            "title_bigrams",
            postgresql_using="gin",
            postgresql_where=text("state = 'open' AND NOT is_private"),
        ),
        Index(
            "ix_poll_title_words",
            "title_words",
            postgresql_using="gin",
            postgresql_where=text("state = 'open' AND NOT is_private"),
        ),
        Index("ix_poll_due", "closes_at", postgresql_where=text("state IN ('open', 'closing')")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    author_id: Mapped[uuid.UUID]
    #: the department an officer acts for; empty for a citizen's poll
    department_id: Mapped[uuid.UUID | None]
    origin: Mapped[Origin]
    state: Mapped[State] = mapped_column(default="draft")
    #: found by its room's number and password only, and in no list
    is_private: Mapped[bool] = mapped_column(default=False)
    #: title, question, eligibility, presence … as the API's schema has them
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: what its title is compared by: `mvote.polls.marks`
    title_bigrams: Mapped[list[int]] = mapped_column(
        ARRAY(Integer), default=list, server_default=text("'{}'"), deferred=True
    )
    title_words: Mapped[list[int]] = mapped_column(
        ARRAY(Integer), default=list, server_default=text("'{}'"), deferred=True
    )
    opens_at: Mapped[dt.datetime | None]
    closes_at: Mapped[dt.datetime | None]
    #: grows with every change of a draft; stands in the ETag
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: when the draft was last changed; None: not since it was made
    revised_at: Mapped[dt.datetime | None]
    frozen_at: Mapped[dt.datetime | None]
    #: when casting ended, by the database's clock
    closed_at: Mapped[dt.datetime | None]
    counted_at: Mapped[dt.datetime | None]
    published_at: Mapped[dt.datetime | None]
    cancelled_at: Mapped[dt.datetime | None]

    @validates("content")
    def _index_title(self, _: str, content: dict[str, Any]) -> dict[str, Any]:
        self.title_bigrams, self.title_words = marks_of(content.get("title"))
        return content

    def status_at(self, now: dt.datetime) -> Status:
        """What is shown: the state, and what the clock makes of an open poll."""
        if self.state != "open" or self.opens_at is None or self.closes_at is None:
            return self.state
        if now < self.opens_at:
            return "scheduled"
        return "open" if now < self.closes_at else "closing"

    def closed_by(self, now: dt.datetime) -> dt.datetime | None:
        """When voting ended; None if it has not.

        That is when casting was refused from, not when the shuffler came by to write it down: at
        `closes_at`, or before it if the poll was closed early or voided.
        """
        ends = [end for end in (self.closed_at, self.closes_at) if end]
        has_ended = self.closed_at or self.status_at(now) == "closing"
        return min(ends) if has_ended else None


class PollDefinition(Base):
    """What was frozen at opening: the canonical bytes (RFC 8785) and their SHA-256. Insert-only."""

    __tablename__ = "poll_definition"
    __table_args__ = (CheckConstraint("hash = sha256(canonical)", name="hash_is_of_the_bytes"),)

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    canonical: Mapped[bytes]
    hash: Mapped[bytes]
