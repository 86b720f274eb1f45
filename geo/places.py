"""The places as polls ask for them: satisfies `mvote.polls.places.Places`."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from geo import areas, drawing, geofence, nearby, sites
from geo.geofence import Geofences
from mvote.polls.presence import Position, Verdict


class CityPlaces(Geofences):
    """Areas of polls, and where polls are found, kept in PostGIS."""

    def save_area(
        self,
        session: Session,
        *,
        poll_id: uuid.UUID,
        area: dict[str, Any] | None,
        max_accuracy_m: int | None,
    ) -> None:
        """Keep a draft's area (circle, GeoJSON or area code). Raises InvalidRequest."""
        drawing.save(session, poll_id=poll_id, area=area, max_accuracy_m=max_accuracy_m)

    def described_area(self, session: Session, *, poll_id: uuid.UUID) -> dict[str, Any] | None:
        """The area as it goes into the definition; None if the poll has none."""
        return drawing.described(session, poll_id)

    def is_narrow(self, session: Session, *, poll_id: uuid.UUID) -> bool:
        """Whether phones can hardly tell inside from outside there."""
        return drawing.narrow(session, poll_id)

    def unknown_areas(self, session: Session, *, area_codes: list[str]) -> list[str]:
        """Those of *area_codes* that are no area's."""
        return [code for code in area_codes if areas.lineage(session, code) is None]

    def show(self, session: Session, *, poll_id: uuid.UUID) -> None:
        """Let the poll be found by those who are near it."""
        nearby.put_place(session, poll_id=poll_id)
        nearby.set_live(session, poll_id=poll_id, live=True)

    def hide(self, session: Session, *, poll_id: uuid.UUID) -> None:
        """Let it be found no more."""
        nearby.set_live(session, poll_id=poll_id, live=False)

    def hide_ended(self, session: Session) -> None:
        """Hide every poll whose voting is over."""
        nearby.hide_ended(session)

    def knows_site(self, session: Session, *, site_id: uuid.UUID) -> bool:
        """Whether there is such a site."""
        return session.get(sites.Site, site_id) is not None

    def verdict_at_site(
        self, session: Session, *, site_id: uuid.UUID, position: Position
    ) -> Verdict:
        """Whether *position* proves presence within the site's radius."""
        return geofence.verdict_at_site(session, site_id=site_id, position=position)

    def join_site(self, session: Session, *, poll_id: uuid.UUID, site_id: uuid.UUID) -> None:
        """Let the poll be found by those who are near the site."""
        nearby.add_site_place(session, poll_id=poll_id, site_id=site_id)

    def part_site(self, session: Session, *, poll_id: uuid.UUID, site_id: uuid.UUID) -> None:
        """Let it no longer be found there."""
        nearby.remove_site_place(session, poll_id=poll_id, site_id=site_id)
