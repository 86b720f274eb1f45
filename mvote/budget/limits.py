"""Whether a ballot keeps to its limits: every broken one named. Pure, for whoever counts or casts.

Unknown and repeated keys are no matter of limits: they are refused whatever the limits say.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mvote.budget.definition import Bounds, HeadingTree, Limit, Measure
from mvote.wording import Message, say

EACH_HEADING = "each:heading"
NAMES: dict[Measure, Message] = {
    "count": say("number of projects"),
    "cost": say("cost together"),
    "points": say("points together"),
    "headings": say("number of headings"),
}
SCOPES = {
    "all": say("in all"),
    "heading": say("under the heading {key}"),
    "kind": say("of the kind {key}"),
    "group": say("in the group {key}"),
}
"""Where a limit measures, by the word before the colon."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project on the ballot, as far as limits ask."""

    key: str
    heading: str
    kind: str | None = None
    #: in whole units of the cycle's currency
    cost: int = 0
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Mark:
    """A project that a ballot marks; *points* where the method has points."""

    key: str
    points: int = 0


@dataclass(frozen=True, kw_only=True)
class BrokenLimit:
    """A limit that a ballot does not keep to: what was found is below *min* or above *max*."""

    over: str
    measure: Measure
    min: int | None
    max: int | None
    found: int

    @property
    def text(self) -> Message:
        """What is wrong."""
        kind, _, key = self.over.partition(":")
        where = SCOPES[kind].format(key=key)
        facts = {"what": NAMES[self.measure], "where": where, "found": self.found}
        if self.min is not None and self.found < self.min:
            return say("{what} {where}: {found}, at least {min} needed.", min=self.min, **facts)
        return say("{what} {where}: {found}, at most {max} allowed.", max=self.max, **facts)

    def shown(self) -> dict[str, Any]:
        """As a refusal names it."""
        return {
            "over": self.over, "measure": self.measure,
            "min": self.min, "max": self.max, "found": self.found,
        }  # fmt: skip


def is_over(over: str, project: Project, tree: HeadingTree) -> bool:
    """Whether a limit *over* something looks at *project*."""
    kind, _, key = over.partition(":")
    match kind:
        case "heading":
            return project.heading in tree.beneath(key)
        case "kind":
            return project.kind == key
        case "group":
            return key in project.groups
    return True


def freeze_limits(
    limits: Sequence[Limit], *, projects: Iterable[Project], tree: HeadingTree
) -> tuple[Limit, ...]:
    """The limits with each share of the projects as a number, rounded down."""
    known = list(projects)
    frozen = []
    for limit in limits:
        numbers: dict[str, Any] = {
            measure: _frozen(bounds, limit, known, tree)
            for measure, bounds in limit.bounds().items()
        }
        frozen.append(replace(limit, **numbers))
    return tuple(frozen)


def _frozen(bounds: Bounds, limit: Limit, projects: list[Project], tree: HeadingTree) -> Bounds:
    if bounds.share is None:
        return bounds
    exactly = math.floor(bounds.share * sum(is_over(limit.over, each, tree) for each in projects))
    return Bounds(min=exactly, max=exactly)


def broken_limits(
    limits: Sequence[Limit],
    *,
    marks: Sequence[Mark],
    projects: Mapping[str, Project],
    tree: HeadingTree,
) -> list[BrokenLimit]:
    """Every limit that the marks break, in the order of the limits.

    *limits* are frozen (no shares); every mark is of one of *projects*, none is marked twice.
    """
    marked = [(projects[mark.key], mark.points) for mark in marks]
    return [
        BrokenLimit(over=over, measure=measure, min=bounds.min, max=bounds.max, found=found)
        for limit in limits
        for over, within in _scopes(limit, marked, projects, tree)
        for measure, bounds in limit.bounds().items()
        if is_outside(found := _measured(measure, within), bounds)
    ]


def is_outside(found: int, bounds: Bounds) -> bool:
    """Whether *found* is below or above the bounds."""
    return (bounds.min is not None and found < bounds.min) or (
        bounds.max is not None and found > bounds.max
    )


Marked = list[tuple[Project, int]]


def _scopes(
    limit: Limit, marked: Marked, projects: Mapping[str, Project], tree: HeadingTree
) -> Iterator[tuple[str, Marked]]:
    """What a limit measures, by name: one thing, or each heading that has projects.

    A heading without a mark can only have too little: where there is no least, it is not looked at.
    """
    if limit.over != EACH_HEADING:
        yield limit.over, [each for each in marked if is_over(limit.over, each[0], tree)]
        return
    has_least = any(bounds.min for bounds in limit.bounds().values())
    among = projects.values() if has_least else [project for project, _ in marked]
    for heading in sorted({each.heading for each in among}):
        yield f"heading:{heading}", [each for each in marked if each[0].heading == heading]


def _measured(measure: Measure, marked: Marked) -> int:
    match measure:
        case "count":
            return len(marked)
        case "cost":
            return sum(project.cost for project, _ in marked)
        case "points":
            return sum(points for _, points in marked)
        case "headings":
            return len({project.heading for project, _ in marked})
