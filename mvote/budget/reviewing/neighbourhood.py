"""What recusal asks of the places; `geo` satisfies it, `api` joins them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from sqlalchemy.orm import Session

Point = Mapping[str, float]
"""`lat`, `lon` in degrees (WGS 84)."""


class Neighbourhood(Protocol):
    """What lies in one dong, and what near."""

    def dongs_among(self, session: Session, *, codes: Collection[str]) -> set[str]:
        """Those of the areas' *codes* that are a dong's."""

    def near(
        self,
        session: Session,
        *,
        points: Mapping[uuid.UUID, Sequence[Point]],
        revisions: Collection[tuple[uuid.UUID, int]],
        within_m: float,
    ) -> set[tuple[uuid.UUID, uuid.UUID]]:
        """(proposal, whose) for each revision of a proposal with a place so near to a point.

        A place that is an official area counts only if it is a dong.
        """
