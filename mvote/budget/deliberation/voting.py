"""Voting on a proposal: the motion, and how each seat votes. Public at the judgment."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.base import database_time, instant
from mvote.budget.cycle import Cycle
from mvote.budget.deliberation.bodies import Bench, bench_for
from mvote.budget.deliberation.calling_up import check_found_infeasible
from mvote.budget.deliberation.convening import window_of
from mvote.budget.deliberation.counting import body_approved
from mvote.budget.deliberation.errors import OnShortlist, VotingBegan, WindowNotOpen
from mvote.budget.deliberation.judgment import Judgment, JudgmentVote, Motion, SwornIn
from mvote.budget.deliberation.rules import review_of
from mvote.budget.deliberation.shortlist import PulledOut, Shortlist
from mvote.budget.deliberation.taking_part import check_took_no_part
from mvote.budget.judging import Vote
from mvote.budget.looking_up import cycle_of, locked_proposal
from mvote.budget.phases import phase_now, require_phase, require_review
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.interests import seats_held
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.recusing import check_not_recused
from mvote.budget.seat import Seat
from mvote.errors import ImpossibleTransition, NotAllowed, Text, stands_for
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.wording import say

stands_for("judgment_open", lambda: ImpossibleTransition(state="closed", verb="vote"))


@dataclass(frozen=True, kw_only=True)
class JudgmentOpened(Event):
    kind: ClassVar[str] = "judgment:opened"
    judgment_id: uuid.UUID
    committee_id: uuid.UUID
    motion: str


@dataclass(frozen=True, kw_only=True)
class SeatVoted(Event):
    """That a seat voted, not how: nobody reads that before the judgment."""

    kind: ClassVar[str] = "judgment:voted"
    judgment_id: uuid.UUID
    seat_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class Item:
    """A judgment that is under way, who judges, and what is judged."""

    cycle: Cycle
    proposal: Proposal
    judgment: Judgment
    bench: Bench


def vote_on(
    session: Session,
    *,
    proposal_id: uuid.UUID,
    citizen_id: uuid.UUID,
    vote: Vote,
    reason: Text | None,
    around: Neighbourhood,
) -> JudgmentVote:
    """Vote, or vote anew, until the judgment is closed.

    Raises NotFound, NotAllowed, Recused, ImpossibleTransition, PhaseNotOpen, OnShortlist,
    WindowNotOpen, QuorumImpossible.
    """
    item = item_under_way(session, proposal_id=proposal_id, citizen_id=citizen_id, around=around)
    seat = seat_on(session, item, citizen_id, around)
    window = window_of(session, item.bench.committee.id, item.proposal)
    if window is not None and not window.is_open_at(database_time(session)):
        raise WindowNotOpen(starts_at=instant(window.starts_at), ends_at=instant(window.ends_at))
    key = {"judgment_id": item.judgment.id, "seat_id": seat.id}
    said = {"vote": vote, "reason": reason, "at": database_time(session)}
    session.execute(
        insert(JudgmentVote)
        .values(key | said)
        .on_conflict_do_update(index_elements=list(key), set_=said)
    )
    write_down(session, SeatVoted(**key), actor_id=citizen_id, subject_id=proposal_id)
    return session.get_one(JudgmentVote, tuple(key.values()), populate_existing=True)


def seat_on(session: Session, item: Item, citizen_id: uuid.UUID, around: Neighbourhood) -> Seat:
    """The citizen's seat among those who judge. Raises Recused, NotAllowed."""
    seat = item.bench.seat_of(citizen_id)
    if seat is not None:
        return seat
    held = seats_held(session, cycle_id=item.cycle.id, citizen_id=citizen_id)
    check_not_recused(session, proposal=item.proposal, seats=held, around=around)
    if held:
        check_took_no_part(session, item.proposal, citizen_id)
    raise NotAllowed(say("It is judged by others."))


def move_that(
    session: Session,
    *,
    proposal_id: uuid.UUID,
    citizen_id: uuid.UUID,
    motion: Motion,
    missing: Text | None,
    around: Neighbourhood,
) -> Judgment:
    """Put another motion than to approve: to send it back, or to take up what was rejected.

    By any seat that may vote on it, before anybody has voted. Raises VotingBegan beside all that
    `vote_on` does.
    """
    item = item_under_way(
        session, proposal_id=proposal_id, citizen_id=citizen_id, around=around,
        motion=motion, missing=missing,
    )  # fmt: skip
    seat_on(session, item, citizen_id, around)
    return item.judgment


def call_judges(
    session: Session, *, proposal_id: uuid.UUID, by: Citizen, around: Neighbourhood
) -> Item:
    """Say who judges it now, swearing reserves in where that is needed.

    By an officer of the cycle's department, or a member. Raises as voting does.
    """
    item = item_under_way(session, proposal_id=proposal_id, citizen_id=by.id, around=around)
    is_member = seats_held(session, cycle_id=item.cycle.id, citizen_id=by.id)
    if not is_member and item.cycle.department_id not in by.department_ids:
        raise NotAllowed
    return item


def item_under_way(
    session: Session,
    *,
    proposal_id: uuid.UUID,
    citizen_id: uuid.UUID,
    around: Neighbourhood,
    motion: Motion | None = None,
    missing: Text | None = None,
) -> Item:
    """What is judged, locked: the judgment that is open, or a new one of whoever judges it now.

    Where recusals handed the proposal on, what was open is abandoned.
    """
    proposal = locked_proposal(session, proposal_id, citizen_id)
    cycle = cycle_of(session, proposal)
    known = _open_judgment(session, proposal)
    wanted = _wanted(session, cycle, proposal, known, motion)
    check_can_be_judged(session, proposal, wanted)
    bench = bench_for(session, cycle, proposal, wanted, around)
    _check_not_on_list(session, proposal, bench)
    if known is not None and (known.committee_id, known.motion) != (bench.committee.id, wanted):
        _abandon(session, known, by_motion=motion is not None and known.motion != wanted)
        known = None
    judgment = known or _begin(session, proposal, bench, wanted, missing, citizen_id)
    _swear_in(session, judgment, bench)
    return Item(cycle=cycle, proposal=proposal, judgment=judgment, bench=bench)


def _open_judgment(session: Session, proposal: Proposal) -> Judgment | None:
    """What is open, unless the proposal has been elsewhere since."""
    of_it = select(Judgment).where(Judgment.proposal_id == proposal.id, Judgment.state == "open")
    found = session.scalars(of_it.execution_options(populate_existing=True)).one_or_none()
    if found is not None and found.opened_at < proposal.state_since:
        found.state = "abandoned"
        session.flush()
        return None
    return found


def _wanted(
    session: Session,
    cycle: Cycle,
    proposal: Proposal,
    known: Judgment | None,
    moved: Motion | None,
) -> Motion:
    """What is voted on: what a member moves or has moved; else what is due."""
    if moved in ("return", "call_up"):
        return moved
    if moved is None and known is not None and _goes_on(session, proposal, known):
        return known.motion
    return motion_due(session, cycle, proposal)


def _goes_on(session: Session, proposal: Proposal, known: Judgment) -> bool:
    """Whether the vote is on what a member has moved. In balloting nothing is sent back any more:
    such a vote ends, and what is due is voted on, or the contest could never open."""
    if known.motion == "return" and proposal.appealed_at is None:
        return phase_now(session, proposal.cycle_id) != "balloting"
    return known.motion in ("return", "call_up")


def motion_due(session: Session, cycle: Cycle, proposal: Proposal) -> Motion:
    """What is voted on next, if nobody moves anything else."""
    if proposal.state == "appealed":
        return "appeal"
    is_approved = body_approved(session, proposal)
    return "confirm" if is_approved and review_of(cycle).confirm else "approve"


def check_can_be_judged(session: Session, proposal: Proposal, motion: Motion) -> None:
    """See that the motion fits the state, and that it is the time. Raises as it says."""
    fitting = {"call_up": "rejected", "appeal": "appealed"}.get(motion, "under_review")
    state = proposal.state_at(database_time(session))
    if state != fitting:
        raise ImpossibleTransition(state=state, verb="judge" if motion == "approve" else motion)
    if motion == "call_up":
        check_found_infeasible(session, proposal)
    if motion in ("call_up", "return") and proposal.appealed_at is None:
        require_phase(session, proposal.cycle_id, "reviewing")  # for nothing begins anew later
    require_review(session, proposal)


def _check_not_on_list(session: Session, proposal: Proposal, bench: Bench) -> None:
    of_it = (
        select(Shortlist.id)
        .outerjoin(
            PulledOut,
            (PulledOut.shortlist_id == Shortlist.id) & (PulledOut.proposal_id == proposal.id),
        )
        .where(
            Shortlist.committee_id == bench.committee.id,
            Shortlist.state == "open",
            PulledOut.proposal_id.is_(None),
            Shortlist.ranked.contains([proposal.id]) | Shortlist.not_chosen.contains([proposal.id]),
        )
    )
    found = session.scalars(of_it).one_or_none()
    if found is not None:
        raise OnShortlist(shortlist_id=str(found))


def _abandon(session: Session, judgment: Judgment, *, by_motion: bool) -> None:
    """It goes on elsewhere; *by_motion* of a member only while nobody has voted.

    Raises VotingBegan.
    """
    votes = select(JudgmentVote.seat_id).where(JudgmentVote.judgment_id == judgment.id).limit(1)
    if by_motion and session.scalars(votes).one_or_none() is not None:
        raise VotingBegan
    judgment.state = "abandoned"
    session.flush()  # there is never a second one that is open


def _begin(
    session: Session,
    proposal: Proposal,
    bench: Bench,
    motion: Motion,
    missing: Text | None,
    by: uuid.UUID,
) -> Judgment:
    now: dt.datetime = database_time(session)
    judgment = Judgment(
        proposal_id=proposal.id, committee_id=bench.committee.id, motion=motion,
        revision=proposal.revision, missing=missing, opened_at=now,
    )  # fmt: skip
    session.add(judgment)
    session.flush()  # votes refer to it
    event = JudgmentOpened(judgment_id=judgment.id, committee_id=bench.committee.id, motion=motion)
    write_down(session, event, actor_id=by, subject_id=proposal.id)
    return judgment


def _swear_in(session: Session, judgment: Judgment, bench: Bench) -> None:
    for seat_id in bench.sworn_in:
        row = {"judgment_id": judgment.id, "seat_id": seat_id, "at": database_time(session)}
        session.execute(insert(SwornIn).values(row).on_conflict_do_nothing())
