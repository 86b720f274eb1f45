"""What a .pb file says before its first ballot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mvote.budget.pabulib.money import Currency
from mvote.budget.pabulib.rules import PbRule


@dataclass(frozen=True, slots=True)
class PbProject:
    """A row of PROJECTS. `votes`, `score`, `selected` as the file has them, if it has them."""

    reference: str
    cost: int
    name: str = ""
    votes: int | None = None
    score: int | None = None
    selected: int | None = None
    category: str = ""
    withdrawn: bool = False
    line: int = 0


@dataclass(frozen=True)
class Head:
    """`meta` holds every key of META as it stands there; amounts are in the smallest unit."""

    meta: Mapping[str, str]
    currency: Currency
    budget: int
    vote_type: str
    rule: PbRule
    num_votes: int
    projects: tuple[PbProject, ...]
    floor: int | None = None
    lengths: tuple[int | None, int | None] = (None, None)
    points: tuple[int | None, int | None] = (None, None)
    default_score: int = 0
    columns: tuple[str, ...] = field(default=())

    @property
    def borda_length(self) -> int:
        """What the first project of an ordinal ballot gets."""
        return self.lengths[1] or len(self.projects)
