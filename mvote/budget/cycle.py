"""A cycle: one year of participatory budget. Its rules are data, never code."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, Literal, get_args

import orjson
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    FetchedValue,
    ForeignKey,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, new_id, state_check, utc_now

State = Literal["draft", "running", "imported"]
STATES: tuple[State, ...] = get_args(State)

Status = Literal["draft", "scheduled", "running", "closed", "imported"]
"""What is shown: the state, and what the clock makes of a running cycle."""
STATUSES: tuple[Status, ...] = get_args(Status)

PhaseKind = Literal["proposing", "assessing", "reviewing", "balloting", "deciding", "delivering"]
PHASE_KINDS: tuple[PhaseKind, ...] = get_args(PhaseKind)
"""The steps of a cycle, in the only order in which they may follow each other."""


class Cycle(Base):
    """A cycle. `definition` is the whole of its rules, as JSON; the database derives the rest.

    While it is a draft, its department changes it. Once it runs, nothing of it changes but dates
    that lie ahead, and those only by two officers (`move_cycle`). What was imported was held
    elsewhere: it has no phases, and nothing of it ever changes.
    """

    __tablename__ = "cycle"
    __table_args__ = (
        state_check("state", STATES),
        CheckConstraint(
            "(state = 'running') = (started_at IS NOT NULL)", name="running_has_started_at"
        ),
        CheckConstraint(
            "COALESCE(jsonb_typeof(definition -> 'phases'), '') = 'array'",
            name="definition_has_phases",
        ),
        CheckConstraint(
            "state = 'imported' OR (currency IS NOT NULL AND budget_year IS NOT NULL)",
            name="planned_in_full",
        ),
        CheckConstraint("version > 0", name="version_counts"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    author_id: Mapped[uuid.UUID]
    #: the department that runs it; empty if an administrator brought it in
    department_id: Mapped[uuid.UUID | None]
    state: Mapped[State] = mapped_column(default="draft")
    #: grows with every change
    version: Mapped[int] = mapped_column(default=1)
    #: headings, phases, contests …: see `mvote.budget.definition`
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    title: Mapped[dict[str, Any]] = mapped_column(
        JSONB, Computed("(definition -> 'title'::text)", persisted=True)
    )
    #: ISO 4217; None if an imported file names none
    currency: Mapped[str | None] = mapped_column(
        Computed("(definition ->> 'currency'::text)", persisted=True)
    )
    #: the year in which the money is spent; None if an imported file names none
    budget_year: Mapped[int | None] = mapped_column(
        Computed("((definition ->> 'budget_year'::text))::integer", persisted=True)
    )
    #: in whole units of the currency (imported: in its smallest unit); None: the vote only ranks
    budget_limit: Mapped[int | None] = mapped_column(
        BigInteger,
        Computed("((definition ->> 'budget_limit'::text))::bigint", persisted=True),
    )
    #: the city's, when the cycle was made
    time_zone: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: when the definition was frozen, by the database's clock
    started_at: Mapped[dt.datetime | None] = mapped_column(server_onupdate=FetchedValue())

    def status_at(self, now: dt.datetime) -> Status:
        """What is shown at *now*."""
        if self.state != "running":
            return self.state
        phases = self.definition["phases"]
        if now < min(dt.datetime.fromisoformat(phase["opens_at"]) for phase in phases):
            return "scheduled"
        ends = max(dt.datetime.fromisoformat(phase["closes_at"]) for phase in phases)
        return "running" if now < ends else "closed"

    def phase_at(self, now: dt.datetime) -> PhaseKind | None:
        """The phase that is open at *now*; None between phases, and while it is a draft."""
        if self.state != "running":
            return None
        for phase in self.definition["phases"]:
            opens_at, closes_at = map(
                dt.datetime.fromisoformat, (phase["opens_at"], phase["closes_at"])
            )
            if opens_at <= now < closes_at:
                found: PhaseKind = phase["kind"]
                return found
        return None


class CyclePhase(Base):
    """One dated step of a cycle, half open: [opens_at, closes_at).

    Written by the database alone, from the cycle's definition, whenever that changes.
    """

    __tablename__ = "cycle_phase"
    __table_args__ = (
        state_check("kind", PHASE_KINDS),
        CheckConstraint("opens_at < closes_at", name="opens_before_it_closes"),
        ExcludeConstraint(
            ("cycle_id", "="),
            (literal_column("tstzrange(opens_at, closes_at)"), "&&"),
            using="gist",
            name="ex_cycle_phase_one_at_a_time",
        ),
    )

    cycle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cycle.id"), primary_key=True)
    kind: Mapped[PhaseKind] = mapped_column(primary_key=True)
    opens_at: Mapped[dt.datetime]
    closes_at: Mapped[dt.datetime]


class CycleNotice(Base):
    """What was done to a running cycle beside its plan, said in public. Insert-only."""

    __tablename__ = "cycle_notice"
    __table_args__ = (CheckConstraint("n >= 0", name="numbered"),)

    cycle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cycle.id"), primary_key=True)
    #: 0, 1, 2 … in the order of the acts
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: canonical JSON (RFC 8785), `mvote-cycle-notice/1`
    content: Mapped[bytes]

    @property
    def document(self) -> dict[str, Any]:
        """The content, read."""
        found: dict[str, Any] = orjson.loads(self.content)
        return found


def cycle_notices(session: Session, cycle_id: uuid.UUID) -> Sequence[CycleNotice]:
    """All notices of the cycle, in their order."""
    told = select(CycleNotice).where(CycleNotice.cycle_id == cycle_id).order_by(CycleNotice.n)
    return session.scalars(told).all()
