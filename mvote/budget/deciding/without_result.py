"""Where a contest has no result that may decide, the plenary decides without one.

So few ballots came that their totals are not shown, or a source that the rule must wait for did not
come about, and never will; or all its polls were declared void, and balloting is over. A city must
still end its year: what goes to the plenary then ranks nothing and funds nothing. It names the
cause, and nothing is funded without a public reason. Where voters were told that few ballots mean
that nothing is allocated (`few_ballots: block`), that is what is proposed, and to fund something is
to deviate from it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from mvote.base import Json
from mvote.budget.allocating.allocation import Allocation
from mvote.budget.allocating.blend import Scores, blended
from mvote.budget.allocating.documents import document
from mvote.budget.allocating.errors import AllocationImpossible, SourceMissing
from mvote.budget.allocating.model import Code, Contest, Decision
from mvote.budget.allocating.order import in_order
from mvote.budget.balloting.releasing import came_to_nothing
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.allocating import (
    WorkedOut,
    check_may_allocate,
    inputs_of,
    next_number,
    prepared,
)
from mvote.budget.deciding.few_ballots import TOO_FEW_SHOWN, rules_with_few
from mvote.budget.deciding.released import Released, released, released_without_polls
from mvote.errors import ImpossibleTransition, Text

RULE = "none"
TOO_FEW = "too-few-shown"
CODES: dict[str, Code] = {SourceMissing.code: "undecided", TOO_FEW: "not_allocated"}


def lay_open(session: Session, *, cycle: Cycle, contest: str, cause: Text) -> WorkedOut:
    """What goes to the plenary in the place of an allocation, *cause* in public. Writes nothing.

    Raises ImpossibleTransition where there is a result, and all that `work_out` does of cycles,
    phases and sources that are still waited for.
    """
    check_may_allocate(session, cycle)
    n = next_number(session, cycle, contest)
    is_void = came_to_nothing(session, cycle_id=cycle.id, contest=contest)
    what_came = released_without_polls if is_void else released
    sources = what_came(session, cycle=cycle, contest=contest)
    made, lot = prepared(
        session, cycle=cycle, contest=contest, sources=sources, rules=cycle.definition
    )
    missing = _nobody(made) if is_void else _missing(session, cycle, made, contest, sources)
    if missing is None:
        raise ImpossibleTransition(state="has_result", verb="allocate_without_result")
    found: Json = document(_decided(made, CODES[missing["code"]]), (), rule=RULE)
    found |= {"lot": lot.document(), "inputs": inputs_of(made), "notes": []}
    found |= {"without_result": missing | {"cause": cause}}
    struck = frozenset(each.reference for each in made.projects if each.struck)
    return WorkedOut(contest=contest, n=n, document=found, struck=struck)


def _nobody(made: Contest) -> dict[str, Any]:
    """No voter has decided; what statements say decides nothing alone."""
    absent = [each.key for each in made.sources if each.tally is None]
    return {"code": SourceMissing.code, "sources": absent}


def _missing(
    session: Session, cycle: Cycle, made: Contest, contest: str, sources: Released
) -> dict[str, Any] | None:
    """Why the frozen rule cannot decide, ever; None if it can."""
    try:
        rules_with_few(session, cycle=cycle, contest=contest, sources=sources)
        blended(made.sources, made.blend, [each.reference for each in made.projects])
    except SourceMissing as error:
        return {"code": error.code, "sources": list(error.sources)}
    except AllocationImpossible as error:
        if error.detail != TOO_FEW_SHOWN:
            raise
        return {"code": TOO_FEW, "sources": [each.key for each in made.sources]}
    return None


def _decided(made: Contest, code: Code) -> Allocation:
    """No scores, so an order by lot alone; nothing of what single sources brought decides it."""
    by_lot = replace(made, rule=replace(made.rule, rule="greedy", ties=("lot",)))
    scores = dict.fromkeys((each.reference for each in made.projects), 0)
    decisions = {
        each.reference: Decision(each.reference, "struck" if each.struck else code)
        for each in made.projects
    }
    absent = tuple(each.key for each in made.sources if each.tally is None)
    return Allocation(by_lot, in_order(by_lot, scores), Scores(scores, {}, {}, absent), decisions)
