"""A ranked list in one recorded vote: put by the chair, pulled out of by members, voted on."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.base import database_time, instant
from mvote.budget.committee import Committee
from mvote.budget.deliberation.convening import meeting_of
from mvote.budget.deliberation.errors import WindowNotOpen
from mvote.budget.deliberation.shortlist import (
    PulledOut,
    Shortlist,
    ShortlistVote,
)
from mvote.budget.forming import committee_of
from mvote.budget.judging import Vote
from mvote.budget.phases import REVIEWED, require_phase
from mvote.budget.reviewing.errors import Recused
from mvote.budget.reviewing.recusing import recused_seats
from mvote.budget.seat import Seat
from mvote.budget.seating import active_seats
from mvote.errors import (
    Fault,
    ImpossibleTransition,
    InvalidRequest,
    NotAllowed,
    NotFound,
    Text,
    stands_for,
)
from mvote.journal import Event, write_down
from mvote.wording import say

stands_for("shortlist_open", lambda: ImpossibleTransition(state="closed", verb="vote"))


@dataclass(frozen=True, kw_only=True)
class ProposalPulledOut(Event):
    kind: ClassVar[str] = "shortlist:pulled_out"
    proposal_id: uuid.UUID
    seat_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class ListVoted(Event):
    """That a seat voted, not how."""

    kind: ClassVar[str] = "shortlist:voted"
    seat_id: uuid.UUID


def voting_seat(session: Session, committee: Committee, citizen_id: uuid.UUID) -> Seat:
    """The citizen's seat with a vote in the committee. Raises NotAllowed."""
    for seat in active_seats(session, committee):
        if seat.citizen_id == citizen_id and seat.has_vote:
            return seat
    raise NotAllowed


def shortlist_of(session: Session, shortlist_id: uuid.UUID, *, alone: bool) -> Shortlist:
    """The list; open and locked against its closing, or *alone* for closing it. Raises NotFound,
    ImpossibleTransition."""
    of_it = select(Shortlist).where(Shortlist.id == shortlist_id)
    locked = of_it.with_for_update(read=not alone).execution_options(populate_existing=True)
    found = session.scalars(locked).one_or_none()
    if found is None:
        raise NotFound
    if found.state != "open":
        raise ImpossibleTransition(state=found.state, verb="vote")
    return found


def pull_out(
    session: Session,
    *,
    shortlist_id: uuid.UUID,
    citizen_id: uuid.UUID,
    proposal_id: uuid.UUID,
    reason: Text | None,
) -> Shortlist:
    """Have a project of the list judged alone; any member may, who is not recused from it.

    Raises NotFound, NotAllowed, Recused, ImpossibleTransition, InvalidRequest.
    """
    shortlist = shortlist_of(session, shortlist_id, alone=False)
    committee = committee_of(session, shortlist.committee_id)
    seat = voting_seat(session, committee, citizen_id)
    if proposal_id not in [*shortlist.ranked, *shortlist.not_chosen]:
        raise InvalidRequest(Fault(
            "/proposal_id", say("It is not on the list.")
        ))  # fmt: skip
    if seat.id in recused_seats(session, proposal_id):
        raise Recused
    row = {"shortlist_id": shortlist_id, "proposal_id": proposal_id, "seat_id": seat.id,
           "reason": reason, "at": database_time(session)}  # fmt: skip
    adding = insert(PulledOut).values(row).on_conflict_do_nothing().returning(PulledOut.at)
    if session.scalar(adding) is not None:
        event = ProposalPulledOut(proposal_id=proposal_id, seat_id=seat.id)
        write_down(session, event, actor_id=citizen_id, subject_id=shortlist_id)
    return shortlist


def vote_on_list(
    session: Session,
    *,
    shortlist_id: uuid.UUID,
    citizen_id: uuid.UUID,
    vote: Vote,
    reason: Text | None,
) -> ShortlistVote:
    """Vote on the whole list, or vote anew, until it is closed.

    For projects from which the member is recused the vote does not count. Raises NotFound,
    NotAllowed, ImpossibleTransition, PhaseNotOpen, WindowNotOpen.
    """
    shortlist = shortlist_of(session, shortlist_id, alone=False)
    committee = committee_of(session, shortlist.committee_id)
    seat = voting_seat(session, committee, citizen_id)
    require_phase(session, committee.cycle_id, *REVIEWED)
    _check_window(session, shortlist)
    key = {"shortlist_id": shortlist_id, "seat_id": seat.id}
    said = {"vote": vote, "reason": reason, "at": database_time(session)}
    session.execute(
        insert(ShortlistVote)
        .values(key | said)
        .on_conflict_do_update(index_elements=list(key), set_=said)
    )
    write_down(session, ListVoted(seat_id=seat.id), actor_id=citizen_id, subject_id=shortlist_id)
    return session.get_one(ShortlistVote, tuple(key.values()), populate_existing=True)


def _check_window(session: Session, shortlist: Shortlist) -> None:
    if shortlist.meeting_id is None:
        return
    meeting = meeting_of(session, shortlist.meeting_id)
    if meeting.form == "online" and not meeting.is_open_at(database_time(session)):
        raise WindowNotOpen(starts_at=instant(meeting.starts_at), ends_at=instant(meeting.ends_at))


def list_votes(session: Session, shortlist_id: uuid.UUID) -> Sequence[ShortlistVote]:
    """How each seat votes on the list."""
    of_it = select(ShortlistVote).where(ShortlistVote.shortlist_id == shortlist_id)
    return session.scalars(of_it.execution_options(populate_existing=True)).all()


def pulled_out_of(session: Session, shortlist_id: uuid.UUID) -> Sequence[PulledOut]:
    """What members have pulled out, in that order."""
    of_it = select(PulledOut).where(PulledOut.shortlist_id == shortlist_id)
    return session.scalars(of_it.order_by(PulledOut.at, PulledOut.proposal_id)).all()


def shortlists_of(session: Session, committee_id: uuid.UUID) -> Sequence[Shortlist]:
    """All lists of a committee, in the order in which they were put."""
    of_it = select(Shortlist).where(Shortlist.committee_id == committee_id)
    return session.scalars(of_it.order_by(Shortlist.id)).all()
