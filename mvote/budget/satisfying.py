"""Whether any ballot at all could keep to its limits: before projects are known, and after.

Headings are a tree and kinds a partition of the same projects, so what a ballot may hold of each is
a range that adds up: a range that is empty somewhere is a limit that no ballot satisfies.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from mvote.budget.definition import HeadingTree, Limit, Measure
from mvote.budget.definition.ballots import MOST_POINTS
from mvote.budget.limits import EACH_HEADING, Project, is_over

ADDITIVE: tuple[Measure, ...] = ("count", "cost", "points")
Range = tuple[float, float]
"""Least and most; most may be infinite."""


@dataclass(frozen=True, kw_only=True)
class NeverSatisfied:
    """At the limit with this number: at least *least* is needed, at most *most* is possible."""

    number: int
    measure: Measure
    least: int
    most: int


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What a ballot is about. *projects* None: not known yet."""

    limits: Sequence[Limit]
    tree: HeadingTree
    #: keys of the contest's headings
    roots: Sequence[str]
    kinds: Sequence[str]
    projects: Sequence[Project] | None = None

    def bounds(self, over: str, measure: Measure) -> Range:
        """What all limits over the same together allow."""
        least, most = 0.0, math.inf
        for limit in self.limits:
            found = limit.bounds().get(measure) if limit.over == over else None
            if found is not None:
                least = max(least, found.min or 0)
                most = min(most, math.inf if found.max is None else found.max)
        return least, most

    def number(self, measure: Measure, *overs: str) -> int:
        """The first limit that speaks of the measure: over one of *overs*, else over anything."""
        named = [n for n, each in enumerate(self.limits) if measure in each.bounds()]
        return next((n for n in named if self.limits[n].over in overs), named[0])

    def available(self, over: str, measure: Measure) -> float:
        """The most there is of it among the projects."""
        if self.projects is None:
            return math.inf
        within = [each for each in self.projects if is_over(over, each, self.tree)]
        return self._sum(within, measure)

    def directly_under(self, heading: str, measure: Measure) -> Range:
        """What a ballot may hold of projects of the heading itself."""
        least, most = self.bounds(EACH_HEADING, measure)
        if self.projects is None:
            return (0 if self.tree.children(heading) else least), most
        within = [each for each in self.projects if each.heading == heading]
        return (least if within else 0), min(most, self._sum(within, measure))

    def _sum(self, projects: list[Project], measure: Measure) -> float:
        if measure == "points":
            return MOST_POINTS * len(projects)
        return sum(each.cost for each in projects) if measure == "cost" else len(projects)


Found = Generator[NeverSatisfied, None, Range]
"""Says what is impossible on the way to a range."""


def never_satisfied(paper: Paper) -> Iterator[NeverSatisfied]:
    """Every limit, as far as can be told, that no ballot could satisfy beside the others."""
    for measure in ADDITIVE:
        if any(measure in limit.bounds() for limit in paper.limits):
            yield from _in_sums(paper, measure)
    yield from _in_headings(paper)
    yield from _too_dear(paper)
    yield from _too_few_points(paper)


def _in_sums(paper: Paper, measure: Measure) -> Iterator[NeverSatisfied]:
    """By heading and by kind the marks add up to the same whole; a group is a part of it."""
    by_heading = yield from _together(paper, paper.roots, measure)
    by_kind = yield from _of_kinds(paper, measure)
    whole = yield from _of(paper, "all", measure, (0, math.inf))
    least = max(whole[0], by_heading[0], by_kind[0])
    most = min(whole[1], by_heading[1], by_kind[1])
    if least > most and whole[0] <= whole[1]:
        yield _impossible(paper, measure, (least, most), "all")
    for over in {each.over for each in paper.limits if each.over.startswith("group:")}:
        yield from _of(paper, over, measure, (0, most))


def _together(paper: Paper, headings: Sequence[str], measure: Measure) -> Found:
    least, most = 0.0, 0.0
    for key in headings:
        of_one = yield from _of_heading(paper, key, measure)
        least, most = least + of_one[0], most + of_one[1]
    return least, most


def _of_heading(paper: Paper, key: str, measure: Measure) -> Found:
    beneath = yield from _together(paper, paper.tree.children(key), measure)
    itself = paper.directly_under(key, measure)
    parts = (beneath[0] + itself[0], beneath[1] + itself[1])
    return (yield from _of(paper, f"heading:{key}", measure, parts))


def _of_kinds(paper: Paper, measure: Measure) -> Found:
    if not paper.kinds:
        return 0, math.inf
    least, most = 0.0, 0.0
    for kind in paper.kinds:
        of_one = yield from _of(paper, f"kind:{kind}", measure, (0, math.inf))
        least, most = least + of_one[0], most + of_one[1]
    return least, most


def _of(paper: Paper, over: str, measure: Measure, parts: Range) -> Found:
    """What the limits over it leave of *parts*; nothing but least = most where that is nothing."""
    bounds = paper.bounds(over, measure)
    least = max(bounds[0], parts[0])
    most = min(bounds[1], parts[1], paper.available(over, measure))
    if least > most:
        yield _impossible(paper, measure, (least, most), over)
        return most, most  # named once, here
    return least, most


def _impossible(paper: Paper, measure: Measure, found: Range, over: str) -> NeverSatisfied:
    number = paper.number(measure, over, EACH_HEADING)
    return NeverSatisfied(number=number, measure=measure, least=int(found[0]), most=int(found[1]))


def _in_headings(paper: Paper) -> Iterator[NeverSatisfied]:
    """More different headings than there are, or than there are marks."""
    for number, limit in enumerate(paper.limits):
        if limit.headings is None or limit.headings.min is None:
            continue
        there = len(_headings_over(paper, limit.over))
        most = min(there, paper.bounds(limit.over, "count")[1])
        if limit.headings.min > most:
            yield NeverSatisfied(
                number=number, measure="headings", least=limit.headings.min, most=int(most)
            )


def _headings_over(paper: Paper, over: str) -> set[str]:
    if paper.projects is not None:
        return {each.heading for each in paper.projects if is_over(over, each, paper.tree)}
    roots = [over.partition(":")[2]] if over.startswith("heading:") else paper.roots
    return {key for root in roots for key in paper.tree.beneath(root)}


def _too_dear(paper: Paper) -> Iterator[NeverSatisfied]:
    """So many projects must be marked that even the cheapest cost too much together."""
    for number, limit in enumerate(paper.limits):
        if paper.projects is None or limit.cost is None or limit.cost.max is None:
            continue
        needed = int(paper.bounds(limit.over, "count")[0])
        costs = sorted(
            each.cost for each in paper.projects if is_over(limit.over, each, paper.tree)
        )
        cheapest = sum(costs[:needed])
        if limit.over != EACH_HEADING and cheapest > limit.cost.max:
            yield NeverSatisfied(number=number, measure="cost", least=cheapest, most=limit.cost.max)


def _too_few_points(paper: Paper) -> Iterator[NeverSatisfied]:
    """So many projects must be marked that there is not a point for each of them."""
    for number, limit in enumerate(paper.limits):
        if limit.points is None or limit.points.max is None:
            continue
        needed = int(paper.bounds(limit.over, "count")[0])
        if needed > limit.points.max:
            yield NeverSatisfied(
                number=number, measure="points", least=needed, most=limit.points.max
            )
