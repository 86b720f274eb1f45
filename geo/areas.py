"""Areas: versioned administrative boundaries, each with an official code and a parent.

A version is valid from a date up to, not including, another; of one code only one version is
valid at a time. The boundary of a version never changes: the database refuses it, so whatever
refers to a version by its id refers to those very numbers for ever.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from geoalchemy2 import WKBElement
from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Computed,
    Float,
    Index,
    String,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column

from geo.columns import multipolygon, point, shape_on_earth
from mvote.base import Base, new_id, utc_now
from mvote.errors import NotFound, Text

AREA_CODE = re.compile(r"[0-9A-Za-z-]{1,20}")
KIND = re.compile(r"[a-z][a-z0-9_]{0,31}")
DEEPEST = 16
"""How many parents are followed: a guard against a circle of parents."""


class Area(Base):
    """One version of a boundary. Kinds: `sido`, `gu`, `legal_dong`, `dong`, and any of a city's."""

    __tablename__ = "area"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    #: the official number; unlike the id it stays when the boundary changes
    area_code: Mapped[str]
    name: Mapped[dict[str, Any]]
    #: the area_code of the area that this one lies in
    parent_code: Mapped[str | None]
    valid_from: Mapped[dt.date]
    #: the first day on which it is no longer valid; equal to `valid_from`: never was
    valid_to: Mapped[dt.date | None]
    source: Mapped[str]
    geom: Mapped[WKBElement] = mapped_column(multipolygon(), deferred=True)
    #: SHA-256 (hex) of the boundary as little-endian WKB
    boundary_sha256: Mapped[str] = mapped_column(
        Computed("encode(sha256(st_asbinary(geom, 'NDR'::text)), 'hex'::text)", persisted=True)
    )
    #: a coarse shape around the boundary, so that measuring how near it may be costs little
    around: Mapped[WKBElement] = mapped_column(
        shape_on_earth(),
        Computed(
            "geography(st_buffer(st_convexhull(geom), 0.0005, 'quad_segs=1'::text))",
            persisted=True,
        ),
        deferred=True,
    )
    #: some poll was made for this version (the search for polls nearby looks at no other)
    in_use: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        CheckConstraint("kind ~ '^[a-z][a-z0-9_]{0,31}$'", name="kind_is_a_word"),
        CheckConstraint("area_code ~ '^[0-9A-Za-z-]{1,20}$'", name="area_code_is_plain"),
        CheckConstraint("valid_to >= valid_from", name="valid_in_order"),
        CheckConstraint("st_isvalid(geom) AND NOT st_isempty(geom)", name="boundary_valid"),
        ExcludeConstraint(
            ("area_code", "="),
            (literal_column("daterange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="ex_area_versions",
        ),
        Index("ix_area_area_code", "area_code"),
        Index("ix_area_kind_area_code", "kind", "area_code"),
        Index("ix_area_parent_code", "parent_code"),
        Index("ix_area_geom", "geom", postgresql_using="gist"),
        Index(
            "ix_area_in_use",
            "around",
            postgresql_using="gist",
            postgresql_where=text("in_use"),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class AreaName:
    """An area without its boundary."""

    area_code: str
    kind: str
    name: Text
    parent_code: str | None


_city_time = [ZoneInfo("UTC")]
NAMES = (Area.area_code, Area.kind, Area.name, Area.parent_code)
DECIMALS = 9


def valid_on(day: Any) -> ColumnElement[bool]:
    """SQL: the version of the area is valid on *day*."""
    return and_(Area.valid_from <= day, or_(Area.valid_to.is_(None), Area.valid_to > day))


def keep_city_time(time_zone: str) -> None:
    """Let versions begin and end at midnight in the city; said once, when the process starts."""
    _city_time[:] = [ZoneInfo(time_zone)]


def today() -> dt.date:
    """The day in the city."""
    return utc_now().astimezone(_city_time[-1]).date()


def current(session: Session, area_code: str, *, on: dt.date | None = None) -> Area:
    """The version of the area valid *on* a day (default today). Raises NotFound."""
    if not AREA_CODE.fullmatch(area_code):
        raise NotFound
    found = session.scalar(select(Area).where(Area.area_code == area_code, valid_on(on or today())))
    if found is None:
        raise NotFound
    return found


def list_areas(
    session: Session,
    *,
    limit: int,
    kind: str | None = None,
    parent_code: str | None = None,
    after: str | None = None,
    on: dt.date | None = None,
) -> list[AreaName]:
    """Up to *limit* areas valid on a day, in the order of their codes, without boundaries."""
    wanted = select(*NAMES).where(valid_on(on or today())).order_by(Area.area_code).limit(limit)
    if kind is not None:
        wanted = wanted.where(Area.kind == kind)
    if parent_code is not None:
        wanted = wanted.where(Area.parent_code == parent_code)
    if after is not None:
        wanted = wanted.where(Area.area_code > after)
    return [AreaName(**row._asdict()) for row in session.execute(wanted)]


def boundary(session: Session, area: Area) -> str:
    """The boundary as the text of a GeoJSON geometry, to a tenth of a millimetre."""
    text_of = func.ST_AsGeoJSON(Area.geom, DECIMALS, type_=String())
    return session.scalars(select(text_of).where(Area.id == area.id)).one()


def _lineage() -> Any:
    here = (
        select(Area.area_code, Area.parent_code, literal_column("0").label("depth"))
        .where(Area.area_code == bindparam("area_code"), valid_on(bindparam("day")))
        .cte("lineage", recursive=True)
    )
    above = select(
        func.coalesce(Area.area_code, here.c.parent_code), Area.parent_code, here.c.depth + 1
    ).select_from(
        here.outerjoin(Area, (Area.area_code == here.c.parent_code) & valid_on(bindparam("day")))
    )
    above = above.where(here.c.parent_code.is_not(None), here.c.depth < DEEPEST)
    every = here.union_all(above)
    return select(every.c.area_code).order_by(every.c.depth)


LINEAGE = _lineage()


def lineage(session: Session, area_code: str, *, on: dt.date | None = None) -> list[str] | None:
    """The code itself and its parents' upwards; None if there is no such area on that day.

    A parent that is named but not known itself still counts as the last of them.
    """
    if not AREA_CODE.fullmatch(area_code):
        return None
    found = session.scalars(LINEAGE, {"area_code": area_code, "day": on or today()}).all()
    return list(dict.fromkeys(found)) or None


def _locate() -> Any:
    here = point(bindparam("lat", type_=Float()), bindparam("lon", type_=Float()))
    return (
        select(*NAMES)
        .where(func.ST_Covers(Area.geom, here), valid_on(bindparam("day")))
        .order_by(func.ST_Area(Area.geom).desc(), Area.area_code)
    )


LOCATE = _locate()


def locate(
    session: Session, *, lat: float, lon: float, on: dt.date | None = None
) -> Sequence[AreaName]:
    """The areas that cover the point (degrees; the border belongs inside), the smallest last."""
    found = session.execute(LOCATE, {"lat": lat, "lon": lon, "day": on or today()})
    return [AreaName(**row._asdict()) for row in found]


def names_of(session: Session, codes: Sequence[str]) -> list[AreaName]:
    """The areas with these codes that are valid today, in the order of their codes."""
    wanted = select(*NAMES).where(Area.area_code.in_(codes), valid_on(today()))
    found = session.execute(wanted.order_by(Area.area_code)) if codes else ()
    return [AreaName(**row._asdict()) for row in found]
