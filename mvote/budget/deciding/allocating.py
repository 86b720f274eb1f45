"""Allocating a contest of a city's own cycle: from what its sources brought, by its frozen rule.

Working it out may take long, so it needs no transaction: what it rests on changes no more, but for
projects that are struck, and that is looked at again when it is written down.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.base import Json
from mvote.budget.allocating.allocation import allocate
from mvote.budget.allocating.comparisons import compare
from mvote.budget.allocating.cycle_rules import contest_of
from mvote.budget.allocating.documents import document, rule_name, written
from mvote.budget.allocating.model import Contest
from mvote.budget.allocating.work import Work
from mvote.budget.allocations import CycleAllocation, latest_allocation
from mvote.budget.balloting.contest_poll import contest_in
from mvote.budget.cycle import Cycle, PhaseKind
from mvote.budget.deciding.cycle_lot import Lot, revealed_lot
from mvote.budget.deciding.errors import AlreadyAllocated, MotionPending
from mvote.budget.deciding.few_ballots import notes_on, rules_with_few
from mvote.budget.deciding.motion import Motion
from mvote.budget.deciding.projects import as_json, as_projects, groups_in, options_of, struck_in
from mvote.budget.deciding.released import Released, released
from mvote.budget.phases import require_phase
from mvote.errors import ImpossibleTransition, stands_for
from mvote.journal import Event, write_down

stands_for("pk_cycle_allocation", AlreadyAllocated)
DECIDING: PhaseKind = "deciding"


@dataclass(frozen=True, kw_only=True)
class ContestAllocated(Event):
    kind: ClassVar[str] = "cycle:allocated"
    contest: str
    n: int


@dataclass(frozen=True, kw_only=True)
class WorkedOut:
    """An allocation that is not written down yet."""

    contest: str
    n: int
    document: Json
    #: of the projects, as they stood when it was worked out
    struck: frozenset[str]


def work_out(session: Session, *, cycle: Cycle, contest: str, most_steps: int | None) -> WorkedOut:
    """The allocation of *contest*, in as many steps as it may take. Writes nothing.

    Raises NotFound, ImpossibleTransition, PhaseNotOpen, AlreadyAllocated, MotionPending,
    ResultsNotAvailable (with the `sources` that are waited for), SourceMissing,
    AllocationImpossible, TooMuchWork.
    """
    check_may_allocate(session, cycle)
    n = next_number(session, cycle, contest)
    made, lot = ready_contest(session, cycle=cycle, contest=contest)
    binding = allocate(made, Work(most_steps))
    found: Json = document(binding, compare(made, work=Work(most_steps)), rule=rule_name(made.rule))
    found |= {"lot": lot.document(), "inputs": inputs_of(made)}
    found |= {"notes": notes_on(cycle, contest, made)}
    struck = frozenset(each.reference for each in made.projects if each.struck)
    return WorkedOut(contest=contest, n=n, document=found, struck=struck)


def check_may_allocate(session: Session, cycle: Cycle) -> None:
    """See that the cycle runs and that it is time to decide. Raises ImpossibleTransition,
    PhaseNotOpen."""
    if cycle.state != "running":
        raise ImpossibleTransition(state=cycle.state, verb="allocate")
    check_deciding(session, cycle)


def check_deciding(session: Session, cycle: Cycle, *kinds: PhaseKind) -> None:
    """See that it is time to decide, or that of one of *kinds*; if the cycle has any such phase.

    Raises PhaseNotOpen.
    """
    planned = {each["kind"] for each in cycle.definition["phases"]}
    wanted = [kind for kind in kinds or (DECIDING,) if kind in planned]
    if wanted:
        require_phase(session, cycle.id, *wanted)


def next_number(session: Session, cycle: Cycle, contest: str) -> int:
    """0, or one more where a project was struck since the last time.

    Raises NotFound, MotionPending, AlreadyAllocated.
    """
    contest_in(cycle, contest)
    last = latest_allocation(session, cycle_id=cycle.id, contest=contest)
    if last is None:
        return 0
    motions = select(Motion.state).where(
        Motion.cycle_id == cycle.id,
        Motion.contest == contest,
        Motion.state.in_(["open", "carried"]),
    )
    if session.scalars(motions).first() is not None:
        raise MotionPending
    if not struck_since(session, cycle, last):
        raise AlreadyAllocated
    return last.n + 1


def struck_since(session: Session, cycle: Cycle, allocation: CycleAllocation) -> list[str]:
    """The projects that were struck after the allocation, sorted."""
    projects = allocation.document["inputs"]["projects"]
    standing = [each["reference"] for each in projects if not each["struck"]]
    return sorted(struck_in(session, cycle, standing))


def ready_contest(session: Session, *, cycle: Cycle, contest: str) -> tuple[Contest, Lot]:
    """The contest with everything that decides it, and the lot that it is drawn by.

    Raises NotFound, ResultsNotAvailable, AllocationImpossible.
    """
    sources = released(session, cycle=cycle, contest=contest)
    rules = rules_with_few(session, cycle=cycle, contest=contest, sources=sources)
    return prepared(session, cycle=cycle, contest=contest, sources=sources, rules=rules)


def prepared(
    session: Session,
    *,
    cycle: Cycle,
    contest: str,
    sources: Released,
    rules: dict[str, Any],
) -> tuple[Contest, Lot]:
    """The contest by *rules*, from what its sources brought, and the lot that it is drawn by."""
    lot = revealed_lot(session, cycle_id=cycle.id, contest=contest, hashes=sources.hashes)
    options = options_of(session, cycle, contest)
    struck = struck_in(session, cycle, [each["reference"] for each in options])
    made = contest_of(
        blended_by_default(rules),
        contest,
        projects=as_projects(options, struck),
        tallies=sources.tallies,
        seed=lot.seed,
        approvals=sources.approvals,
        groups=groups_in(options),
    )
    return made, lot


def blended_by_default(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition, where several sources without a blend get the usual one."""
    contests = [
        {"blend": {}} | each if len(each["sources"]) > 1 else each
        for each in definition["contests"]
    ]
    return definition | {"contests": contests}


def inputs_of(contest: Contest) -> dict[str, Any]:
    """All that anyone needs, beside the cycle's rules and the lot, to work it out again."""
    sources = [
        {
            "key": each.key,
            "weight": written(each.weight),
            "ballots": each.tally and each.tally.ballots,
            "votes": each.tally and {k: written(v) for k, v in each.tally.votes.items()},
        }
        for each in contest.sources
    ]
    return {"projects": as_json(contest.projects), "sources": sources}


def write_allocation(
    session: Session, *, cycle: Cycle, found: WorkedOut, by: uuid.UUID | None
) -> CycleAllocation:
    """Write it down; it is a proposal until the plenary confirms it.

    *by* None: an operator's command. Raises AlreadyAllocated, MotionPending, ImpossibleTransition
    if a project was struck meanwhile.
    """
    one_at_a_time(session, cycle.id)
    if next_number(session, cycle, found.contest) != found.n:
        raise AlreadyAllocated
    projects = [each["reference"] for each in found.document["inputs"]["projects"]]
    if struck_in(session, cycle, projects) != found.struck:
        raise ImpossibleTransition(state="struck", verb="allocate")
    allocation = CycleAllocation(
        cycle_id=cycle.id, contest=found.contest, n=found.n, document=found.document
    )
    session.add(allocation)
    session.flush()  # whoever was quicker has written it already
    event = ContestAllocated(contest=found.contest, n=found.n)
    write_down(session, event, actor_id=by, subject_id=cycle.id)
    return allocation
