"""What proposals ask of the places; `geo` satisfies it, `api` joins them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy.orm import Session


class ProposalPlaces(Protocol):
    """Where projects would stand."""

    def keep(
        self, session: Session, *, proposal_id: uuid.UUID, revision: int, places: list[Any]
    ) -> list[str]:
        """Keep the places of a revision, in place of what it had; the codes of their areas.

        Raises InvalidRequest for what is no place, or none in the city.
        """

    def near(
        self, session: Session, *, proposal_id: uuid.UUID, revision: int, within_m: float
    ) -> dict[uuid.UUID, float]:
        """Other proposals with a place so near, each with the distance in metres."""

    def shapes(
        self, session: Session, *, revisions: Sequence[tuple[uuid.UUID, int]]
    ) -> dict[uuid.UUID, list[Any]]:
        """For each proposal the GeoJSON geometries of a revision's places."""
