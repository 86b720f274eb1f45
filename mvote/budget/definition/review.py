"""How the committee reviews: criteria, opinions, quorum, majority, and who decides."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal

from mvote.budget.definition.scalars import Between, Count, Key, Share, Title

HALF = Fraction(1, 2)
Seats = Annotated[int, Between(0, 10_000)]


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """What a score is given for: 0 to *scale* points, which weigh *weight*."""

    key: Key
    title: Title | None = None
    scale: Annotated[int, Between(1, 1_000)] = 5
    weight: Annotated[int, Between(0, 1_000)] = 1


@dataclass(frozen=True, kw_only=True)
class Decide:
    """Each project by itself, or a ranked list in one vote."""

    mode: Literal["each", "shortlist"] = "each"
    max_projects: Annotated[Count | None, "So many on the list at most."] = None


@dataclass(frozen=True, kw_only=True)
class Quorum:
    """With E seats that may take part, more than E · *more_than* must; E itself from *floor* on."""

    more_than: Share = HALF
    floor: Annotated[Seats, "With fewer seats the fallback body decides."] = 1


@dataclass(frozen=True, kw_only=True)
class Majority:
    """With P who take part, more than P · *more_than* must say yes."""

    more_than: Share = HALF
    of: Literal["present"] = "present"


@dataclass(frozen=True, kw_only=True)
class Review:
    """The review. Bodies are named as the cycle's committees are."""

    criteria: Annotated[tuple[Criterion, ...], Between(0, 50)] = ()
    opinions_min: Annotated[Seats, "So many opinions before a judgment."] = 0
    body: Annotated[Key, "Who judges."]
    decide: Decide = Decide()
    confirm: Annotated[Key | None, "Who must confirm what the body decided."] = None
    fallback: Annotated[Key | None, "Who judges if the body cannot."] = None
    quorum: Quorum = Quorum()
    carried: Majority = Majority()
    appeal_body: Annotated[Key | None, "Who judges appeals; none: there are none."] = None
