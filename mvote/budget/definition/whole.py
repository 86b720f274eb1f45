"""The whole definition of a cycle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from mvote.budget.definition.contests import Contest
from mvote.budget.definition.headings import CostCap, Heading, Kind
from mvote.budget.definition.phases import Clocks, Phase, Proposers
from mvote.budget.definition.review import Review
from mvote.budget.definition.scalars import Between, Currency, Key, Money, Title, Words

RESIDENTS = Proposers()
USUAL_CLOCKS = Clocks()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Who confirms the allocation, and what may still change."""

    by: Key = "plenary"
    may_deviate: Literal["with_reason", "never"] = "with_reason"
    reserve_list: bool = False
    enacted_by: Annotated[Key | None, "Who enacts the amounts in the end."] = None


@dataclass(frozen=True, kw_only=True)
class Definition:
    """All rules of a cycle."""

    title: Title
    description: Words | None = None
    currency: Currency
    budget_year: Annotated[int, Between(1900, 9000)]
    budget_limit: Annotated[Money | None, "None: nothing binds, the vote only ranks."] = None
    headings: Annotated[tuple[Heading, ...], Between(1, 500)]
    kinds: Annotated[tuple[Kind, ...], Between(0, 100)] = ()
    cost_caps: Annotated[tuple[CostCap, ...], Between(0, 500)] = ()
    proposers: Proposers = RESIDENTS
    phases: Annotated[tuple[Phase, ...], Between(1, 6)]
    clocks: Clocks = USUAL_CLOCKS
    review: Annotated[Review | None, "None: no committee reviews."] = None
    contests: Annotated[tuple[Contest, ...], Between(0, 100)] = ()
    decision: Decision = Decision()
