"""The council's amounts, entered by two officers; what is dropped frees money for the reserves."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mvote.approvals import Approval, ask, one_at_a_time
from mvote.base import database_time
from mvote.budget.allocating.cycle_rules import contest_of
from mvote.budget.allocating.model import Contest
from mvote.budget.allocating.moving_up import moving_up
from mvote.budget.allocations import CycleAllocation
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.allocating import blended_by_default, check_deciding
from mvote.budget.deciding.enactment import Enactment, ReserveMove
from mvote.budget.deciding.motion import Motion, ProjectDecision
from mvote.budget.deciding.projects import from_json
from mvote.budget.looking_up import locked_proposals, proposal_known_to
from mvote.budget.proposal import Proposal, after
from mvote.errors import (
    Fault,
    ImpossibleTransition,
    InvalidRequest,
    NotFound,
    Text,
)
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.wording import say

ACT = "proposal:enact"
_ENACT = text("SELECT enact_project(:proposal_id, :approval_id, :by)")


@dataclass(frozen=True, kw_only=True)
class ProjectEnacted(Event):
    kind: ClassVar[str] = "proposal:enacted"
    approval_id: uuid.UUID
    state: str


@dataclass(frozen=True, kw_only=True)
class ReserveMovedUp(Event):
    kind: ClassVar[str] = "proposal:moved_up"
    freed_by: uuid.UUID
    amount: int


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A project that a motion decided on, with what became of it."""

    proposal: Proposal
    decision: ProjectDecision
    enactment: Enactment | None = None
    move: ReserveMove | None = None

    @property
    def funded_amount(self) -> int:
        """What it was given: by the plenary, or when it moved up."""
        return self.move.amount if self.move else self.decision.amount

    @property
    def holds(self) -> int:
        """The money that it has now."""
        if self.proposal.state == "funded":
            return self.funded_amount
        if self.enactment is None or self.proposal.state == "dropped":
            return 0
        return self.enactment.funded_amount  # what the council cut is not given to others


def enact(
    session: Session, *, proposal_id: uuid.UUID, by: Citizen, amount: int, why: Text | None
) -> Approval | None:
    """Enter the council's *amount*, or ask for it: the request that now waits, or None once done.

    0 drops the project, and the reserve list moves up as far as the money goes; less than was
    funded reduces it; either needs a public reason. Raises NotFound,
    ImpossibleTransition, PhaseNotOpen, InvalidRequest.
    """
    proposal = proposal_known_to(session, proposal_id, None)
    one_at_a_time(session, proposal.cycle_id)
    session.refresh(proposal)
    after(proposal.state_at(database_time(session)), "enact")
    check_deciding(session, session.get_one(Cycle, proposal.cycle_id), "deciding", "delivering")
    _check(decided_project(session, proposal), amount, why)
    arguments: dict[str, Any] = {"amount": amount} | ({"text": why} if why else {})
    approval = ask(session, act=ACT, subject_id=proposal_id, arguments=arguments, officer_id=by.id)
    if approval.asked_by == by.id:
        return approval
    _carry_out(session, proposal, approval, by)
    return None


def _check(project: Decided, amount: int, why: Text | None) -> None:
    if amount > project.funded_amount:
        raise InvalidRequest(
            Fault(
                "/amount",
                say("More than was funded: {funded_amount}.", funded_amount=project.funded_amount),
            )
        )
    if amount < project.funded_amount and why is None:
        raise InvalidRequest(Fault(
            "/text", say("Less than was funded needs a public reason."),
        ))  # fmt: skip


def _carry_out(session: Session, proposal: Proposal, approval: Approval, by: Citizen) -> None:
    bound = {"proposal_id": proposal.id, "approval_id": approval.id, "by": by.id}
    is_done = session.execute(_ENACT, bound).scalar_one()
    session.refresh(proposal)
    if not is_done:
        raise ImpossibleTransition(state=proposal.state, verb="enact")
    event = ProjectEnacted(approval_id=approval.id, state=proposal.state)
    write_down(session, event, actor_id=by.id, subject_id=proposal.id)
    if proposal.state == "dropped":
        _move_reserves_up(session, proposal, by)


def decided_project(session: Session, proposal: Proposal) -> Decided:
    """What was decided on a project."""
    return Decided(
        proposal=proposal,
        decision=session.get_one(ProjectDecision, proposal.id),
        enactment=session.get(Enactment, proposal.id),
        move=session.get(ReserveMove, proposal.id),
    )


def decided_projects(session: Session, motion_id: uuid.UUID) -> Sequence[Decided]:
    """All projects that a carried motion decided on, in the published order."""
    rows = (
        select(Proposal, ProjectDecision, Enactment, ReserveMove)
        .join(ProjectDecision, ProjectDecision.proposal_id == Proposal.id)
        .outerjoin(Enactment, Enactment.proposal_id == Proposal.id)
        .outerjoin(ReserveMove, ReserveMove.proposal_id == Proposal.id)
        .where(ProjectDecision.motion_id == motion_id)
        .order_by(ProjectDecision.rank)
    )
    return [
        Decided(proposal=proposal, decision=decision, enactment=enactment, move=move)
        for proposal, decision, enactment, move in session.execute(rows)
    ]


def _move_reserves_up(session: Session, dropped: Proposal, by: Citizen) -> None:
    """Fund reserves, in their published order, as far as the money goes that is left now."""
    motion = session.get_one(Motion, session.get_one(ProjectDecision, dropped.id).motion_id)
    projects = decided_projects(session, motion.id)
    by_reference = {str(each.proposal.reference): each for each in projects}
    made = _contest(session, motion)
    on_ballot = {each.reference: each for each in made.projects}
    moved = moving_up(
        made,
        kept={name: each.holds for name, each in by_reference.items() if each.holds},
        freed=_freed(projects),
        reserves=[on_ballot[n] for n, each in by_reference.items() if _is_reserve(each)],
    )
    locked = locked_proposals(session, [by_reference[each].proposal.id for each in moved])
    now = database_time(session)
    for reference, amount in moved.items():
        proposal = locked[by_reference[reference].proposal.id]
        session.add(
            ReserveMove(proposal_id=proposal.id, freed_by=dropped.id, amount=amount, at=now)
        )
        session.flush()  # its state rests on it
        proposal.move("move_up", now=now)
        event = ReserveMovedUp(freed_by=dropped.id, amount=amount)
        write_down(session, event, actor_id=by.id, subject_id=proposal.id)
    session.flush()


def _contest(session: Session, motion: Motion) -> Contest:
    """The contest as it was allocated, as far as money asks."""
    cycle = session.get_one(Cycle, motion.cycle_id)
    allocated = (motion.cycle_id, motion.contest, motion.allocation_n)
    inputs = session.get_one(CycleAllocation, allocated).document["inputs"]
    return contest_of(
        blended_by_default(cycle.definition),
        motion.contest,
        projects=from_json(inputs["projects"]),
        tallies={},
        seed=b"",
    )


def _freed(projects: Sequence[Decided]) -> int:
    """What was dropped and has not been given to others yet."""
    dropped = sum(each.funded_amount for each in projects if each.proposal.state == "dropped")
    return dropped - sum(each.move.amount for each in projects if each.move)


def _is_reserve(project: Decided) -> bool:
    return project.proposal.state == "reserve"


def enactment_of(session: Session, proposal_id: uuid.UUID) -> tuple[Proposal, Enactment]:
    """A project and what the council made of it. Raises NotFound."""
    proposal = proposal_known_to(session, proposal_id, None)
    found = session.get(Enactment, proposal_id)
    if found is None:
        raise NotFound
    return proposal, found


def moved_up_for(session: Session, proposal_id: uuid.UUID) -> Sequence[Proposal]:
    """The reserves that are funded with the money of a dropped project, in the published order."""
    moved = (
        select(Proposal)
        .join(ReserveMove, ReserveMove.proposal_id == Proposal.id)
        .join(ProjectDecision, ProjectDecision.proposal_id == Proposal.id)
        .where(ReserveMove.freed_by == proposal_id)
    )
    return session.scalars(moved.order_by(ProjectDecision.rank)).all()
