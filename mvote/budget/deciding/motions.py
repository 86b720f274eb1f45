"""Laying a motion on an allocation before the plenary, voting on it, withdrawing it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.base import database_time
from mvote.budget.allocating.cycle_rules import contest_of
from mvote.budget.allocations import CycleAllocation, allocation_of
from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.allocating import blended_by_default, check_deciding, struck_since
from mvote.budget.deciding.bodies import deciding_body, voting_seats
from mvote.budget.deciding.errors import AllocationOutdated, MotionPending
from mvote.budget.deciding.motion import Motion, MotionVote
from mvote.budget.deciding.outcomes import Change, Deciding, Outcome, Proposed
from mvote.budget.deciding.projects import from_json
from mvote.budget.deciding.recused import check_may_vote
from mvote.budget.judging import Vote
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.seat import Seat
from mvote.budget.seating import active_seat_of
from mvote.errors import ImpossibleTransition, InvalidRequest, NotAllowed, NotFound, stands_for
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen

stands_for("uq_motion_open", MotionPending)
stands_for("uq_motion_carried", MotionPending)
stands_for("motion_is_open", lambda: ImpossibleTransition(state="judged", verb="vote"))


@dataclass(frozen=True, kw_only=True)
class MotionLaid(Event):
    kind: ClassVar[str] = "motion:laid"
    cycle_id: uuid.UUID
    contest: str


@dataclass(frozen=True, kw_only=True)
class MotionWithdrawn(Event):
    kind: ClassVar[str] = "motion:withdrawn"


def lay(
    session: Session, *, cycle: Cycle, contest: str, changes: Sequence[dict[str, Any]], by: Citizen
) -> Motion:
    """Lay a motion: confirm the allocation of *contest*, but for *changes*.

    Raises NotFound, NotAllowed, PhaseNotOpen, ResultsNotAvailable, AllocationOutdated,
    NoDecidingBody, MotionPending, InvalidRequest with everything that is wrong.
    """
    one_at_a_time(session, cycle.id)
    if cycle.department_id not in by.department_ids:
        raise NotAllowed
    if cycle.state != "running":
        raise ImpossibleTransition(state=cycle.state, verb="decide")
    check_deciding(session, cycle)
    allocation = allocation_of(session, cycle=cycle, contest=contest)
    _, faults = deciding_on(session, cycle, allocation).decided(changes_from(changes))
    if faults:
        raise InvalidRequest(*faults)
    motion = Motion(
        cycle_id=cycle.id,
        contest=contest,
        allocation_n=allocation.n,
        committee_id=deciding_body(session, cycle).id,
        changes=list(changes),
        laid_by=by.id,
        laid_at=database_time(session),
    )
    if _is_pending(session, motion):
        raise MotionPending
    session.add(motion)
    session.flush()  # whoever was quicker has laid one already
    event = MotionLaid(cycle_id=cycle.id, contest=contest)
    write_down(session, event, actor_id=by.id, subject_id=motion.id)
    return motion


def _is_pending(session: Session, motion: Motion) -> bool:
    others = select(Motion.id).where(
        Motion.cycle_id == motion.cycle_id,
        Motion.contest == motion.contest,
        Motion.state.in_(["open", "carried"]),
    )
    return session.scalars(others).first() is not None


def deciding_on(session: Session, cycle: Cycle, allocation: CycleAllocation) -> Deciding:
    """What is decided on. Raises AllocationOutdated if projects were struck since."""
    if struck := struck_since(session, cycle, allocation):
        raise AllocationOutdated(references=struck)
    decision = cycle.definition.get("decision") or {}
    return Deciding(
        contest=contest_of(
            blended_by_default(cycle.definition),
            allocation.contest,
            projects=from_json(allocation.document["inputs"]["projects"]),
            tallies={},
            seed=b"",
        ),
        order=[
            Proposed(reference=each["reference"], code=each["decision"], amount=each["amount"])
            for each in allocation.document["binding"]["projects"]
        ],
        may_deviate=decision.get("may_deviate", "with_reason") == "with_reason",
        reserve_list=decision.get("reserve_list", False),
    )


def changes_from(changes: Sequence[dict[str, Any]]) -> list[Change]:
    """The changes of a motion, as they were sent and are kept."""
    return [
        Change(
            reference=each["reference"],
            verdict=each["decision"],
            amount=each.get("amount"),
            text=each.get("text"),
        )
        for each in changes
    ]


def motion_of(session: Session, motion_id: uuid.UUID, *, lock: bool = False) -> Motion:
    """The motion. Raises NotFound."""
    motion = session.get(Motion, motion_id, with_for_update=lock, populate_existing=lock)
    if motion is None:
        raise NotFound
    return motion


def motions_on(session: Session, *, cycle: Cycle, contest: str) -> Sequence[Motion]:
    """All motions on a contest, the first one first."""
    of_it = select(Motion).where(Motion.cycle_id == cycle.id, Motion.contest == contest)
    return session.scalars(of_it.order_by(Motion.laid_at, Motion.id)).all()


def carried_motion(session: Session, *, cycle: Cycle, contest: str) -> Motion | None:
    """The motion that confirmed the allocation of a contest, if one did."""
    carried = select(Motion).where(
        Motion.cycle_id == cycle.id, Motion.contest == contest, Motion.state == "carried"
    )
    return session.scalars(carried).one_or_none()


def outcomes_of(session: Session, motion: Motion) -> dict[str, Outcome]:
    """What becomes of each project by the motion, in the published order."""
    cycle = session.get_one(Cycle, motion.cycle_id)
    found = session.get_one(CycleAllocation, (motion.cycle_id, motion.contest, motion.allocation_n))
    outcomes, faults = deciding_on(session, cycle, found).decided(changes_from(motion.changes))
    if faults:
        raise InvalidRequest(*faults)
    return outcomes


def vote(
    session: Session, *, motion_id: uuid.UUID, by: Citizen, choice: Vote, around: Neighbourhood
) -> Motion:
    """Record how the caller's seat votes, or votes now.

    Raises NotFound, NotAllowed, Recused, ImpossibleTransition once it is judged or withdrawn.
    """
    motion = motion_of(session, motion_id)
    committee = session.get_one(Committee, motion.committee_id)
    seat = active_seat_of(session, committee, by.id)
    if not seat.has_vote:
        raise NotAllowed
    if motion.state != "open":
        raise ImpossibleTransition(state=motion.state, verb="vote")
    check_may_vote(session, motion=motion, seat=seat, around=around)
    now = database_time(session)
    said = {"motion_id": motion.id, "seat_id": seat.id, "vote": choice, "at": now}
    session.execute(
        insert(MotionVote)
        .values(said)
        .on_conflict_do_update(
            index_elements=["motion_id", "seat_id"], set_={"vote": choice, "at": now}
        )
    )
    return motion


def votes_on(session: Session, motion: Motion) -> Sequence[MotionVote]:
    """How each seat voted."""
    of_it = select(MotionVote).where(MotionVote.motion_id == motion.id)
    return session.scalars(of_it.order_by(MotionVote.seat_id)).all()


def withdraw(session: Session, *, motion_id: uuid.UUID, by: Citizen) -> Motion:
    """Take a motion back that is still open. Raises NotFound, NotAllowed, ImpossibleTransition."""
    motion = motion_of(session, motion_id, lock=True)
    if session.get_one(Cycle, motion.cycle_id).department_id not in by.department_ids:
        raise NotAllowed
    if motion.state != "open":
        raise ImpossibleTransition(state=motion.state, verb="withdraw")
    motion.state = "withdrawn"
    session.flush()
    write_down(session, MotionWithdrawn(), actor_id=by.id, subject_id=motion.id)
    return motion


def entitled_seats(session: Session, motion: Motion) -> list[Seat]:
    """The filled seats with a vote."""
    return voting_seats(session, session.get_one(Committee, motion.committee_id))
