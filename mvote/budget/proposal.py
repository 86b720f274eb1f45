"""The proposal: a project idea of citizens, its states, and what is always true of it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, new_id, state_check, utc_now
from mvote.errors import ImpossibleTransition

State = Literal[
    "draft", "submitted", "returned", "lapsed", "assessed", "under_review", "approved", "rejected",
    "appealed", "withdrawn", "merged", "split", "on_ballot", "struck", "funded", "reserve",
    "not_funded", "enacted", "reduced", "dropped",
]  # fmt: skip
STATES: tuple[State, ...] = (
    "draft", "submitted", "returned", "lapsed", "assessed", "under_review", "approved", "rejected",
    "appealed", "withdrawn", "merged", "split", "on_ballot", "struck", "funded", "reserve",
    "not_funded", "enacted", "reduced", "dropped",
)  # fmt: skip
Verb = Literal[
    "submit", "return", "lapse", "assess", "review", "approve", "reject", "call_up", "appeal",
    "withdraw", "merge", "split", "freeze", "strike", "fund", "put_on_reserve", "not_fund",
    "move_up", "enact", "reduce", "drop", "recount",
]  # fmt: skip

BEFORE_THE_FREEZE: tuple[State, ...] = (
    "submitted", "returned", "assessed", "under_review", "approved",
)  # fmt: skip
ENDED: tuple[State, ...] = (
    "lapsed", "rejected", "withdrawn", "reserve", "not_funded", "dropped",
)  # fmt: skip
"""From here an idea may be carried over into a later cycle."""

TRANSITIONS: dict[tuple[State, Verb], State] = {
    ("draft", "submit"): "submitted",
    ("draft", "withdraw"): "withdrawn",
    ("submitted", "return"): "returned",
    ("returned", "submit"): "submitted",  # as a new revision
    ("returned", "lapse"): "lapsed",
    ("submitted", "assess"): "assessed",
    ("assessed", "review"): "under_review",  # only what was found feasible
    ("assessed", "reject"): "rejected",  # only what was found infeasible
    ("rejected", "call_up"): "under_review",
    ("under_review", "approve"): "approved",
    ("under_review", "reject"): "rejected",
    ("under_review", "return"): "returned",
    # votes that did not count, as a recusal found later shows; the new count decides at once
    ("approved", "recount"): "under_review",
    ("rejected", "recount"): "under_review",
    ("rejected", "appeal"): "appealed",  # once
    ("appealed", "review"): "under_review",
    ("appealed", "reject"): "rejected",
    **{(state, "withdraw"): "withdrawn" for state in BEFORE_THE_FREEZE},
    **{(state, "merge"): "merged" for state in BEFORE_THE_FREEZE},
    **{(state, "split"): "split" for state in BEFORE_THE_FREEZE},
    ("approved", "freeze"): "on_ballot",
    ("on_ballot", "strike"): "struck",
    ("on_ballot", "fund"): "funded",
    ("on_ballot", "put_on_reserve"): "reserve",
    ("on_ballot", "not_fund"): "not_funded",
    ("reserve", "move_up"): "funded",
    ("funded", "enact"): "enacted",
    ("funded", "reduce"): "reduced",
    ("funded", "drop"): "dropped",
}
"""The whole life of a proposal. The database's trigger `proposal_guard` knows the same pairs."""


def after(state: State, verb: Verb) -> State:
    """The state that *verb* leads to. Raises ImpossibleTransition."""
    try:
        return TRANSITIONS[state, verb]
    except KeyError:
        raise ImpossibleTransition(state=state, verb=verb) from None


class Proposal(Base):
    """A proposal in one cycle. What it says stands in its revisions."""

    __tablename__ = "proposal"
    __table_args__ = (
        state_check("state", STATES),
        CheckConstraint(
            "state IN ('draft', 'withdrawn')"
            " OR (reference IS NOT NULL AND revision IS NOT NULL AND submitted_at IS NOT NULL)",
            name="submitted_whole",
        ),
        CheckConstraint("state <> 'draft' OR reference IS NULL", name="draft_without_reference"),
        CheckConstraint("number IS NULL OR reference IS NOT NULL", name="numbered_in_reference"),
        CheckConstraint("(state = 'merged') = (merged_into IS NOT NULL)", name="merged_into_one"),
        CheckConstraint("merged_into <> id", name="merged_into_another"),
        CheckConstraint(
            "state NOT IN ('returned', 'appealed') OR due_at IS NOT NULL", name="waits_until"
        ),
        CheckConstraint("state <> 'appealed' OR appealed_at IS NOT NULL", name="appealed_at_set"),
        UniqueConstraint("cycle_id", "reference"),
        UniqueConstraint("cycle_id", "number"),
        Index("ix_proposal_cycle_id_state", "cycle_id", "state"),
        Index("ix_proposal_state_due_at", "state", "due_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    cycle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cycle.id"))
    #: what people quote; in an imported cycle exactly as its file has it. Empty for a draft
    reference: Mapped[str | None]
    #: 1, 2, 3 … in the order of first submission within the cycle
    number: Mapped[int | None]
    state: Mapped[State] = mapped_column(default="draft")
    #: the revision that counts: the last that was submitted
    revision: Mapped[int | None]
    #: who checks it; set by the first officer who takes it
    department_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("department.id"))
    #: what the present state waits for must have happened by then
    due_at: Mapped[dt.datetime | None]
    #: grows with every change; whoever changes a proposal says what they have read
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: the first time
    submitted_at: Mapped[dt.datetime | None]
    #: since when it is in its present state
    state_since: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: an author may appeal once
    appealed_at: Mapped[dt.datetime | None]
    carried_from: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("proposal.id"))
    split_from: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("proposal.id"))
    merged_into: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("proposal.id"))

    def state_at(self, now: dt.datetime) -> State:
        """What is shown: a returned proposal whose time has run out has lapsed, worker or not."""
        is_late = self.due_at is not None and self.due_at <= now
        return "lapsed" if self.state == "returned" and is_late else self.state

    def is_overdue_at(self, now: dt.datetime) -> bool:
        """Whether the city, not the author, is late: with its assessment or with an appeal."""
        is_late = self.due_at is not None and self.due_at <= now
        return is_late and self.state in ("submitted", "appealed")

    def move(self, verb: Verb, *, now: dt.datetime, due_at: dt.datetime | None = None) -> None:
        """Do *verb*; *due_at*: until when the new state may last. Raises ImpossibleTransition."""
        self.state = after(self.state if verb == "lapse" else self.state_at(now), verb)
        self.state_since = now
        self.due_at = due_at
        self.version += 1
