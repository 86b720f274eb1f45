"""Comparing: the counter works out what other rules would have given, where that needs ballots.

The allocation says from which projects, prices, votes and lot; the box's records say who marked
what. They are read here, added up, and forgotten.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mvote.ballotbox.vectors import marked_in
from mvote.base import Json, database_time
from mvote.budget.allocating.comparisons import compare
from mvote.budget.allocating.cycle_rules import contest_of
from mvote.budget.allocating.documents import compared_document
from mvote.budget.allocating.model import Approvals, Contest, Tally
from mvote.budget.allocating.work import Work
from mvote.budget.allocations import CycleAllocation
from mvote.budget.balloting.releasing import approvals_in, release_due
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.allocating import blended_by_default
from mvote.budget.deciding.counted_comparison import CountedComparison
from mvote.budget.deciding.projects import from_json, groups_in
from mvote.polls.definition import SMALLEST_FULL_RECORDS, FrozenPoll, read_definition
from mvote.polls.results import definition_of

TOO_FEW = f"fewer than {SMALLEST_FULL_RECORDS} ballots came: even its outcome could tell of one"
MOST_STEPS = 300_000
"""So many for each, so that no count has to wait long behind it."""
_RECORDS = text("SELECT records_to_compare(:poll_id)")


class Case(NamedTuple):
    """An allocation beside which something is to be worked out, and whose ballots that needs."""

    cycle_id: uuid.UUID
    contest: str
    n: int
    poll_id: uuid.UUID


def finish_contests(session: Session) -> list[Case]:
    """Publish every contest of which nothing is waited for, and say what is to be compared."""
    release_due(session)
    of_it = CountedComparison
    due = select(of_it.cycle_id, of_it.contest, of_it.n, of_it.poll_id)
    found = session.execute(due.where(of_it.document.is_(None)).distinct())
    return [Case(*row) for row in found]


def work_out_comparisons(session: Session, case: Case, *, most_steps: int = MOST_STEPS) -> int:
    """Work out what stands beside one allocation, in so many steps each; how many comparisons."""
    of_it = select(CountedComparison).where(
        CountedComparison.document.is_(None),
        CountedComparison.cycle_id == case.cycle_id,
        CountedComparison.contest == case.contest,
        CountedComparison.n == case.n,
    )
    due = session.scalars(of_it.with_for_update(skip_locked=True)).all()
    for row in due:
        row.document, row.at = _worked_out(session, row, most_steps), database_time(session)
        session.flush()
    return len(due)


def _worked_out(session: Session, row: CountedComparison, most_steps: int) -> Json:
    content = definition_of(session, row.poll_id)
    assert content is not None  # noqa: S101  # it was published
    definition = read_definition(content)
    approvals = _approvals(session, definition)
    if not approvals:
        nothing = {"funded": None, "reason": TOO_FEW}
        return {"rule": row.name, "recountable": False} | nothing
    made = _contest(session, row, definition, approvals)
    [found] = compare(made, [row.name], Work(most_steps))
    return compared_document(found) | {"recountable": False}


def _approvals(session: Session, definition: FrozenPoll) -> Approvals:
    """What the box held, equal ballots together; nothing where too few came."""
    width = 4 + 2 * len(definition.question.options)

    def vectors() -> Iterator[bytes]:
        for pack in session.scalars(_RECORDS, {"poll_id": definition.poll_id}):
            yield from (pack[at : at + width] for at in range(0, len(pack), width))

    counted = Counter(vectors())
    marked = (([*marked_in(definition.question, each)], n) for each, n in counted.items())
    return approvals_in(definition, marked)


def _contest(
    session: Session, row: CountedComparison, definition: FrozenPoll, approvals: Approvals
) -> Contest:
    """The contest as it was allocated, with every ballot."""
    rules = session.scalars(select(Cycle.definition).where(Cycle.id == row.cycle_id)).one()
    allocated = select(CycleAllocation.document).where(
        CycleAllocation.cycle_id == row.cycle_id,
        CycleAllocation.contest == row.contest,
        CycleAllocation.n == row.n,
    )
    document = session.scalars(allocated).one()
    return contest_of(
        blended_by_default(rules),
        row.contest,
        projects=from_json(document["inputs"]["projects"]),
        tallies=_tallies(document["inputs"]["sources"]),
        seed=bytes.fromhex(document["lot"]["seed"]),
        approvals=approvals,
        groups=groups_in(definition.document["question"]["options"]),
    )


def _tallies(sources: list[dict[str, Any]]) -> dict[str, Tally]:
    return {
        each["key"]: Tally(
            {key: Fraction(votes) for key, votes in each["votes"].items()}, each["ballots"]
        )
        for each in sources
        if each["votes"] is not None
    }
