"""Allocations: worked out by the frozen rule, shown with their reasons and what followed."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, request
from sqlalchemy.orm import Session

from api.access import access, caller, caller_id
from api.blueprint import Blueprint, may_raise
from api.budget.allocation_schemas import AllocationSchema, ContestQuery
from api.budget.deciding.choosing import chosen_contest
from api.budget.deciding.schemas import WithoutResultRequest
from api.db import db, reading, transaction
from api.etags import tagged
from api.idempotency import answered_once, idempotent, takes_a_key
from api.wiring import wiring
from mvote.base import instant
from mvote.budget.allocating.errors import AllocationImpossible, SourceMissing, TooMuchWork
from mvote.budget.allocations import CycleAllocation, allocation_of
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.allocating import WorkedOut, work_out, write_allocation
from mvote.budget.deciding.counted_comparison import comparisons_beside
from mvote.budget.deciding.enacting import Decided, decided_projects
from mvote.budget.deciding.errors import AlreadyAllocated, MotionPending
from mvote.budget.deciding.motions import carried_motion
from mvote.budget.deciding.without_result import lay_open
from mvote.budget.errors import PhaseNotOpen
from mvote.budget.planning import cycle_of, own_cycle
from mvote.errors import DomainError, ImpossibleTransition, NotAllowed
from mvote.polls.errors import ResultsNotAvailable

blp = Blueprint("allocations", "allocations", description="Who is funded, and why.")


@blp.get("/cycles/<uuid:cycle_id>/allocation")
@access("public")
@may_raise(ResultsNotAvailable)
@blp.arguments(ContestQuery, location="query")
@blp.response(200, AllocationSchema)
@blp.alt_response(304, description="Not modified")
def show_allocation(query: dict[str, Any], cycle_id: uuid.UUID) -> Response:
    """Who is funded by the binding rule and why, and what other rules would have given.

    Once the plenary has confirmed it, `decisions` says what became of each project.
    """
    session = db.session()
    cycle = cycle_of(session, cycle_id)
    contest = chosen_contest(cycle, query["contest"])
    return tagged(_shown(session, cycle, allocation_of(session, cycle=cycle, contest=contest)))


@blp.post("/cycles/<uuid:cycle_id>/allocation")
@access("officer")
@may_raise(
    NotAllowed, ImpossibleTransition, PhaseNotOpen, ResultsNotAvailable, SourceMissing,
    AllocationImpossible, TooMuchWork, AlreadyAllocated, MotionPending,
)  # fmt: skip
@takes_a_key
@blp.arguments(ContestQuery, location="query")
@blp.response(201, AllocationSchema)
def allocate_a_contest(query: dict[str, Any], cycle_id: uuid.UUID) -> Response:
    """Give out the money of a contest by its frozen rule, once all its sources are released.

    It is a proposal: the plenary confirms it. It is worked out anew only where a project was
    struck since.
    """
    officer = caller()
    found = _worked_out(cycle_id, query["contest"], officer.department_ids)
    db.session().close()  # its transaction is over: working it out may have taken long
    return answered_once(request.get_data(), lambda: _written(cycle_id, found))


@blp.post("/cycles/<uuid:cycle_id>/allocation/without-result")
@access("officer")
@may_raise(
    NotAllowed, ImpossibleTransition, PhaseNotOpen, ResultsNotAvailable, AllocationImpossible,
    AlreadyAllocated, MotionPending,
)  # fmt: skip
@idempotent
@blp.arguments(ContestQuery, location="query")
@blp.arguments(WithoutResultRequest)
@blp.response(201, AllocationSchema)
def lay_open_without_result(
    query: dict[str, Any], body: dict[str, Any], cycle_id: uuid.UUID
) -> Response:
    """Put a contest before the plenary that has no result which may decide: so few ballots came
    that no totals are shown, or a source that the rule waits for never came about.

    It ranks nothing and funds nothing, and says the cause in public. Whatever the plenary's motion
    then funds or puts in reserve needs a public reason. Refused where there is a result.
    """
    with transaction() as session:
        cycle = own_cycle(session, cycle_id, caller())
        contest = chosen_contest(cycle, query["contest"])
        found = lay_open(session, cycle=cycle, contest=contest, cause=body["cause"])
        allocation = write_allocation(session, cycle=cycle, found=found, by=caller_id())
        return tagged(_shown(session, cycle, allocation), status=201)


def _worked_out(
    cycle_id: uuid.UUID, contest: str | None, departments: frozenset[uuid.UUID]
) -> WorkedOut | DomainError:
    """The allocation, for which nobody should wait; or why there is none, unless this request was
    carried out before."""
    with reading() as session:
        cycle = cycle_of(session, cycle_id)
        if cycle.department_id not in departments:
            raise NotAllowed
        contest = chosen_contest(cycle, contest)
        most = wiring().settings.allocation_steps
        try:
            return work_out(session, cycle=cycle, contest=contest, most_steps=most)
        except (AlreadyAllocated, MotionPending) as error:
            return error


def _written(cycle_id: uuid.UUID, found: WorkedOut | DomainError) -> Response:
    if isinstance(found, DomainError):
        raise found
    with transaction() as session:
        cycle = own_cycle(session, cycle_id, caller())
        allocation = write_allocation(session, cycle=cycle, found=found, by=caller_id())
        return tagged(_shown(session, cycle, allocation), status=201)


def _shown(session: Session, cycle: Cycle, allocation: CycleAllocation) -> dict[str, Any]:
    motion = carried_motion(session, cycle=cycle, contest=allocation.contest)
    decided = decided_projects(session, motion.id) if motion else []
    whose = {
        "cycle_id": str(cycle.id),
        "contest": allocation.contest,
        "n": allocation.n,
        "currency": cycle.currency,
        "allocated_at": instant(allocation.allocated_at),
        "motion_id": str(motion.id) if motion else None,
        "decisions": [_decision(each) for each in decided] if motion else None,
    }
    beside = {"comparisons": comparisons_beside(session, allocation)}
    usual: dict[str, Any] = {"notes": [], "without_result": None}
    return whose | usual | allocation.document | beside


def _decision(project: Decided) -> dict[str, Any]:
    decision, enactment = project.decision, project.enactment
    return {
        "reference": project.proposal.reference,
        "proposal_id": str(project.proposal.id),
        "decision": decision.decision,
        "amount": decision.amount,
        "deviates": decision.deviates,
        "text": decision.text,
        "state": project.proposal.state,
        "moved_up_with": project.move.amount if project.move else None,
        "enacted_amount": enactment.amount if enactment else None,
        "enacted_text": enactment.text if enactment else None,
    }
