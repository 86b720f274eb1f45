"""What a ballot may say: the method, and limits by heading, kind and group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from mvote.budget.definition.scalars import Between, Matching, Share
from mvote.wording import say

Method = Literal["approve", "knapsack", "ranking", "points"]
Measure = Literal["count", "cost", "points", "headings"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
MOST_POINTS = 65_535
"""For one project: what fits into a ballot."""
Over = Annotated[
    str,
    Matching(
        r"all|each:heading|(heading|kind|group):[A-Za-z0-9_-]{1,40}",
        say("One of all, each:heading, heading:K, kind:K, group:G."),
    ),
    "What is measured: all marked projects, those under a heading, of a kind, of a group, or those"
    " of each heading by itself.",
]
Amount = Annotated[int, Between(0, 10**15)]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """From *min* to *max*; or exactly a share of the projects, rounded down when frozen."""

    min: Amount | None = None
    max: Amount | None = None
    share: Share | None = None


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What the marks of one ballot must keep to; each measure that is named must hold."""

    over: Over
    count: Annotated[Bounds | None, "How many projects."] = None
    cost: Annotated[Bounds | None, "What they cost together (a knapsack)."] = None
    points: Annotated[Bounds | None, "Points given to them together."] = None
    headings: Annotated[Bounds | None, "How many different headings."] = None

    def bounds(self) -> dict[Measure, Bounds]:
        """The measures that are named."""
        named = {measure: getattr(self, measure) for measure in MEASURES}
        return {measure: found for measure, found in named.items() if found is not None}


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """The paper. `wrong`: what breaks a limit is refused, or may be cast as a spoilt ballot."""

    method: Method = "approve"
    limits: Annotated[tuple[Limit, ...], Between(0, 100)] = ()
    wrong: Literal["refuse", "spoil"] = "refuse"
