"""Sites: real places with a name, an address, a point and a radius, where a code may hang."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, Computed, Index, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from geo.areas import Area, current
from geo.columns import planar, point_on_earth
from mvote.base import Base, new_id, utc_now
from mvote.errors import ImpossibleTransition, NotFound, stands_for
from mvote.journal import Event, write_down

SMALLEST_RADIUS_M, LARGEST_RADIUS_M = 1, 10_000
WHERE_IT_IS = frozenset({"lat", "lon", "radius_m"})


def _held_still() -> ImpossibleTransition:
    return ImpossibleTransition(state="in use by a poll", verb="move the site")


stands_for("site_held_still", _held_still)


class Site(Base):
    """A dong office, a station, a hall: where a scanned code, or a position near, is presence."""

    __tablename__ = "site"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[dict[str, Any]]
    address: Mapped[dict[str, Any]]
    lat: Mapped[float]
    lon: Mapped[float]
    point: Mapped[WKBElement] = mapped_column(
        point_on_earth(),
        Computed("geography(st_setsrid(st_makepoint(lon, lat), 4326))", persisted=True),
        deferred=True,
    )
    radius_m: Mapped[float]
    opening_hours: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_by: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: counts the revisions; whoever revises says which one they have read
    version: Mapped[int] = mapped_column(default=1)
    #: some public poll is held here: the search for polls nearby looks at no other
    in_use: Mapped[bool] = mapped_column(default=False, server_default=text("false"))

    __table_args__ = (
        CheckConstraint(
            "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name="point_on_earth"
        ),
        CheckConstraint(
            f"radius_m BETWEEN {SMALLEST_RADIUS_M} AND {LARGEST_RADIUS_M}", name="radius_in_range"
        ),
        Index("ix_site_point", text("geometry(point)"), postgresql_using="gist"),
        Index("ix_site_in_use", "point", postgresql_using="gist", postgresql_where=text("in_use")),
    )


@dataclass(frozen=True, kw_only=True)
class SiteAdded(Event):
    kind: ClassVar[str] = "site:added"


@dataclass(frozen=True, kw_only=True)
class SiteRevised(Event):
    """Names what was changed; where the site stands is public and no secret."""

    kind: ClassVar[str] = "site:revised"

    changed: list[str]


def add_site(session: Session, *, facts: Mapping[str, Any], created_by: uuid.UUID | None) -> Site:
    """A new site from `name`, `address`, `lat`, `lon`, `radius_m` and perhaps `opening_hours`."""
    site = Site(**facts, created_by=created_by)
    session.add(site)
    session.flush()
    write_down(session, SiteAdded(), actor_id=created_by, subject_id=site.id)
    return site


def site_of(session: Session, site_id: uuid.UUID, *, to_revise: bool = False) -> Site:
    """The site, locked if it is going to be revised. Raises NotFound."""
    site = session.get(Site, site_id, with_for_update=True if to_revise else None)
    if site is None:
        raise NotFound
    return site


def sites_of(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Site]:
    """The sites with these ids, as far as there are such."""
    return {site.id: site for site in session.scalars(select(Site).where(Site.id.in_(ids)))}


def revise_site(
    session: Session, *, site: Site, changes: Mapping[str, Any], actor_id: uuid.UUID | None
) -> None:
    """Change some of a site's facts, whose row is locked; nothing happens if all stay as they are.

    Raises ImpossibleTransition for moving or widening a site at which a frozen poll is held: its
    voters know where they must be.
    """
    changed = [name for name, value in changes.items() if getattr(site, name) != value]
    if not changed:
        return
    if not WHERE_IT_IS.isdisjoint(changed) and is_held_still(session, site.id):
        raise _held_still()
    for name in changed:
        setattr(site, name, changes[name])
    site.version += 1
    site.updated_at = utc_now()
    session.flush()
    write_down(session, SiteRevised(changed=changed), actor_id=actor_id, subject_id=site.id)


def is_held_still(session: Session, site_id: uuid.UUID) -> bool:
    """Whether a code joins the site to a frozen poll in which one may still vote, or will: a
    private one as well. The database's own guard asks the same."""
    return bool(session.scalar(select(func.site_held_still(site_id))))


def list_sites(
    session: Session,
    *,
    limit: int,
    after: uuid.UUID | None = None,
    area_code: str | None = None,
    on: dt.date | None = None,
) -> list[Site]:
    """Up to *limit* sites in the order of their ids, perhaps only those within an area."""
    wanted = select(Site).order_by(Site.id).limit(limit)
    if after is not None:
        wanted = wanted.where(Site.id > after)
    if area_code is not None:
        area_id = current(session, area_code, on=on).id
        wanted = wanted.join(Area, func.ST_Covers(Area.geom, planar(Site.point)))
        wanted = wanted.where(Area.id == area_id)
    return list(session.scalars(wanted))
