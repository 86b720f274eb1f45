"""Putting a ranked list to the vote: what may stand on it, and what it takes the place of."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.base import database_time
from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.definition import Review
from mvote.budget.deliberation.bodies import Bench, Sitting, bench_for, sitting_on
from mvote.budget.deliberation.convening import check_is_of
from mvote.budget.deliberation.errors import VotingBegan
from mvote.budget.deliberation.filling import approved_by, most_of
from mvote.budget.deliberation.judgment import Motion
from mvote.budget.deliberation.pricing import has_price
from mvote.budget.deliberation.rules import review_of
from mvote.budget.deliberation.shortlist import Shortlist, ShortlistMotion
from mvote.budget.deliberation.shortlisting import list_votes, voting_seat
from mvote.budget.deliberation.voting import motion_due
from mvote.budget.forming import committee_of
from mvote.budget.judging import QuorumImpossible
from mvote.budget.looking_up import locked_proposals
from mvote.budget.phases import REVIEWED, require_phase
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest, NotAllowed
from mvote.journal import Event, write_down
from mvote.wording import say

NOT_ITS = say("This committee does not judge this proposal now.")
AT_NO_PRICE = say("At its assessed price it cannot go onto a ballot.")


@dataclass(frozen=True, kw_only=True)
class ShortlistPut(Event):
    kind: ClassVar[str] = "shortlist:put"
    committee_id: uuid.UUID


def put_list(
    session: Session,
    *,
    committee_id: uuid.UUID,
    citizen_id: uuid.UUID,
    ranked: Sequence[uuid.UUID],
    not_chosen: Sequence[uuid.UUID],
    meeting_id: uuid.UUID | None,
    around: Neighbourhood,
) -> Shortlist:
    """Put a list to the vote, from the chair; the one before is gone, if nobody voted on it.

    Raises NotFound, NotAllowed, PhaseNotOpen, ImpossibleTransition, InvalidRequest, VotingBegan.
    """
    committee = committee_of(session, committee_id)
    cycle = session.get_one(Cycle, committee.cycle_id)
    seat = voting_seat(session, committee, citizen_id)
    if not seat.is_chair:
        raise NotAllowed(say("Who is in the chair puts a list to the vote."))
    listed = locked_proposals(session, [*ranked, *not_chosen])  # before all, as by who votes
    one_at_a_time(session, committee_id)
    require_phase(session, cycle.id, *REVIEWED)
    review = review_of(cycle)
    motion = _motion_of(committee, review)
    if meeting_id is not None:
        check_is_of(session, meeting_id, committee_id)
    faults = [*_not_its(session, cycle, committee, motion, ranked, not_chosen, listed, around)]
    faults += _faults_of_ranking(ranked, not_chosen)
    faults += _too_many(session, review, committee, motion, len(ranked))
    if faults:
        raise InvalidRequest(*faults)
    _abandon_former(session, committee_id)
    shortlist = Shortlist(
        committee_id=committee_id, motion=motion, ranked=list(ranked), not_chosen=list(not_chosen),
        proposed_by=seat.id, meeting_id=meeting_id, opened_at=database_time(session),
    )  # fmt: skip
    session.add(shortlist)
    session.flush()
    event = ShortlistPut(committee_id=committee_id)
    write_down(session, event, actor_id=citizen_id, subject_id=shortlist.id)
    return shortlist


def _motion_of(committee: Committee, review: Review) -> ShortlistMotion:
    """Who confirms votes on lists in any case; the body where the cycle decides by shortlists."""
    if committee.kind == review.confirm and committee.kind != review.body:
        return "confirm"
    if committee.kind != review.body or review.decide.mode != "shortlist":
        raise ImpossibleTransition(state=review.decide.mode, verb="shortlist")
    return "approve"


def _not_its(
    session: Session,
    cycle: Cycle,
    committee: Committee,
    motion: Motion,
    ranked: Sequence[uuid.UUID],
    not_chosen: Sequence[uuid.UUID],
    listed: Mapping[uuid.UUID, Proposal],
    around: Neighbourhood,
) -> Iterator[Fault]:
    """What on the list this committee does not judge now, or not at its price."""
    waiting = [each for each in listed.values() if _is_under_review(cycle, each)]
    sitting = sitting_on(session, cycle, waiting, around)
    places = {each: f"/ranked/{n}" for n, each in enumerate(ranked)}
    places |= {each: f"/not_chosen/{n}" for n, each in enumerate(not_chosen)}
    for each, proposal in listed.items():
        if bench_on(session, cycle, committee, proposal, motion, around, sitting) is None:
            yield Fault(places[each], NOT_ITS)
        elif each in ranked and not has_price(session, proposal):
            yield Fault(places[each], AT_NO_PRICE)


def bench_on(
    session: Session,
    cycle: Cycle,
    committee: Committee,
    proposal: Proposal,
    motion: Motion,
    around: Neighbourhood,
    sitting: Sitting,
) -> Bench | None:
    """Who judges the proposal, which is locked, if it waits for this committee's vote on *motion*;
    else None. What needs reserves, who vote on no list, is judged alone."""
    if not _is_under_review(cycle, proposal):
        return None
    if motion_due(session, cycle, proposal) != motion:
        return None
    try:
        bench = bench_for(session, cycle, proposal, motion, around, sitting=sitting)
    except QuorumImpossible:
        return None
    return None if bench.sworn_in or bench.committee.id != committee.id else bench


def _is_under_review(cycle: Cycle, proposal: Proposal) -> bool:
    return proposal.cycle_id == cycle.id and proposal.state == "under_review"


def _faults_of_ranking(ranked: Sequence[uuid.UUID], not_chosen: Sequence[uuid.UUID]) -> list[Fault]:
    times = Counter([*map(str, ranked), *map(str, not_chosen)])
    repeated = sorted(each for each, number in times.items() if number > 1)
    return [Fault("/ranked", say("{item} is listed twice.", item=each)) for each in repeated]


def _too_many(
    session: Session, review: Review, committee: Committee, motion: Motion, wanted: int
) -> list[Fault]:
    """What the committee approved before counts, too."""
    most = most_of(review, committee) if motion == "approve" else None
    if most is None or wanted <= (room := most - approved_by(session, committee.id)):
        return []
    return [Fault("/ranked", say("Of {most} projects at most {room} more.", most=most, room=room))]


def _abandon_former(session: Session, committee_id: uuid.UUID) -> None:
    former = session.scalars(
        select(Shortlist)
        .where(Shortlist.committee_id == committee_id, Shortlist.state == "open")
        .with_for_update()
    ).one_or_none()
    if former is not None:
        if list_votes(session, former.id):
            raise VotingBegan
        former.state = "abandoned"
        session.flush()  # there is never a second one that is open
