"""Convening: calling a committee together, its attendance, its minutes, its online windows."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.base import database_time
from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.deliberation.meeting import AgendaItem, Form, Meeting
from mvote.budget.forming import committee_of
from mvote.budget.proposal import Proposal
from mvote.budget.seating import active_seats
from mvote.errors import (
    Fault,
    ImpossibleTransition,
    InvalidRequest,
    NotAllowed,
    NotFound,
    Text,
)
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.wording import say

AHEAD = say("It must lie ahead.")


@dataclass(frozen=True, kw_only=True)
class MeetingCalled(Event):
    kind: ClassVar[str] = "meeting:called"
    committee_id: uuid.UUID
    form: str
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class MeetingCalledOff(Event):
    kind: ClassVar[str] = "meeting:called_off"
    reason: dict[str, str]


def call_meeting(
    session: Session,
    *,
    committee_id: uuid.UUID,
    by: Citizen,
    form: Form,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    place: Text | None,
    agenda: Sequence[dict[str, Any]],
) -> Meeting:
    """Call a committee together, by its chair or by an officer of the cycle's department.

    Raises NotFound, NotAllowed, InvalidRequest.
    """
    committee = _run_by(session, committee_id, by)
    if ends_at <= database_time(session):
        raise InvalidRequest(Fault("/ends_at", AHEAD))
    _check_agenda(session, committee, agenda)
    meeting = Meeting(
        committee_id=committee_id, form=form, starts_at=starts_at, ends_at=ends_at, place=place,
        called_by=by.id, called_at=database_time(session),
    )  # fmt: skip
    session.add(meeting)
    session.flush()  # its agenda refers to it
    session.add_all(
        AgendaItem(meeting_id=meeting.id, n=n, **item) for n, item in enumerate(agenda, 1)
    )
    session.flush()
    event = MeetingCalled(
        committee_id=committee_id, form=form, starts_at=starts_at, ends_at=ends_at
    )
    write_down(session, event, actor_id=by.id, subject_id=meeting.id)
    return meeting


def _run_by(session: Session, committee_id: uuid.UUID, by: Citizen) -> Committee:
    """The committee, if the citizen is in its chair or of its cycle's department."""
    committee = committee_of(session, committee_id)
    cycle = session.get_one(Cycle, committee.cycle_id)
    is_in_chair = any(
        seat.is_chair and seat.citizen_id == by.id for seat in active_seats(session, committee)
    )
    if not is_in_chair and cycle.department_id not in by.department_ids:
        raise NotAllowed
    return committee


def _check_agenda(session: Session, committee: Committee, agenda: Sequence[dict[str, Any]]) -> None:
    """See that it names submitted proposals of the cycle."""
    wanted = {item["proposal_id"] for item in agenda if item["proposal_id"] is not None}
    known = select(Proposal.id).where(
        Proposal.id.in_(wanted),
        Proposal.cycle_id == committee.cycle_id,
        Proposal.reference.is_not(None),
    )
    found = set(session.scalars(known))
    faults = [
        Fault(
            f"/agenda/{n}/proposal_id",
            say("There is no such proposal in this cycle."),
        )
        for n, item in enumerate(agenda)
        if item["proposal_id"] is not None and item["proposal_id"] not in found
    ]
    if faults:
        raise InvalidRequest(*faults)


def meeting_of(session: Session, meeting_id: uuid.UUID) -> Meeting:
    """The meeting. Raises NotFound."""
    found = session.get(Meeting, meeting_id, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def own_meeting(session: Session, meeting_id: uuid.UUID, by: Citizen) -> Meeting:
    """The meeting, alone with whoever else acts on it. Raises NotFound, NotAllowed."""
    one_at_a_time(session, meeting_id)
    meeting = meeting_of(session, meeting_id)
    _run_by(session, meeting.committee_id, by)
    return meeting


def call_off(session: Session, *, meeting_id: uuid.UUID, by: Citizen, reason: Text) -> Meeting:
    """Call it off, before it has begun. Raises NotFound, NotAllowed, ImpossibleTransition."""
    meeting = own_meeting(session, meeting_id, by)
    now = database_time(session)
    if meeting.called_off_at is not None or meeting.starts_at <= now:
        state = "called_off" if meeting.called_off_at else "begun"
        raise ImpossibleTransition(state=state, verb="call_off")
    meeting.called_off_at, meeting.why_called_off = now, reason
    session.flush()
    write_down(session, MeetingCalledOff(reason=reason), actor_id=by.id, subject_id=meeting_id)
    return meeting


def agenda_of(session: Session, meeting_id: uuid.UUID) -> Sequence[AgendaItem]:
    """What it is about, in its order."""
    of_it = select(AgendaItem).where(AgendaItem.meeting_id == meeting_id)
    return session.scalars(of_it.order_by(AgendaItem.n)).all()


def meetings_of(
    session: Session, committee_id: uuid.UUID, *, before: uuid.UUID | None, limit: int
) -> Sequence[Meeting]:
    """Up to *limit* meetings of a committee, the last called first."""
    of_it = select(Meeting).where(Meeting.committee_id == committee_id)
    if before is not None:
        of_it = of_it.where(Meeting.id < before)
    return session.scalars(of_it.order_by(Meeting.id.desc()).limit(limit)).all()


def window_of(session: Session, committee_id: uuid.UUID, proposal: Proposal) -> Meeting | None:
    """The online window in which the committee votes on the proposal, unless it was over before the
    proposal came to be judged: the open one that ends last, so that nobody shortens it by calling
    another; else the last that was called.
    """
    now = func.clock_timestamp()
    ends_at = case((and_(Meeting.starts_at <= now, now < Meeting.ends_at), Meeting.ends_at))
    of_it = (
        select(Meeting)
        .join(AgendaItem, AgendaItem.meeting_id == Meeting.id)
        .where(
            Meeting.committee_id == committee_id,
            Meeting.form == "online",
            Meeting.called_off_at.is_(None),
            AgendaItem.proposal_id == proposal.id,
            Meeting.ends_at > proposal.state_since,
        )
    )
    open_first = of_it.order_by(ends_at.desc().nulls_last(), Meeting.id.desc())
    return session.scalars(open_first.limit(1)).one_or_none()


def check_is_of(session: Session, meeting_id: uuid.UUID, committee_id: uuid.UUID) -> None:
    """See that this meeting is the committee's, and not called off. Raises InvalidRequest."""
    counted = select(func.count()).where(
        Meeting.id == meeting_id,
        Meeting.committee_id == committee_id,
        Meeting.called_off_at.is_(None),
    )
    if not session.scalars(counted).one():
        raise InvalidRequest(Fault(
            "/meeting_id",
            say("The committee that judges has called no such meeting."),
        ))  # fmt: skip
