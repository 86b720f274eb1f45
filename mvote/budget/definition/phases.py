"""When what happens, who may propose, and how long an answer may take."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

from mvote.budget.cycle import PhaseKind
from mvote.budget.definition.scalars import AreaCode, Between, Days

Basis = Literal["home", "work", "business", "study"]
Bases = Annotated[tuple[Basis, ...], Between(1, 4)]


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One step, half open: [opens_at, closes_at)."""

    kind: PhaseKind
    opens_at: dt.datetime
    closes_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Proposers:
    """Who may propose: by what ties them to the city, and who may not all the same."""

    basis: Bases = ("home",)
    areas: Annotated[
        tuple[AreaCode, ...], Between(0, 500), "Where they must have them; none: anywhere."
    ] = ()
    organisations: bool = False
    excluded: Annotated[tuple[Literal["public_body_staff"], ...], Between(0, 1)] = ()


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """Days that each of these may take."""

    assess_days: Annotated[Days, "For a department's finding."] = 30
    return_days: Annotated[Days, "For the author to mend what was returned."] = 10
    appeal_days: Annotated[Days, "For the author to appeal."] = 7
    appeal_decision_days: Annotated[Days, "To decide on an appeal."] = 14
