"""Equal shares with few ballots: they are not shown one by one, so that what voters were told of
before decides instead."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from mvote.budget.allocating.errors import AllocationImpossible
from mvote.budget.allocating.model import Contest
from mvote.budget.balloting.contest_poll import contest_in
from mvote.budget.balloting.releasing import released_polls
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.released import NEEDING_VECTORS, Released
from mvote.wording import say

TOO_FEW_SHOWN = say(
    "So few ballots came that they are not shown one by one, and equal shares needs each of them."
)
NOTE = (
    "Fewer ballots came than are shown one by one: by votes (greedy) instead of by equal shares, as"
    " few_ballots says in the ballot that voters were shown."
)
BY_VOTES = {"rule": "greedy", "completion": "none", "comparison": False}
"""Within the same limits, with the same floor, sets and ties."""


def rules_with_few(
    session: Session, *, cycle: Cycle, contest: str, sources: Released
) -> dict[str, Any]:
    """The cycle's definition; where few ballots came, with the rule that stands in for equal
    shares.

    Only if the frozen ballot said so, as the voters were shown it. Raises AllocationImpossible.
    """
    rule = contest_in(cycle, contest)["allocation"]["rule"]
    if rule != NEEDING_VECTORS or sources.approvals is not None:
        return cycle.definition
    told = {
        poll.content["question"].get("few_ballots")
        for _, poll in released_polls(session, cycle, contest)
    }
    if told != {"greedy"}:
        raise AllocationImpossible(TOO_FEW_SHOWN)
    return cycle.definition | {
        "contests": [
            each | {"allocation": each["allocation"] | BY_VOTES} if each["key"] == contest else each
            for each in cycle.definition["contests"]
        ]
    }


def notes_on(cycle: Cycle, contest: str, made: Contest) -> list[str]:
    """What has to be said of an allocation by another rule than the cycle's own."""
    own = contest_in(cycle, contest)["allocation"]["rule"]
    return [NOTE] if own == NEEDING_VECTORS != made.rule.rule else []
