"""Closing a list: for each project the one vote is counted without whoever is recused from it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.base import database_time, instant
from mvote.budget.cycle import Cycle
from mvote.budget.deliberation.bodies import Bench, sitting_on
from mvote.budget.deliberation.closing import check_opinions, record, too_few
from mvote.budget.deliberation.convening import meeting_of
from mvote.budget.deliberation.counting import ballots
from mvote.budget.deliberation.errors import WindowNotOver
from mvote.budget.deliberation.following import follow
from mvote.budget.deliberation.judgment import Judgment, JudgmentVote, Motion
from mvote.budget.deliberation.listing import bench_on
from mvote.budget.deliberation.pricing import has_price
from mvote.budget.deliberation.rules import review_of, rule_of_review
from mvote.budget.deliberation.shortlist import Shortlist, ShortlistVote
from mvote.budget.deliberation.shortlisting import (
    list_votes,
    pulled_out_of,
    shortlist_of,
    voting_seat,
)
from mvote.budget.forming import committee_of
from mvote.budget.judging import judge
from mvote.budget.looking_up import locked_proposals
from mvote.budget.phases import REVIEWED, require_phase
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.seat import Seat
from mvote.budget.seating import active_seats
from mvote.errors import NotAllowed, NotFound
from mvote.journal import Event, write_down
from mvote.wording import say


@dataclass(frozen=True, kw_only=True)
class ShortlistClosed(Event):
    kind: ClassVar[str] = "shortlist:closed"
    carried: bool


@dataclass(frozen=True, kw_only=True)
class _Vote:
    """One recorded vote on many projects."""

    cycle: Cycle
    shortlist: Shortlist
    chair: Seat
    votes: Sequence[ShortlistVote]
    around: Neighbourhood

    def motion_for(self, proposal: Proposal) -> Motion:
        return self.shortlist.motion if proposal.id in self.shortlist.ranked else "reject"


def close_list(
    session: Session, *, shortlist_id: uuid.UUID, citizen_id: uuid.UUID, around: Neighbourhood
) -> Shortlist:
    """Count the vote on a list, from the chair.

    Carried, it approves (or confirms) what is ranked and rejects what was not chosen; but only
    projects whose own count, without their recused, is carried, too. All others, and those pulled
    out, are judged alone. Raises NotFound, NotAllowed, ImpossibleTransition, PhaseNotOpen,
    WindowNotOver, OpinionsMissing, QuorumNotReached.
    """
    known = session.get(Shortlist, shortlist_id)
    if known is None:
        raise NotFound
    committee = committee_of(session, known.committee_id)
    chair = voting_seat(session, committee, citizen_id)
    if not chair.is_chair:
        raise NotAllowed(say("Who is in the chair closes the vote."))
    # in the order in which another list is put to the vote: neither waits for the other
    locked_proposals(session, [*known.ranked, *known.not_chosen])
    one_at_a_time(session, committee.id)
    shortlist = shortlist_of(session, shortlist_id, alone=True)
    require_phase(session, committee.cycle_id, *REVIEWED)
    cycle, votes = session.get_one(Cycle, committee.cycle_id), list_votes(session, shortlist_id)
    seats = [seat for seat in active_seats(session, committee) if seat.has_vote]
    _check_window(session, shortlist, seats, votes)
    review = review_of(cycle)
    how = {each.seat_id: each.vote for each in votes}
    count = judge(ballots([seat.id for seat in seats], [], how), rule_of_review(review))
    if not count.quorate:
        raise too_few(seats, review, count, how.keys())
    if count.carried:
        vote = _Vote(cycle=cycle, shortlist=shortlist, chair=chair, votes=votes, around=around)
        _judge_together(session, vote)
    now = database_time(session)
    shortlist.state, shortlist.carried = "closed", count.carried
    shortlist.closed_at, shortlist.closed_by = now, chair.id
    shortlist.roll = [seat.id for seat in seats]
    shortlist.yes, shortlist.no, shortlist.abstain = count.yes, count.no, count.abstain
    session.flush()
    event = ShortlistClosed(carried=count.carried)
    write_down(session, event, actor_id=citizen_id, subject_id=shortlist_id)
    return shortlist


def _check_window(
    session: Session, shortlist: Shortlist, seats: Sequence[Seat], votes: Sequence[ShortlistVote]
) -> None:
    meeting = meeting_of(session, shortlist.meeting_id) if shortlist.meeting_id else None
    if meeting is None or meeting.form != "online" or meeting.called_off_at is not None:
        return
    missing = {seat.id for seat in seats} - {each.seat_id for each in votes}
    if missing and meeting.ends_at > database_time(session):
        raise WindowNotOver(ends_at=instant(meeting.ends_at))


def _judge_together(session: Session, vote: _Vote) -> None:
    apart = {each.proposal_id for each in pulled_out_of(session, vote.shortlist.id)}
    listed = [*vote.shortlist.ranked, *vote.shortlist.not_chosen]
    together = [each for each in listed if each not in apart]
    if not together:
        return
    locked = locked_proposals(session, together).values()
    sitting = sitting_on(session, vote.cycle, locked, vote.around)
    committee = committee_of(session, vote.shortlist.committee_id)
    motion: Motion = vote.shortlist.motion
    for proposal in locked:
        bench = bench_on(session, vote.cycle, committee, proposal, motion, vote.around, sitting)
        if bench is not None:
            _judge_one(session, vote, proposal, bench)


def _judge_one(session: Session, vote: _Vote, proposal: Proposal, bench: Bench) -> None:
    """Write the project's own judgment, if the vote carries it."""
    review = review_of(vote.cycle)
    counted = [each for each in vote.votes if each.seat_id in bench.seats]
    how = {each.seat_id: each.vote for each in counted}
    count = judge(ballots([*bench.seats], [], how), rule_of_review(review))
    may_be_approved = proposal.id not in vote.shortlist.ranked or has_price(session, proposal)
    if not count.carried or not may_be_approved:
        return
    judgment = Judgment(
        proposal_id=proposal.id, committee_id=bench.committee.id,
        motion=vote.motion_for(proposal), revision=proposal.revision,
        shortlist_id=vote.shortlist.id, meeting_id=vote.shortlist.meeting_id,
        opened_at=vote.shortlist.opened_at,
    )  # fmt: skip
    if vote.shortlist.motion == "approve":
        check_opinions(session, proposal.id, bench, review)
    _end_what_is_open(session, proposal)
    session.add(judgment)
    session.flush()  # votes refer to it
    session.execute(insert(JudgmentVote), [
        {"judgment_id": judgment.id, "seat_id": each.seat_id, "vote": each.vote,
         "reason": each.reason, "at": each.at}
        for each in counted
    ])  # fmt: skip
    record(session, judgment, count, roll=[*bench.seats], chair=vote.chair)
    follow(session, vote.cycle, proposal, judgment, is_carried=True)


def _end_what_is_open(session: Session, proposal: Proposal) -> None:
    """Votes that were cast before it was put on the list are moot."""
    of_it = select(Judgment).where(Judgment.proposal_id == proposal.id, Judgment.state == "open")
    for judgment in session.scalars(of_it):
        judgment.state = "abandoned"
    session.flush()
