"""Contradictions in what a ballot may say."""

from __future__ import annotations

from collections.abc import Iterator

from mvote.budget.contradictions.contradiction import Contradiction
from mvote.budget.contradictions.money import DEEPEST
from mvote.budget.definition import Bounds, Contest, Definition, HeadingTree, Limit, Measure
from mvote.budget.limits import EACH_HEADING
from mvote.budget.satisfying import Paper, never_satisfied

NEEDED_OVER_ALL: dict[str, Measure] = {"knapsack": "cost", "points": "points"}
"""What a method cannot do without a most of."""


def in_ballot(
    contest: Contest, definition: Definition, tree: HeadingTree, at: str
) -> Iterator[Contradiction]:
    """What contradicts itself in the ballot of the contest at the pointer *at*."""
    limits = contest.ballot.limits
    found: list[Contradiction] = []
    for n, limit in enumerate(limits):
        pointer = f"{at}/ballot/limits/{n}"
        found += _in_over(limit, contest, definition, tree, pointer)
        for measure, bounds in limit.bounds().items():
            found += _in_bounds(bounds, measure, limit, f"{pointer}/{measure}")
        if not limit.bounds():
            found.append(Contradiction("limit-without-bounds", pointer))
    yield from found
    yield from _in_method(contest, f"{at}/ballot")
    if not found and not _too_deep(contest, tree):  # else the sums would be wrong, too
        yield from _in_sums(contest, definition, tree, f"{at}/ballot/limits")


def _too_deep(contest: Contest, tree: HeadingTree) -> bool:
    beneath = {key for root in contest.headings for key in tree.beneath(root)}
    return any(len(tree.upwards(key)) > DEEPEST for key in beneath)


def _in_over(
    limit: Limit, contest: Contest, definition: Definition, tree: HeadingTree, pointer: str
) -> Iterator[Contradiction]:
    kind, _, key = limit.over.partition(":")
    at = f"{pointer}/over"
    facts: dict[str, object] = {"key": key}
    if kind == "heading":
        roots = {each.key for each in tree.upwards(key)}
        if key not in tree:
            yield Contradiction("unknown-heading", at, facts)
        elif not roots & set(contest.headings):
            yield Contradiction("heading-outside-contest", at, facts)
    if kind == "kind" and key not in {each.key for each in definition.kinds}:
        yield Contradiction("unknown-kind", at, facts)
    if kind == "group" and key not in {each.key for each in contest.groups}:
        yield Contradiction("unknown-group", at, facts)


def _in_bounds(
    bounds: Bounds, measure: Measure, limit: Limit, pointer: str
) -> Iterator[Contradiction]:
    if bounds.share is not None:
        yield from _in_share(bounds, measure, limit, pointer)
    elif bounds.min is None and bounds.max is None:
        yield Contradiction("limit-without-bounds", pointer)
    if bounds.min is not None and bounds.max is not None and bounds.min > bounds.max:
        facts: dict[str, object] = {"min": bounds.min, "max": bounds.max}
        yield Contradiction("min-above-max", f"{pointer}/min", facts)


def _in_share(
    bounds: Bounds, measure: Measure, limit: Limit, pointer: str
) -> Iterator[Contradiction]:
    if bounds.share is not None and bounds.share > 1:
        yield Contradiction("share-above-one", f"{pointer}/share")
    if bounds.min is not None or bounds.max is not None:
        yield Contradiction("share-beside-numbers", f"{pointer}/share")
    if measure != "count" or limit.over == EACH_HEADING:
        yield Contradiction("share-counts-only", f"{pointer}/share")


def _in_method(contest: Contest, pointer: str) -> Iterator[Contradiction]:
    ballot = contest.ballot
    facts: dict[str, object] = {"method": ballot.method}
    for n, limit in enumerate(ballot.limits):
        if limit.points is not None and ballot.method != "points":
            at = f"{pointer}/limits/{n}/points"
            yield Contradiction("measure-of-another-method", at, facts | {"measure": "points"})
    needed = NEEDED_OVER_ALL.get(ballot.method)
    bounded = [each.bounds().get(needed) for each in ballot.limits if needed and each.over == "all"]
    if needed and not any(each is not None and each.max is not None for each in bounded):
        at = f"{pointer}/method"
        yield Contradiction("measure-missing", at, facts | {"measure": needed})


def _in_sums(
    contest: Contest, definition: Definition, tree: HeadingTree, pointer: str
) -> Iterator[Contradiction]:
    paper = Paper(
        limits=contest.ballot.limits,
        tree=tree,
        roots=[key for key in contest.headings if not tree.goes_in_circles(key)],
        kinds=[each.key for each in definition.kinds],
    )
    for each in never_satisfied(paper):
        facts: dict[str, object] = {
            "measure": each.measure, "least": each.least, "most": each.most,
        }  # fmt: skip
        yield Contradiction("never-satisfied", f"{pointer}/{each.number}/{each.measure}", facts)
