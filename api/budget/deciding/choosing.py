"""Which contest of a cycle a request is about."""

from __future__ import annotations

from api.problems import InvalidParameter
from mvote.budget.allocations import contests_of
from mvote.budget.cycle import Cycle
from mvote.polls.errors import ResultsNotAvailable
from mvote.wording import say


def chosen_contest(cycle: Cycle, contest: str | None) -> str:
    """The contest that is asked for, or the only one. Raises InvalidParameter."""
    if contest is not None:
        return contest
    keys = contests_of(cycle)
    if not keys:
        raise ResultsNotAvailable
    if len(keys) > 1:
        raise InvalidParameter(
            ("query", "contest", say("Name one of: {keys}.", keys=", ".join(keys)))
        )
    return keys[0]
