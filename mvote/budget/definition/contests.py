"""A contest: whose votes decide on which headings, how they are blended, and by which rule."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from mvote.budget.definition.ballots import Ballot
from mvote.budget.definition.phases import Bases
from mvote.budget.definition.scalars import (
    AreaCode,
    Between,
    Count,
    Key,
    Matching,
    Money,
    Name,
    Score,
    Title,
)
from mvote.wording import say

Normalise = Literal["share_of_votes", "of_max", "share_of_ballots", "of_scale", "rank"]
NORMALISATIONS: tuple[Normalise, ...] = get_args(Normalise)
RuleName = Annotated[
    str, Matching(r"[A-Za-z0-9_/-]{1,60}", say("1 to 60 letters, digits, - _ or /."))
]
Age = Annotated[int, Between(0, 150)]
ACTIVE_SEATS = "active_seats"
"""The roll of all who hold a voting seat of the committee."""
TIES_WITHOUT_VOTES = ("lower_cost", "lot")
ONLY = "_only"
WITHOUT_LIMITS = Ballot()
USUAL_STEP = 1_000
SHARES = ("equal_shares", "equal_shares/add1", "equal_shares/add1u")
COMPARISONS = ("no_skip", "skip", "greedy", *SHARES, *NORMALISATIONS)
"""Other rules whose outcome may stand beside the binding one; and `<source>_only`."""


@dataclass(frozen=True, kw_only=True)
class SourceEligibility:
    """Who may vote in a source. An empty list or none is no rule."""

    areas: Annotated[tuple[AreaCode, ...], Between(0, 500)] = ()
    area_basis: Bases = ("home",)
    min_age: Age | None = None
    max_age: Age | None = None
    genders: Annotated[tuple[Literal["female", "male", "other"], ...], Between(0, 3)] = ()
    excluded: Annotated[tuple[Literal["public_body_staff"], ...], Between(0, 1)] = ()
    verified_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Source:
    """Whose votes count: a poll among the eligible or those on a roll, or a survey's statement."""

    key: Key
    title: Title | None = None
    kind: Literal["poll", "statement"] = "poll"
    weight: Annotated[int, Between(0, 1_000_000)] = 1
    eligibility: SourceEligibility | None = None
    roll: Annotated[
        Key | None, "`active_seats`: the committee's voting seats; else an imported roll's name."
    ] = None
    opens_at: Annotated[dt.datetime | None, "Without: when balloting begins."] = None
    closes_at: Annotated[dt.datetime | None, "Without: when balloting ends."] = None
    records: Annotated[
        Literal["totals", "full"] | None,
        "Without: full where equal shares needs them, else totals.",
    ] = None
    unit: Annotated[Key | None, "What a statement counts."] = None


@dataclass(frozen=True, kw_only=True)
class Group:
    """Projects that have something in common; which ones is said when they are known."""

    key: Key
    title: Title | None = None


@dataclass(frozen=True, kw_only=True)
class Blend:
    """How the sources become one score."""

    normalise: Normalise = "share_of_votes"
    scale: Annotated[
        Annotated[int, Between(1, 1_000)] | None, "Most points for one project, for `of_scale`."
    ] = None
    missing: Literal["block", "redistribute"] = "block"
    min_ballots: Annotated[int, Between(0, 10**9)] = 0


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """The rule by which projects are funded."""

    rule: Literal["greedy", "equal_shares"]
    on_no_fit: Annotated[
        Literal["skip", "stop"],
        "Greedy, where a project does not fit: go on, or close its heading.",
    ] = "skip"
    floor: Annotated[Score | None, "What scores less is not funded."] = None
    exclusive: Annotated[
        tuple[Annotated[tuple[Name, ...], Between(0, 1_000)], ...],
        Between(0, 200),
        "Sets of which one project at most is funded; each names groups, or projects.",
    ] = ()
    part_funding: bool = False
    ties: Annotated[
        tuple[Key, ...], Between(0, 50), "Sources, `lower_cost`, `lot`: what decides, in turn."
    ] = ("lower_cost", "lot")
    compare: Annotated[
        tuple[RuleName, ...], Between(0, 20), "Rules whose outcome is shown beside."
    ] = ()
    completion: Annotated[
        Literal["none", "add1", "add1u"], "Equal shares: how money left over is used."
    ] = "none"
    comparison: Annotated[
        bool, "Equal shares: greedy wins where strictly more voters prefer its outcome."
    ] = False
    step: Annotated[Money, "Equal shares: money is added in such steps."] = USUAL_STEP
    few_ballots: Annotated[
        Literal["greedy", "block"],
        "Equal shares, where so few ballots come that they are not shown one by one: greedy by"
        " votes, or nothing is allocated.",
    ] = "greedy"
    max_projects: Annotated[Count | None, "So many are funded in the contest at most."] = None


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Headings that are decided together."""

    key: Key
    title: Title | None = None
    headings: Annotated[tuple[Key, ...], Between(1, 500)]
    groups: Annotated[tuple[Group, ...], Between(0, 200)] = ()
    release: Annotated[Literal["together"], "All sources at once, when the last is counted."] = (
        "together"
    )
    double_roll: Annotated[Literal["each"], "Who is in several sources votes in each."] = "each"
    sources: Annotated[tuple[Source, ...], Between(1, 20)]
    ballot: Ballot = WITHOUT_LIMITS
    blend: Blend = Blend()
    allocation: Allocation

    def records_of(self, source: Source) -> Literal["totals", "full"]:
        """What is kept of the ballots of *source*."""
        if source.records is not None:
            return source.records
        return "full" if self.allocation.rule == "equal_shares" else "totals"
