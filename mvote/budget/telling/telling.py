"""Telling: the keeper puts what happened into the inboxes of those whom it concerns.

Not in the transaction of the act itself: whoever moves a proposal with 100,000 supporters does not
wait until all of them are told.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Select, Uuid, exists, literal, select, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.cycle import Cycle
from mvote.budget.delivering.update import newest_updates
from mvote.budget.proposal import Proposal
from mvote.budget.proposal_people import ProposalAuthor, ProposalSupport
from mvote.budget.seat import Seat
from mvote.budget.telling.bulletin import (
    OVERDUE,
    TO_AUTHORS_ALONE,
    TO_FOLLOWERS,
    Bulletin,
    CycleFollower,
    InboxItem,
)
from mvote.budget.telling.overdue import note_overdue
from mvote.people.citizens import Citizen, RoleGrant
from mvote.polls.poll import Poll

AT_ONCE = 1_000
MOST_NAMED = 20
"""So many references a summary names; the count is of all."""
Ids = Select[uuid.UUID]


def tell(session: Session) -> int:
    """Tell what has not been told yet, oldest first; how many bulletins that were."""
    note_overdue(session)
    waiting = (
        select(Bulletin)
        .where(Bulletin.told_at.is_(None))
        .order_by(Bulletin.at, Bulletin.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    found = session.scalars(waiting).all()
    now = database_time(session)
    for bulletin in found:
        _put_into_inboxes(session, bulletin.id, _readers(session, bulletin))
        bulletin.told_at = now
    _sum_up(session, [each for each in found if each.kind in TO_FOLLOWERS], now)
    session.flush()
    return len(found)


def _put_into_inboxes(session: Session, bulletin_id: uuid.UUID, readers: Any) -> None:
    """Whoever deletes their account at this moment is left out, and nobody's telling fails."""
    living = select(Citizen.id, literal(bulletin_id, Uuid())).where(Citizen.id.in_(readers))
    living = living.with_for_update(read=True, key_share=True, of=Citizen)
    putting = insert(InboxItem).from_select(["citizen_id", "bulletin_id"], living)
    session.execute(putting.on_conflict_do_nothing())


def _readers(session: Session, bulletin: Bulletin) -> Any:
    """Whom it concerns, as a query for their ids."""
    if bulletin.poll_id is not None:
        return select(Poll.author_id).where(Poll.id == bulletin.poll_id)
    if bulletin.seat_id is not None:
        return select(Seat.citizen_id).where(Seat.id == bulletin.seat_id)
    if bulletin.proposal_id is None:
        return _followers(bulletin.cycle_id)
    if bulletin.kind in OVERDUE:
        return _officers(session, bulletin)
    authors = select(ProposalAuthor.citizen_id).where(
        ProposalAuthor.proposal_id == bulletin.proposal_id, ProposalAuthor.accepted_at.is_not(None)
    )
    if bulletin.kind in TO_AUTHORS_ALONE:
        return authors
    supporters = select(ProposalSupport.citizen_id).where(
        ProposalSupport.proposal_id == bulletin.proposal_id
    )
    return union(authors, supporters)


def _followers(cycle_id: uuid.UUID | None) -> Ids:
    return select(CycleFollower.citizen_id).where(CycleFollower.cycle_id == cycle_id)


def _officers(session: Session, bulletin: Bulletin) -> Ids:
    """Of the department that is late, and of the one that runs the cycle."""
    proposal = session.get_one(Proposal, bulletin.proposal_id)
    update = newest_updates(session, [proposal.id]).get(proposal.id)
    cycle = session.get_one(Cycle, bulletin.cycle_id)
    departments = {
        update.department_id if update else proposal.department_id,
        cycle.department_id,
    } - {None}
    return select(RoleGrant.citizen_id).where(RoleGrant.department_id.in_(departments))


def _sum_up(session: Session, told: Sequence[Bulletin], now: dt.datetime) -> None:
    """For those who follow a cycle: one bulletin for all that came into one state together."""
    for (cycle_id, kind), group in groupby(sorted(told, key=_alike), key=_alike):
        if not session.scalar(select(exists(_followers(cycle_id)))):
            continue
        ids = {each.proposal_id for each in group}
        named = select(Proposal.reference).where(Proposal.id.in_(ids)).order_by(Proposal.number)
        references = [str(each) for each in session.scalars(named.limit(MOST_NAMED))]
        summary = Bulletin(
            kind=kind,
            cycle_id=cycle_id,
            facts={"count": len(ids), "references": references},
            at=now,
            told_at=now,
        )
        session.add(summary)
        session.flush()  # the inboxes refer to it
        _put_into_inboxes(session, summary.id, _followers(cycle_id))


def _alike(bulletin: Bulletin) -> tuple[uuid.UUID | None, Any]:
    return bulletin.cycle_id, bulletin.kind
