"""The chair counts the recorded votes on a motion; a carried one decides on every project."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.base import database_time
from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.allocating import check_deciding
from mvote.budget.deciding.bodies import majority_of, names_of
from mvote.budget.deciding.motion import Motion, ProjectDecision
from mvote.budget.deciding.motions import entitled_seats, motion_of, outcomes_of, votes_on
from mvote.budget.deciding.outcomes import Outcome, Verdict
from mvote.budget.deciding.recused import recused_from
from mvote.budget.deliberation.errors import QuorumNotReached
from mvote.budget.judging import Ballots, Body, Judgment, Majority, impossible, judge
from mvote.budget.looking_up import locked_proposals
from mvote.budget.proposal import Proposal, Verb
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.seating import active_seat_of
from mvote.errors import ImpossibleTransition, NotAllowed
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen

VERBS: dict[Verdict, Verb] = {
    "funded": "fund",
    "reserve": "put_on_reserve",
    "not_funded": "not_fund",
}


@dataclass(frozen=True, kw_only=True)
class MotionJudged(Event):
    kind: ClassVar[str] = "motion:judged"
    carried: bool


def judge_motion(
    session: Session, *, motion_id: uuid.UUID, by: Citizen, around: Neighbourhood
) -> Motion:
    """Count the votes and close the motion; if it is carried, every project is decided on.

    The chair decides when the vote is over, from the quorum on: a motion is put in the assembly,
    where everybody is heard, and no rule of a cycle gives it a window as an item voted on online
    has one (`closing`). Who had not voted is public with the roll.

    Raises NotFound, NotAllowed (only the chair), ImpossibleTransition, PhaseNotOpen,
    QuorumNotReached, QuorumImpossible where too few sit to reach it, AllocationOutdated.
    """
    found = motion_of(session, motion_id)
    _check_chair(session, found, by)
    one_at_a_time(session, found.cycle_id)
    motion = motion_of(session, motion_id, lock=True)
    if motion.state != "open":
        raise ImpossibleTransition(state=motion.state, verb="judge")
    check_deciding(session, session.get_one(Cycle, motion.cycle_id))
    outcomes = outcomes_of(session, motion)
    judgment = _counted(session, motion, around)
    motion.judged_at = database_time(session)  # asked first: the rest is written at once
    motion.judged_by, motion.entitled = by.id, judgment.entitled
    motion.yes, motion.no, motion.abstain = judgment.yes, judgment.no, judgment.abstain
    motion.state = "carried" if judgment.carried else "lost"
    session.flush()  # what follows rests on a carried motion
    if judgment.carried:
        _decide(session, motion, outcomes)
    event = MotionJudged(carried=judgment.carried)
    write_down(session, event, actor_id=by.id, subject_id=motion.id)
    return motion


def _check_chair(session: Session, motion: Motion, by: Citizen) -> None:
    committee = session.get_one(Committee, motion.committee_id)
    if not active_seat_of(session, committee, by.id).is_chair:
        raise NotAllowed


def _counted(session: Session, motion: Motion, around: Neighbourhood) -> Judgment:
    majority = majority_of(session.get_one(Cycle, motion.cycle_id))
    seats = entitled_seats(session, motion)
    ballots = Ballots(
        filled=names_of(seats),
        recused=recused_from(session, motion=motion, seats=seats, around=around),
        votes={str(each.seat_id): each.vote for each in votes_on(session, motion)},
    )
    judgment = judge(ballots, majority)
    if not judgment.enough_seats:
        body = Body(key=str(motion.committee_id), filled=ballots.filled)
        raise impossible([body], majority, ballots.recused)
    if not judgment.quorate:
        raise QuorumNotReached(
            entitled=judgment.entitled,
            present=judgment.present,
            needed=_needed(judgment.entitled, majority),
            not_voted=[
                {"number": each.number, "pseudonym": each.pseudonym}
                for each in seats
                if str(each.id) in ballots.entitled - ballots.votes.keys()
            ],
        )
    return judgment


def _needed(entitled: int, majority: Majority) -> int:
    """How many must take part: more than q of the entitled."""
    return int(entitled * majority.quorum) + 1


def _decide(session: Session, motion: Motion, outcomes: dict[str, Outcome]) -> None:
    of_them = select(Proposal.id).where(
        Proposal.cycle_id == motion.cycle_id, Proposal.reference.in_(outcomes)
    )
    proposals = locked_proposals(session, session.scalars(of_them).all())
    by_reference = {str(each.reference): each for each in proposals.values()}
    for rank, outcome in enumerate(outcomes.values(), 1):
        session.add(ProjectDecision(
            proposal_id=by_reference[outcome.reference].id,
            motion_id=motion.id,
            rank=rank,
            decision=outcome.verdict,
            amount=outcome.amount,
            deviates=outcome.deviates,
            text=outcome.text,
        ))  # fmt: skip
    session.flush()  # the states of the projects rest on it
    now = database_time(session)
    for outcome in outcomes.values():
        by_reference[outcome.reference].move(VERBS[outcome.verdict], now=now)
    session.flush()
