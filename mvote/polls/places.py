"""What polls ask of the places; `geo` satisfies it, `api` and `jobs` join them."""

from __future__ import annotations

import uuid
from typing import Any, Protocol

from sqlalchemy.orm import Session

from mvote.polls.presence import Geofence


class Places(Geofence, Protocol):
    """Areas of polls, and where polls are found."""

    def save_area(
        self,
        session: Session,
        *,
        poll_id: uuid.UUID,
        area: dict[str, Any] | None,
        max_accuracy_m: int | None,
    ) -> None:
        """Keep a draft's area (circle, GeoJSON or area code). Raises InvalidRequest."""

    def described_area(self, session: Session, *, poll_id: uuid.UUID) -> dict[str, Any] | None:
        """The area as it goes into the definition; None if the poll has none."""

    def is_narrow(self, session: Session, *, poll_id: uuid.UUID) -> bool:
        """Whether phones can hardly tell inside from outside there."""

    def unknown_areas(self, session: Session, *, area_codes: list[str]) -> list[str]:
        """Those of *area_codes* that are no area's."""

    def show(self, session: Session, *, poll_id: uuid.UUID) -> None:
        """Let the poll be found by those who are near it."""

    def hide(self, session: Session, *, poll_id: uuid.UUID) -> None:
        """Let it be found no more."""

    def hide_ended(self, session: Session) -> None:
        """Hide every poll whose voting is over."""
