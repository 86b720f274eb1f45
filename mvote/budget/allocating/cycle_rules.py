"""A contest of a cycle, as the cycle's JSON words it, made ready to be allocated.

The JSON is that of a cycle's definition: `budget_limit`, `headings`, and in a contest `headings`,
`sources`, `blend`, `allocation`. It has been checked when it was saved; what slipped through is
refused by `allocation.allocate`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from mvote.budget.allocating.errors import AllocationImpossible
from mvote.budget.allocating.model import (
    Approvals,
    Blend,
    Contest,
    Exact,
    Heading,
    Project,
    Rule,
    Source,
    Tally,
)
from mvote.budget.allocating.pots import Pots
from mvote.wording import say

STEP_OF_WON = 1_000
USUAL_TIES = ("lower_cost", "lot")
SHARES = "equal_shares"


def contest_of(
    cycle: Mapping[str, Any],
    key: str,
    *,
    projects: Iterable[Project],
    tallies: Mapping[str, Tally],
    seed: bytes,
    approvals: Approvals | None = None,
    groups: Mapping[str, Iterable[str]] | None = None,
) -> Contest:
    """The contest *key* of *cycle*. *tallies* are by source; one that is not there is missing.

    *groups* says which references a group of the definition holds: exclusive sets may name them.
    """
    definition = next((each for each in cycle["contests"] if each["key"] == key), None)
    if definition is None:
        raise AllocationImpossible(say("there is no contest {key}", key=key))
    blend = _blend_in(definition)
    allocation = definition["allocation"]
    projects = tuple(projects)
    rule = rule_of(allocation)
    on_ballot = frozenset(each.reference for each in projects)
    exclusive = (_members(each, groups or {}) & on_ballot for each in rule.exclusive)
    made = Contest(
        projects,
        tuple(_source(each, tallies, blend or {}) for each in definition["sources"]),
        cycle.get("budget_limit"),
        replace(rule, exclusive=tuple(each for each in exclusive if len(each) > 1)),
        None if blend is None else blend_of(blend),
        headings_of(cycle, definition),
        allocation.get("max_projects"),
        seed,
        approvals,
    )
    return _in_one_pot(made, definition) if _is_shares(allocation) else made


def _in_one_pot(contest: Contest, definition: Mapping[str, Any]) -> Contest:
    """For equal shares, which knows one pot only: what is left for the contest's headings.

    That nothing below them divides it was checked when the cycle was saved.
    """
    pots = Pots(contest.limit, contest.headings, contest.max_projects)
    roots = [Project("", 1, key) for key in definition.get("headings", ())] or [Project("", 1)]
    lefts = [pot.left() for root in roots for pot in pots.line_of(root)]
    projects = tuple(replace(each, heading=None) for each in contest.projects)
    limit = min((left for left in lefts if left is not None), default=None)
    return replace(contest, projects=projects, limit=limit, headings=())


def _blend_in(contest: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What is said of the blend; several sources have the usual one where nothing is."""
    if contest.get("blend") is None and len(contest["sources"]) > 1:
        return {}
    found: Mapping[str, Any] | None = contest.get("blend")
    return found


def _source(
    source: Mapping[str, Any], tallies: Mapping[str, Tally], blend: Mapping[str, Any]
) -> Source:
    tally = tallies.get(source["key"])
    if tally is not None and blend.get("scale") is not None:
        tally = replace(tally, scale=blend["scale"])
    return Source(source["key"], tally, exact(source.get("weight", 1)))


def _members(names: Iterable[str], groups: Mapping[str, Iterable[str]]) -> frozenset[str]:
    return frozenset().union(*(groups.get(name, (name,)) for name in names))


def blend_of(blend: Mapping[str, Any]) -> Blend:
    """The default is the share of votes; nothing missing is passed over in silence."""
    return Blend(
        blend.get("normalise", "share_of_votes"),
        blend.get("missing", "block"),
        blend.get("min_ballots", 0),
    )


def rule_of(allocation: Mapping[str, Any]) -> Rule:
    """`rule` is `greedy` or `equal_shares`, the latter perhaps with `/add1` or `/add1u`."""
    name, _, completion = allocation["rule"].partition("/")
    floor = allocation.get("floor")
    return Rule(
        name,
        allocation.get("on_no_fit", "skip"),
        None if floor is None else exact(floor),
        tuple(frozenset(each) for each in allocation.get("exclusive", ())),
        allocation.get("part_funding", False),
        tuple(allocation.get("ties") or USUAL_TIES),
        completion or allocation.get("completion") or "none",
        allocation.get("step") or STEP_OF_WON,
        allocation.get("comparison", False),
        tuple(allocation.get("compare", ())),
    )


def headings_of(cycle: Mapping[str, Any], contest: Mapping[str, Any]) -> tuple[Heading, ...]:
    """All headings of the cycle; those that this contest does not decide are `elsewhere`.

    A contest without `headings` decides them all.
    """
    parents = {each["key"]: each.get("parent") for each in cycle.get("headings", ())}
    mine = set(contest.get("headings") or parents)
    return tuple(_heading(each, mine, parents) for each in cycle.get("headings", ()))


def _heading(
    heading: Mapping[str, Any], mine: set[str], parents: Mapping[str, str | None]
) -> Heading:
    key = heading["key"]
    return Heading(
        key,
        heading.get("limit"),
        heading.get("parent"),
        heading.get("leftover", "stays"),
        heading.get("max_projects"),
        elsewhere=heading.get("decided") == "elsewhere" or not _is_within(key, mine, parents),
    )


def _is_within(key: str, mine: set[str], parents: Mapping[str, str | None]) -> bool:
    """Whether *key* is one of *mine*, lies below one, or has one below it."""
    return bool(mine & set(_above(key, parents))) or any(
        key in _above(each, parents) for each in mine
    )


def _above(key: str, parents: Mapping[str, str | None]) -> list[str]:
    line: list[str] = []
    at: str | None = key
    while at is not None and at not in line:
        line.append(at)
        at = parents.get(at)
    return line


def _is_shares(allocation: Mapping[str, Any]) -> bool:
    return str(allocation["rule"]).startswith(SHARES)


def exact(number: int | str) -> Exact:
    """A whole number, or a fraction or decimal as text ("1/10", "0.1"), never a float."""
    if isinstance(number, int):
        return number
    value = Fraction(number)
    return value.numerator if value.denominator == 1 else value
