"""Scores: one for each of the cycle's criteria, within its scale, each with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mvote.budget.cycle import Cycle
from mvote.errors import Fault, InvalidRequest, Text
from mvote.wording import say

Scores = Sequence[Mapping[str, Any]]
"""`[{"criterion", "score", "reason"}]`."""
UNKNOWN = say("There is no such criterion in this cycle.")
TWICE = say("This criterion is scored twice.")
SAYS_NOTHING = say("Say something: this cycle has no criteria to score.")


def in_order(cycle: Cycle, scores: Scores, *, comment: Text | None) -> list[dict[str, Any]]:
    """The scores in the order of the cycle's criteria. Raises InvalidRequest with every fault.

    Where a cycle has none, the comment is the opinion.
    """
    rules = cycle.definition.get("review") or {}
    criteria = {each["key"]: each for each in rules.get("criteria") or ()}
    faults = list(_faults(criteria, scores))
    if not criteria and comment is None:
        faults.append(Fault("/comment", SAYS_NOTHING))
    if faults:
        raise InvalidRequest(*faults)
    given = {each["criterion"]: dict(each) for each in scores}
    return [given[key] for key in criteria]


def _faults(criteria: Mapping[str, Any], scores: Scores) -> Iterator[Fault]:
    seen: set[str] = set()
    for n, each in enumerate(scores):
        key = each["criterion"]
        if key not in criteria:
            yield Fault(f"/scores/{n}/criterion", UNKNOWN)
        elif key in seen:
            yield Fault(f"/scores/{n}/criterion", TWICE)
        elif each["score"] > (scale := criteria[key].get("scale", 5)):
            yield Fault(
                f"/scores/{n}/score",
                say("It must be from 0 to {scale}.", scale=scale),
            )
        seen.add(key)
    for key in criteria.keys() - seen:
        yield Fault("/scores", say("{key} is not scored.", key=key))
