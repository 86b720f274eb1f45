"""The paper of a contest: what is asked, with limits as numbers; and whether anybody can fill it.

Everything that decides whether a ballot is in order stands in the question itself, so that the box
and the verifier need nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mvote.budget.allocating.comparisons import COMPLETIONS
from mvote.budget.balloting.projects import Option
from mvote.budget.balloting.rules import project_of
from mvote.budget.definition import Contest, Definition, HeadingTree, Limit
from mvote.budget.limits import freeze_limits
from mvote.budget.satisfying import Paper, never_satisfied
from mvote.languages import side_by_side
from mvote.polls.definition import Kind
from mvote.polls.hindrances import Hindrance
from mvote.wording import say

MOST_OPTIONS = 1_000
KINDS: dict[str, Kind] = {
    "approve": "multiple",
    "knapsack": "multiple",
    "ranking": "ranking",
    "points": "points",
}
"""How the box carries the marks of each method."""
ASKED = say("Which projects do you choose?")


def question_of(definition: Definition, contest: Contest, options: Sequence[Option]) -> Any:
    """The question to freeze, each share of the projects in it as a number."""
    limits = _frozen(definition, contest, options)
    least, most = _numbers(limits, len(options))
    return {
        "text": side_by_side(ASKED),
        "kind": KINDS[contest.ballot.method],
        "method": contest.ballot.method,
        "options": list(options),
        "min_selections": least,
        "max_selections": most,
        "headings": _headings(definition, options),
        "limits": [_document(limit) for limit in limits],
        "wrong": contest.ballot.wrong,
        **_most_points(contest),
        **_counted_beside(contest),
        **_if_few(contest),
    }


def _most_points(contest: Contest) -> dict[str, int]:
    """Where scores are blended as parts of a scale, nobody gives a project more than that."""
    scale = contest.blend.scale
    is_scored = contest.ballot.method == "points" and contest.blend.normalise == "of_scale"
    return {"max_points": scale} if is_scored and scale is not None else {}


def _counted_beside(contest: Contest) -> dict[str, Any]:
    """Comparisons for which single ballots are needed that nobody gets to see: the counter alone
    works them out, and only what the voters were told before."""
    polled = [each for each in contest.sources if each.kind == "poll"]
    asked = [name for name in contest.allocation.compare if name in COMPLETIONS]
    hidden = len(polled) == 1 and contest.records_of(polled[0]) == "totals"
    is_possible = asked and hidden and contest.ballot.method == "approve"
    return {"comparisons": asked} if is_possible else {}


def _if_few(contest: Contest) -> dict[str, str]:
    """Equal shares needs every ballot, and few are never shown one by one: what decides then."""
    allocation = contest.allocation
    return {"few_ballots": allocation.few_ballots} if allocation.rule == "equal_shares" else {}


def hindrances_on_paper(
    definition: Definition, contest: Contest, options: Sequence[Option]
) -> Iterator[Hindrance]:
    """Why nobody could cast a ballot of these projects, each by its place in the definition."""
    at = f"/contests/{definition.contests.index(contest)}/ballot"
    if len(options) > MOST_OPTIONS:
        yield Hindrance("too-many-projects", "")
        return
    limits = _frozen(definition, contest, options)
    if options and _numbers(limits, len(options))[1] == 0:
        yield Hindrance("nothing-to-mark", f"{at}/limits")
    have_kinds = all(option.get("kind") for option in options)
    paper = Paper(
        limits=limits,
        tree=HeadingTree(definition.headings),
        roots=contest.headings,
        kinds=[each.key for each in definition.kinds] if have_kinds else [],
        projects=[project_of(option) for option in options],
    )
    for each in never_satisfied(paper):
        yield Hindrance("limit-never-met", f"{at}/limits/{each.number}/{each.measure}")


def _frozen(
    definition: Definition, contest: Contest, options: Sequence[Option]
) -> tuple[Limit, ...]:
    projects = [project_of(option) for option in options]
    tree = HeadingTree(definition.headings)
    return freeze_limits(contest.ballot.limits, projects=projects, tree=tree)


def _numbers(limits: Sequence[Limit], options: int) -> tuple[int, int]:
    """How many projects a ballot marks at least and at most, by the limits over all of them."""
    counts = [limit.count for limit in limits if limit.over == "all" and limit.count]
    least = max((each.min or 0 for each in counts), default=0)
    most = min((each.max for each in counts if each.max is not None), default=options)
    return least, min(most, options)


def _headings(definition: Definition, options: Sequence[Option]) -> list[dict[str, str]]:
    """Those that the projects lie under, and all above them."""
    tree = HeadingTree(definition.headings)
    used = {each.key for option in options for each in tree.upwards(option["heading"])}
    return [
        {"key": each.key} | ({"parent": each.parent} if each.parent else {})
        for each in definition.headings
        if each.key in used
    ]


def _document(limit: Limit) -> dict[str, Any]:
    shown: dict[str, Any] = {"over": limit.over}
    for measure, bounds in limit.bounds().items():
        named = {"min": bounds.min, "max": bounds.max}
        shown[measure] = {name: value for name, value in named.items() if value is not None}
    return shown
