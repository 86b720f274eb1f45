"""What other rules would have given, beside the binding one.

`<source>_only`, `skip`, `no_skip`, `greedy`, `equal_shares`, `equal_shares/add1`,
`equal_shares/add1u`, and the ways to normalise a blend by their names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import get_args

from mvote.budget.allocating.allocation import Allocation, allocate
from mvote.budget.allocating.errors import AllocationImpossible, SourceMissing, TooMuchWork
from mvote.budget.allocating.model import Completion, Contest, Normalise
from mvote.budget.allocating.pots import in_one_pot
from mvote.budget.allocating.work import Work
from mvote.wording import say

ONLY = "_only"
COMPLETIONS: dict[str, Completion] = {
    "equal_shares": "none",
    "equal_shares/add1": "add1",
    "equal_shares/add1u": "add1u",
}
WAYS: dict[str, Normalise] = {way: way for way in get_args(Normalise)}


@dataclass(frozen=True)
class Comparison:
    """`allocation` None: it cannot be worked out, and `reason` says why."""

    name: str
    allocation: Allocation | None
    reason: str | None = None
    #: whether anybody can repeat it from what is published; not where it needs single ballots
    #: that nobody gets to see
    recountable: bool = True


def compare(
    contest: Contest, names: Iterable[str] | None = None, work: Work | None = None
) -> tuple[Comparison, ...]:
    """Every comparison of *names*; without, those that the rule names."""
    wanted = contest.rule.compare if names is None else names
    return tuple(_compared(contest, name, work) for name in wanted)


def _compared(contest: Contest, name: str, work: Work | None) -> Comparison:
    try:
        return Comparison(name, allocate(under(contest, name), work))
    except (AllocationImpossible, SourceMissing, TooMuchWork) as error:
        hidden = name in COMPLETIONS and contest.approvals is None
        return Comparison(name, None, str(error), recountable=not hidden)


def under(contest: Contest, name: str) -> Contest:
    """*contest* under the rule called *name*, everything else as it was.

    A floor is a number of the score that it was made for: where the score changes, it goes.
    """
    rule = contest.rule
    if name in ("skip", "no_skip"):
        stop = replace(rule, rule="greedy", on_no_fit="skip" if name == "skip" else "stop")
        return replace(contest, rule=stop)
    if name == "greedy":
        return replace(contest, rule=replace(rule, rule="greedy"))
    if name in COMPLETIONS:
        shares = replace(rule, rule="equal_shares", completion=COMPLETIONS[name], comparison=False)
        return in_one_pot(replace(contest, rule=shares))
    if name in WAYS and contest.blend is not None:
        blend = replace(contest.blend, normalise=WAYS[name])
        return replace(contest, blend=blend, rule=replace(rule, floor=None))
    return _only(contest, name)


def _only(contest: Contest, name: str) -> Contest:
    key = name.removesuffix(ONLY)
    sources = tuple(each for each in contest.sources if each.key == key)
    if key == name or not sources:
        raise AllocationImpossible(say("there is no comparison called {name}", name=name))
    floor = contest.rule.floor if contest.blend is None else None
    ties = tuple(tie for tie in contest.rule.ties if tie in (key, "lower_cost", "lot"))
    rule = replace(contest.rule, floor=floor, ties=ties)
    return replace(contest, sources=sources, blend=None, rule=rule)
