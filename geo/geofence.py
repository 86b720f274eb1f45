"""The geofence of a poll: a circle, a drawn polygon or a version of an area; and its verdict.

A position is a circle that holds the phone with 95 %. The answer is three-valued, in this order:

1. outside: the whole circle lies outside;
2. undecided: the circle is wider than the poll accepts (`max_accuracy_m`);
3. inside: the area covers the point (its border belongs inside), even if the circle crosses it;
4. undecided: the point is outside, but the circle reaches in.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, cast

from geoalchemy2 import WKBElement
from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Computed,
    Float,
    ForeignKey,
    FromClause,
    Select,
    Uuid,
    bindparam,
    case,
    column,
    func,
    join,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from geo.areas import Area
from geo.columns import multipolygon, planar, point, point_on_earth
from geo.measuring import INSIDE, away_from_circle, away_from_polygon
from geo.sites import Site
from mvote.base import Base, state_check
from mvote.driver import Connection, driver_sql, rows_of
from mvote.polls.presence import Position, Verdict

KINDS = ("circle", "polygon", "area")
DEFAULT_MAX_ACCURACY_M = 100.0
SMALLEST_RADIUS_M, LARGEST_RADIUS_M = 10, 100_000


class Geofence(Base):
    """Where a ballot of the poll must come from. Without a row the poll asks for no place."""

    __tablename__ = "geofence"

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    center: Mapped[WKBElement | None] = mapped_column(
        point_on_earth(),
        Computed("geography(st_setsrid(st_makepoint(lon, lat), 4326))", persisted=True),
        deferred=True,
    )
    radius_m: Mapped[float | None]
    shape: Mapped[WKBElement | None] = mapped_column(multipolygon(), deferred=True)
    #: a version of an area, whose boundary never changes
    area_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("area.id"))
    max_accuracy_m: Mapped[float] = mapped_column(
        default=DEFAULT_MAX_ACCURACY_M, server_default=text("100")
    )

    __table_args__ = (
        state_check("kind", KINDS),
        CheckConstraint(
            "CASE kind WHEN 'circle' THEN num_nulls(lat, lon, radius_m) = 0"
            " AND num_nonnulls(shape, area_id) = 0"
            " WHEN 'polygon' THEN shape IS NOT NULL"
            " AND num_nonnulls(lat, lon, radius_m, area_id) = 0"
            " WHEN 'area' THEN area_id IS NOT NULL"
            " AND num_nonnulls(lat, lon, radius_m, shape) = 0 END",
            name="kind_has_what_it_needs",
        ),
        CheckConstraint(
            "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name="center_on_earth"
        ),
        CheckConstraint(
            f"radius_m BETWEEN {SMALLEST_RADIUS_M} AND {LARGEST_RADIUS_M}", name="radius_in_range"
        ),
        CheckConstraint("st_isvalid(shape) AND NOT st_isempty(shape)", name="shape_valid"),
        CheckConstraint("max_accuracy_m BETWEEN 1 AND 100000", name="max_accuracy_in_range"),
    )


def away_m(here: Any) -> ColumnElement[float]:
    """SQL: how far the planar point *here* is from the geofence, in metres; 0 if it is inside."""
    circle = away_from_circle(Geofence.center, Geofence.radius_m, here)
    polygon = away_from_polygon(func.coalesce(Geofence.shape, Area.geom), here)
    return case((Geofence.kind == literal_column("'circle'"), circle), else_=polygon)


def _verdict_on(away: Any, accuracy_m: Any, max_accuracy_m: Any) -> ColumnElement[str]:
    return case(
        (away > accuracy_m, literal_column("'outside-area'")),
        (accuracy_m > max_accuracy_m, literal_column("'position-too-coarse'")),
        (away == INSIDE, literal_column("'inside'")),
        else_=literal_column("'position-ambiguous'"),
    )


def _measured(tables: FromClause, here: Any, *also: Any) -> Select[Any]:
    """How far *here* is from the geofence. OFFSET 0: measured once, used thrice."""
    away = away_m(here).label("away")
    asked = select(away, Geofence.max_accuracy_m, *also).select_from(tables)
    return asked.offset(literal_column("0"))


def _of_one_poll(measured: Select[Any]) -> Select[Any]:
    return measured.where(Geofence.poll_id == bindparam("poll_id", type_=Uuid()))


def with_area() -> FromClause:
    """SQL: geofences, each with the area it refers to, if any."""
    return join(Geofence, Area, Area.id == Geofence.area_id, isouter=True)


def _verdict_of_one() -> Select[str]:
    here = point(bindparam("lat", type_=Float()), bindparam("lon", type_=Float()))
    measured = _of_one_poll(_measured(with_area(), here)).subquery("measured")
    accuracy_m = bindparam("accuracy_m", type_=Float())
    return select(_verdict_on(measured.c.away, accuracy_m, measured.c.max_accuracy_m))


def _verdicts_of_many() -> Select[str]:
    """Each place is measured against the geofence of the poll that it is asked for."""
    arrays = [bindparam(name, type_=ARRAY(Float())) for name in ("lats", "lons", "accuracies")]
    given = (
        func.unnest(bindparam("poll_ids", type_=ARRAY(Uuid())), *arrays)
        .table_valued(
            column("poll_id", Uuid), column("lat", Float), column("lon", Float),
            column("accuracy_m", Float), with_ordinality="n", name="given",
        )
        .render_derived()
    )  # fmt: skip
    both = join(with_area(), given, Geofence.poll_id == given.c.poll_id)
    inner = _measured(both, point(given.c.lat, given.c.lon), given.c.accuracy_m, given.c.n)
    measured = inner.subquery("measured")
    verdict = _verdict_on(measured.c.away, measured.c.accuracy_m, measured.c.max_accuracy_m)
    return select(verdict).order_by(measured.c.n)


def _site_is_inside() -> Select[bool]:
    both = join(with_area(), Site, Site.id == bindparam("site_id", type_=Uuid()))
    measured = _of_one_poll(_measured(both, planar(Site.point))).subquery("measured")
    return select(measured.c.away == INSIDE)


def _verdict_at_site() -> Select[str]:
    here = point(bindparam("lat", type_=Float()), bindparam("lon", type_=Float()))
    away = away_from_circle(Site.point, Site.radius_m, here).label("away")
    of_site = Site.id == bindparam("site_id", type_=Uuid())
    measured = select(away).where(of_site).offset(literal_column("0")).subquery("measured")
    accuracy_m = bindparam("accuracy_m", type_=Float())
    return select(_verdict_on(measured.c.away, accuracy_m, DEFAULT_MAX_ACCURACY_M))


VERDICT_OF_ONE = _verdict_of_one()
VERDICTS_OF_MANY = _verdicts_of_many()
_VERDICTS_OF_DRIVER = driver_sql(VERDICTS_OF_MANY)
SITE_IS_INSIDE = _site_is_inside()
VERDICT_AT_SITE = _verdict_at_site()


def verdict(session: Session, *, poll_id: uuid.UUID, position: Position) -> Verdict:
    """Whether *position* proves presence in the area of the poll, which must have a geofence."""
    asked = {
        "poll_id": poll_id,
        "lat": position.lat,
        "lon": position.lon,
        "accuracy_m": position.accuracy_m,
    }
    return cast("Verdict", session.scalars(VERDICT_OF_ONE, asked).one())


def verdicts(
    session: Session, *, poll_id: uuid.UUID, positions: Sequence[Position]
) -> list[Verdict]:
    """The verdict on each of the positions, in their order, asked in one statement."""
    return verdicts_in(session, asked=[(poll_id, position) for position in positions])


def verdicts_in(session: Session, *, asked: Sequence[tuple[uuid.UUID, Position]]) -> list[Verdict]:
    """The verdict on each position in its poll, which must have a geofence; in one statement."""
    return cast("list[Verdict]", session.scalars(VERDICTS_OF_MANY, _arrays(asked)).all())


def verdicts_seen(
    connection: Connection, asked: Sequence[tuple[uuid.UUID, Position]]
) -> list[Verdict]:
    """As `verdicts_in`, straight from the driver."""
    return [verdict for (verdict,) in rows_of(connection, _VERDICTS_OF_DRIVER, _arrays(asked))]


def _arrays(asked: Sequence[tuple[uuid.UUID, Position]]) -> dict[str, Any]:
    return {
        "poll_ids": [poll_id for poll_id, _ in asked],
        "lats": [float(position.lat) for _, position in asked],
        "lons": [float(position.lon) for _, position in asked],
        "accuracies": [float(position.accuracy_m) for _, position in asked],
    }


def holds_site(session: Session, *, poll_id: uuid.UUID, site_id: uuid.UUID) -> bool:
    """Whether the site lies inside the area of the poll; False without geofence or site."""
    asked = {"poll_id": poll_id, "site_id": site_id}
    return bool(session.scalar(SITE_IS_INSIDE, asked))


def verdict_at_site(session: Session, *, site_id: uuid.UUID, position: Position) -> Verdict:
    """Whether *position* proves presence within the radius of the site, which must exist."""
    asked = {
        "site_id": site_id,
        "lat": position.lat,
        "lon": position.lon,
        "accuracy_m": position.accuracy_m,
    }
    return cast("Verdict", session.scalars(VERDICT_AT_SITE, asked).one())


class Geofences:
    """What `mvote.polls.presence.Geofence` asks for, answered by PostGIS."""

    def verdict(self, session: Session, *, poll_id: uuid.UUID, position: Position) -> Verdict:
        """Whether *position* proves presence in the area of the poll."""
        return verdict(session, poll_id=poll_id, position=position)

    def holds_site(self, session: Session, *, poll_id: uuid.UUID, site_id: uuid.UUID) -> bool:
        """Whether the site lies inside the area of the poll."""
        return holds_site(session, poll_id=poll_id, site_id=site_id)
