"""Progress: all projects of a cycle that are delivered, each with how far it is and how late."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Interval, and_, literal, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from mvote.base import UtcDateTime
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.enactment import Enactment
from mvote.budget.delivering.update import IN_DELIVERY, ProjectUpdate, city_day
from mvote.budget.proposal import Proposal
from mvote.budget.revision import Revision

FIRST_UPDATE_WITHIN = dt.timedelta(days=90)
"""So long may a department say nothing at all of a project that was enacted."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One project in delivery; *update* is its newest, if there is any."""

    proposal: Proposal
    text: Revision
    update: ProjectUpdate | None
    #: what the council gave, in whole units of the currency
    amount: int | None
    #: since when the city is late: a planned day that has passed, or silence for too long
    overdue_since: dt.date | None


def progress_of(
    session: Session,
    *,
    cycle: Cycle,
    now: dt.datetime,
    only_overdue: bool = False,
    before: uuid.UUID | None = None,
    limit: int = 20,
) -> Sequence[Progress]:
    """What is delivered in the cycle, the newest proposal first, at most so many."""
    newest = newest_update()
    query = (
        select(Proposal, Revision, newest, Enactment.amount)
        .join(
            Revision,
            and_(Revision.proposal_id == Proposal.id, Revision.n == Proposal.revision),
        )
        .outerjoin(newest, newest.proposal_id == Proposal.id)
        .outerjoin(Enactment, Enactment.proposal_id == Proposal.id)
        .where(Proposal.cycle_id == cycle.id, Proposal.state.in_(IN_DELIVERY))
    )
    if only_overdue:
        query = query.where(is_late(newest, city_day(cycle, now), now))
    if before is not None:
        query = query.where(Proposal.id < before)
    found = session.execute(query.order_by(Proposal.id.desc()).limit(limit))
    return [
        Progress(
            proposal=proposal,
            text=text,
            update=update,
            amount=amount,
            overdue_since=_late_since(proposal, update, cycle, now),
        )
        for proposal, text, update, amount in found
    ]


def newest_update() -> type[ProjectUpdate]:
    """The newest update of each project, as a table to join."""
    newest = (
        select(ProjectUpdate)
        .ext(distinct_on(ProjectUpdate.proposal_id))
        .order_by(ProjectUpdate.proposal_id, ProjectUpdate.n.desc())
        .subquery()
    )
    return aliased(ProjectUpdate, newest)


def silent_until() -> ColumnElement[dt.datetime]:
    """When a project must have been spoken of for the first time."""
    return type_coerce(
        Proposal.state_since + literal(FIRST_UPDATE_WITHIN, Interval()), UtcDateTime()
    )


def is_late(newest: type[ProjectUpdate], today: Any, now: Any) -> ColumnElement[bool]:
    """As `_late_since` says; *today* is the day in the city."""
    is_silent = and_(newest.proposal_id.is_(None), silent_until() < now)
    return or_(newest.next_due_on < today, is_silent)


def _late_since(
    proposal: Proposal, update: ProjectUpdate | None, cycle: Cycle, now: dt.datetime
) -> dt.date | None:
    """The first day on which the city is late; None while it is not."""
    if update is None:
        ends = proposal.state_since + FIRST_UPDATE_WITHIN
        return city_day(cycle, ends) if ends < now else None
    due_on = update.next_due_on
    if due_on is None or due_on >= city_day(cycle, now):
        return None
    return due_on + dt.timedelta(days=1)
