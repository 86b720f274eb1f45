"""Where polls are held, for "polls near me": nearest first, by KNN on indexes.

A poll's own circle or polygon stands with the poll (`near`). Areas and sites are shared: they are
searched for themselves, and their polls come along, so that a hundred thousand polls of one
district cost no more than one.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Sequence
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    Row,
    Select,
    Update,
    bindparam,
    case,
    delete,
    exists,
    func,
    lateral,
    literal,
    literal_column,
    null,
    select,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from geo.areas import Area
from geo.columns import on_earth, point, shape_on_earth
from geo.geofence import Geofence, away_m
from geo.measuring import away_from_polygon
from geo.sites import Site
from mvote.base import Base
from mvote.polls.listing import in_lists
from mvote.polls.poll import Poll

CORNERS = 12
WIDER = 1.001
"""The polygon around a circle has its corners farther out than needed, by a thousandth."""
SPHERE_TO_SPHEROID = 1.01
"""The index measures on a sphere, which may be wrong by 0.56 %: how much its order may mislead."""

MANY = bindparam("many", type_=Integer(), literal_execute=True)
"""How many rows of each source; stands in the text, for the planner must know that it is small."""
ENOUGH = bindparam("enough", type_=Integer(), literal_execute=True)
"""How many polls of one area or site: more of them, all equally near, are never asked for."""
NOTHING: ColumnElement[int] = literal_column("0")


class PollPlace(Base):
    """One place of a poll: the shape of its geofence, an area or a site."""

    __tablename__ = "poll_place"

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: the site's id, or the poll's own for its geofence
    place_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    site_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("site.id"))
    area_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("area.id"))
    #: a coarse shape around the circle or polygon: never farther than it, and quick to measure
    near: Mapped[WKBElement | None] = mapped_column(shape_on_earth(), deferred=True)
    #: whether the search finds it: the poll is announced or open
    live: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    #: when voting ends, as far as it was known when the poll was let be found
    live_until: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("num_nonnulls(site_id, area_id, near) = 1", name="one_kind_of_place"),
        Index(
            "ix_poll_place_near",
            "near",
            postgresql_using="gist",
            postgresql_where=text("live AND near IS NOT NULL"),
        ),
        Index("ix_poll_place_live_until", "live_until", postgresql_where=text("live")),
        Index(
            "ix_poll_place_site_id",
            "site_id",
            "poll_id",
            postgresql_where=text("live AND site_id IS NOT NULL"),
        ),
        Index(
            "ix_poll_place_area_id",
            "area_id",
            "poll_id",
            postgresql_where=text("live AND area_id IS NOT NULL"),
        ),
    )


def put_place(session: Session, *, poll_id: uuid.UUID) -> None:
    """Let the search know the poll by its geofence, or forget it if there is none any more."""
    session.execute(
        delete(PollPlace).where(PollPlace.poll_id == poll_id, PollPlace.place_id == poll_id)
    )
    near = case(
        (Geofence.kind == "circle", _around_circle()),
        (Geofence.kind == "polygon", _around_polygon()),
        else_=null(),
    )
    place = select(Geofence.poll_id, Geofence.poll_id, Geofence.area_id, near)
    columns = ["poll_id", "place_id", "area_id", "near"]
    session.execute(
        insert(PollPlace).from_select(columns, place.where(Geofence.poll_id == poll_id))
    )


def add_site_place(session: Session, *, poll_id: uuid.UUID, site_id: uuid.UUID) -> None:
    """Let the search know that the poll is held at the site, too; at once if it is frozen."""
    place = insert(PollPlace).values(poll_id=poll_id, place_id=site_id, site_id=site_id)
    session.execute(place.on_conflict_do_nothing())
    if session.scalar(select(Poll.state).where(Poll.id == poll_id)) == "open":
        set_live(session, poll_id=poll_id, live=True)


def remove_site_place(session: Session, *, poll_id: uuid.UUID, site_id: uuid.UUID) -> None:
    """Let the search forget that the poll is held at the site."""
    session.execute(
        delete(PollPlace).where(PollPlace.poll_id == poll_id, PollPlace.place_id == site_id)
    )
    _mark_use(session, Site, PollPlace.site_id, {site_id})


def set_live(session: Session, *, poll_id: uuid.UUID, live: bool) -> None:
    """Let the search find the poll at all its places until voting ends, or no longer.

    A private poll is found nowhere, nor one that is held back.
    """
    live = live and not session.scalar(select(~in_lists()).where(Poll.id == poll_id))
    until = session.scalar(select(Poll.closes_at).where(Poll.id == poll_id)) if live else None
    of_poll = update(PollPlace).where(PollPlace.poll_id == poll_id)
    _change(session, of_poll.values(live=live, live_until=until))


def hide_ended(session: Session) -> None:
    """Let the search forget every poll whose voting has ended."""
    is_over = PollPlace.live_until <= func.clock_timestamp()  # that clock decides when voting ends
    ended = update(PollPlace).where(PollPlace.live, is_over)
    _change(session, ended.values(live=False, live_until=None))


def _change(session: Session, change: Update) -> None:
    """Change places, and note of the areas and sites among them whether they are in use."""
    quietly = change.execution_options(synchronize_session=False)
    changed = session.execute(quietly.returning(PollPlace.site_id, PollPlace.area_id)).all()
    _mark_use(session, Site, PollPlace.site_id, {row.site_id for row in changed})
    _mark_use(session, Area, PollPlace.area_id, {row.area_id for row in changed})


def _mark_use(session: Session, table: Any, place: Any, ids: set[uuid.UUID | None]) -> None:
    """Note of areas or sites whether a live poll is held there: locked first, then read."""
    shared = [each for each in ids if each]
    if not shared:
        return
    locked = select(table.id).where(table.id.in_(shared)).order_by(table.id)
    session.execute(locked.with_for_update(key_share=True))
    used = exists().where(place == table.id, PollPlace.live)
    session.execute(
        update(table)
        .where(table.id.in_(shared), table.in_use != used)
        .values(in_use=used)
        .execution_options(synchronize_session=False)
    )


def _around_circle() -> ColumnElement[Any]:
    """SQL: a polygon of some corners around the geofence's circle, on the spheroid."""
    corner = func.generate_series(0, CORNERS).column_valued("corner")
    azimuth = func.mod(corner, CORNERS) * literal(2 * math.pi / CORNERS, Float())
    reach = Geofence.radius_m * literal(WIDER / math.cos(math.pi / CORNERS), Float())
    projected = func.geometry(func.ST_Project(Geofence.center, reach, azimuth))
    ring = func.ST_MakeLine(func.array_agg(aggregate_order_by(projected, corner)))
    return select(on_earth(func.ST_MakePolygon(ring))).correlate(Geofence).scalar_subquery()


def _around_polygon() -> ColumnElement[Any]:
    """SQL: a coarse shape around the geofence's polygon, as areas have one."""
    hull = func.ST_ConvexHull(Geofence.shape)
    return on_earth(func.ST_Buffer(hull, literal(0.0005, Float()), "quad_segs=1"))


def _to(here: ColumnElement[Any], shape: Any) -> ColumnElement[float]:
    """SQL: the distance by which the index sorts, in metres on a sphere."""
    return shape.op("<->", return_type=Float())(on_earth(here))  # type: ignore[no-any-return]


def _of_own(here: ColumnElement[Any]) -> Select[Any]:
    """The nearest circles and polygons."""
    bound = _to(here, PollPlace.near)
    nearest = (
        select(PollPlace.poll_id, bound.label("bound"))
        .where(PollPlace.live, PollPlace.near.is_not(None))
        .order_by(bound)
        .limit(MANY)
        .subquery()
    )
    with_fence = nearest.join(Geofence, Geofence.poll_id == nearest.c.poll_id).outerjoin(
        Area, Area.id == Geofence.area_id
    )
    columns = (nearest.c.poll_id, nearest.c.bound, away_m(here).label("distance_m"))
    return select(literal_column("0"), *columns).select_from(with_fence)


def _of_shared(number: str, table: Any, columns: Any, key: Any) -> Select[Any]:
    """The polls of the nearest places, the places sorted by the index, one after the other."""
    bound, distance_m = columns
    place = (
        select(table.id, bound.label("bound"), distance_m.label("distance_m"))
        .where(table.in_use)
        .order_by(bound)
        .offset(NOTHING)
        .subquery()
    )
    polls = lateral(
        select(PollPlace.poll_id)
        .where(key == place.c.id, PollPlace.live, key.is_not(None))
        .order_by(PollPlace.poll_id.desc())
        .limit(ENOUGH)
    )
    nearest = (
        select(polls.c.poll_id, place.c.bound, place.c.distance_m)
        .select_from(place.join(polls, true()))
        .order_by(place.c.bound)
        .limit(MANY)
        .subquery()
    )
    return select(literal_column(number), *nearest.c)


def _nearest() -> Any:
    here = point(bindparam("lat", type_=Float()), bindparam("lon", type_=Float()))
    to_site = (_to(here, Site.point), func.ST_Distance(Site.point, on_earth(here)))
    to_area = (_to(here, Area.around), away_from_polygon(Area.geom, here))
    return union_all(
        _of_own(here),
        _of_shared("1", Site, to_site, PollPlace.site_id),
        _of_shared("2", Area, to_area, PollPlace.area_id),
    )


NEAREST = _nearest()


def nearby(
    session: Session, *, lat: float, lon: float, radius_m: float, limit: int
) -> list[tuple[uuid.UUID, float]]:
    """Up to *limit* live polls held within *radius_m* metres of the point, nearest first.

    With each comes its distance in metres on the spheroid: 0 inside its area, else to the rim
    (to the point of a site). Of equally near polls the newest come first.
    """
    many = 2 * limit + 10
    while True:
        rows = session.execute(
            NEAREST, {"lat": lat, "lon": lon, "many": many, "enough": limit}
        ).all()
        horizon = min(_horizon(rows, source, many) for source in range(3))
        found = _nearest_of_each(rows, min(radius_m, horizon))
        if len(found) >= limit or horizon >= radius_m:
            return found[:limit]
        many *= 4


def _horizon(rows: Sequence[Row[Any]], source: int, many: int) -> float:
    """Up to which distance a source has surely given all that it has."""
    bounds = [row.bound for row in rows if row[0] == source]
    return max(bounds) / SPHERE_TO_SPHEROID if len(bounds) == many else float("inf")


def _nearest_of_each(rows: Sequence[Row[Any]], reach_m: float) -> list[tuple[uuid.UUID, float]]:
    """Each poll once, at its nearest place, nearest first."""
    nearest: dict[uuid.UUID, float] = {}
    for row in rows:
        if row.distance_m <= min(reach_m, nearest.get(row.poll_id, reach_m)):
            nearest[row.poll_id] = row.distance_m
    return sorted(nearest.items(), key=lambda found: (found[1], -found[0].int))
