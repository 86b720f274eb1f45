"""Proof of presence: the voter was in the area or at the site. Never where, never kept."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Literal, Protocol

from sqlalchemy.orm import Session

Verdict = Literal["inside", "outside-area", "position-too-coarse", "position-ambiguous"]
"""The geofence's answer: inside, or the code of the reason why that cannot be said."""

OLDEST = dt.timedelta(seconds=60)
AHEAD = dt.timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True, repr=False)
class Position:
    """What a phone reports: a circle that holds it with 95 %. Without repr, so never logged."""

    lat: float
    lon: float
    #: radius in metres
    accuracy_m: float
    captured_at: dt.datetime

    def is_fresh(self, now: dt.datetime) -> bool:
        """Captured at most 60 s ago and at most 5 s ahead of *now*."""
        return -AHEAD <= now - self.captured_at <= OLDEST


class Geofence(Protocol):
    """What the vote asks of the places: a verdict, never a coordinate back."""

    def verdict(self, session: Session, *, poll_id: uuid.UUID, position: Position) -> Verdict:
        """Whether *position* proves presence in the area of the poll."""

    def holds_site(self, session: Session, *, poll_id: uuid.UUID, site_id: uuid.UUID) -> bool:
        """Whether the site lies inside the area of the poll."""
