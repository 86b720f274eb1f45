"""What an allocation is made of. Money is in the currency's smallest unit (won, cent)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

Exact = int | Fraction
"""A number that is never rounded."""

Normalise = Literal["share_of_votes", "of_max", "share_of_ballots", "of_scale", "rank"]
Completion = Literal["none", "add1", "add1u"]
Code = Literal[
    "funded",
    "funded_in_part",
    "struck",
    "below_floor",
    "excluded_by",
    "does_not_fit",
    "closed",
    "ranked",
    "unaffordable",
    "undecided",
    "not_allocated",
]
"""`closed`: a project before it did not fit, and the rule stops there. `ranked`: no limit stands
above it, so the vote ranks and the plenary decides. `unaffordable`: its supporters' money, under
equal shares, does not reach its cost. `undecided`: there is no result, the plenary decides.
`not_allocated`: so few ballots came that nothing is allocated, as voters were told."""

BUDGET_LIMIT = "budget_limit"
"""The name of the limit of everything, where a heading's key would stand."""


@dataclass(frozen=True, slots=True)
class Project:
    """An option of the contest, at the price that was frozen with the poll."""

    reference: str
    cost: int
    heading: str | None = None
    struck: bool = False
    min_useful_amount: int | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """A part of the budget; `parent` None stands directly under the limit of everything.

    `elsewhere`: decided by another contest or another body; its limit is not to be spent here.
    """

    key: str
    limit: int | None = None
    parent: str | None = None
    leftover: Literal["stays", "to_parent"] = "stays"
    max_projects: int | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """What one source brought: `votes` (or points) by reference.

    `ballots` are those that were counted, blank ones too, spoilt ones not; a survey's sample size.
    `scale` is the highest score that one ballot can give a project, for `of_scale`.
    """

    votes: Mapping[str, Exact]
    ballots: int
    scale: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Whom the contest asks, and what its answer weighs. `tally` None: it did not come about."""

    key: str
    tally: Tally | None
    weight: Exact = 1


@dataclass(frozen=True, slots=True)
class Blend:
    """How several sources become one score. Without a blend it is the votes of the only source."""

    normalise: Normalise = "share_of_votes"
    missing: Literal["block", "redistribute"] = "block"
    min_ballots: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """How the money is given out. `step`: the s of `add1`, in the smallest unit."""

    rule: Literal["greedy", "equal_shares"] = "greedy"
    on_no_fit: Literal["skip", "stop"] = "skip"
    floor: Exact | None = None
    exclusive: tuple[frozenset[str], ...] = ()
    part_funding: bool = False
    ties: tuple[str, ...] = ("lower_cost", "lot")
    completion: Completion = "none"
    step: int = 1
    comparison: bool = False
    compare: tuple[str, ...] = ()


Approvals = Mapping[tuple[str, ...], int]
"""How many ballots approve exactly these references. The empty tuple: blank ballots."""


@dataclass(frozen=True, slots=True)
class Contest:
    """Everything an allocation depends on; the same contest always gives the same allocation.

    `limit` None: nothing binds but the headings' limits. `approvals` are needed by equal shares.
    `max_projects` limits the whole contest.
    """

    projects: tuple[Project, ...]
    sources: tuple[Source, ...]
    limit: int | None
    rule: Rule = field(default_factory=Rule)
    blend: Blend | None = None
    headings: tuple[Heading, ...] = ()
    max_projects: int | None = None
    seed: bytes = b""
    approvals: Approvals | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one project, at which step of the published order.

    `heading` is what stopped it (of several, the tightest) and `left` the money left there just
    then; for a funded project `left` is the least money left above it just before.
    `closes`: this decision ended what could be spent under that heading.
    """

    reference: str
    code: Code
    amount: int = 0
    heading: str | None = None
    left: int | None = None
    peer: str | None = None
    closes: str | None = None


FUNDED: frozenset[Code] = frozenset({"funded", "funded_in_part"})
