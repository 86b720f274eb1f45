"""An update: what a department says of an enacted project, once, and never otherwise."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, select
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, utc_now
from mvote.budget.cycle import Cycle
from mvote.budget.proposal import State
from mvote.budget.revision import DEAREST

IN_DELIVERY: tuple[State, ...] = ("enacted", "reduced")
"""What there are updates of."""
FINISHED = 100


class ProjectUpdate(Base):
    """How far a project is, the whole of it: the newest counts. Insert-only.

    What was wrong is put right by a new one that says which it corrects.
    """

    __tablename__ = "project_update"
    __table_args__ = (
        CheckConstraint("corrects BETWEEN 1 AND n - 1", name="corrects_an_earlier_one"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent_in_range"),
        CheckConstraint(f"spent BETWEEN 0 AND {DEAREST}", name="spent_in_range"),
        CheckConstraint(
            "percent < 100 OR next_due_on IS NULL", name="delivered_when_all_is_done"
        ),
    )  # fmt: skip

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    #: 1, 2, 3 … of this project
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    corrects: Mapped[int | None]
    #: who delivers it from now on
    department_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("department.id"))
    #: `{"ko": …, "en": …}`
    text: Mapped[dict[str, Any]] = mapped_column(JSONB)
    percent: Mapped[int]
    #: won, all that was spent on it so far
    spent: Mapped[int] = mapped_column(BigInteger)
    #: `[{"title": {"ko": …}, "planned_on": date, "done_on": date | null}]`
    milestones: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    #: `[{"sha256": …, "alt": {"ko": …}}]`
    pictures: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    #: the earliest day that was planned for something not done yet
    next_due_on: Mapped[dt.date | None]
    by: Mapped[uuid.UUID]
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)


def city_day(cycle: Cycle, now: dt.datetime) -> dt.date:
    """The day in the city."""
    return now.astimezone(ZoneInfo(cycle.time_zone)).date()


def updates_of(
    session: Session, proposal_id: uuid.UUID, *, before: int | None, limit: int
) -> Sequence[ProjectUpdate]:
    """The updates of a project, the newest first."""
    of_it = select(ProjectUpdate).where(ProjectUpdate.proposal_id == proposal_id)
    if before is not None:
        of_it = of_it.where(ProjectUpdate.n < before)
    return session.scalars(of_it.order_by(ProjectUpdate.n.desc()).limit(limit)).all()


def newest_updates(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, ProjectUpdate]:
    """The newest update of each of the projects that has any."""
    newest = (
        select(ProjectUpdate)
        .ext(distinct_on(ProjectUpdate.proposal_id))
        .where(ProjectUpdate.proposal_id.in_(list(ids)))
        .order_by(ProjectUpdate.proposal_id, ProjectUpdate.n.desc())
    )
    return {update.proposal_id: update for update in session.scalars(newest)}


def corrections_of(session: Session, proposal_id: uuid.UUID) -> dict[int, list[int]]:
    """By the number of each update that was corrected: the numbers of its corrections."""
    pairs = select(ProjectUpdate.corrects, ProjectUpdate.n).where(
        ProjectUpdate.proposal_id == proposal_id, ProjectUpdate.corrects.is_not(None)
    )
    found: dict[int, list[int]] = {}
    for corrected, n in session.execute(pairs.order_by(ProjectUpdate.n)):
        found.setdefault(corrected or 0, []).append(n)
    return found
