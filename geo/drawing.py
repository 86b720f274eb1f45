"""The geofence of a draft: drawn as its author says, checked, and described for the definition.

An author gives a circle, a GeoJSON polygon or the official code of an area.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import LargeBinary, case, delete, func, select, type_coerce
from sqlalchemy.orm import Session

from geo.areas import AREA_CODE, Area, current
from geo.columns import from_wkb, on_earth
from geo.geofence import (
    DEFAULT_MAX_ACCURACY_M,
    LARGEST_RADIUS_M,
    SMALLEST_RADIUS_M,
    Geofence,
    with_area,
)
from geo.geojson import Flaw, check_all, is_finite_number, read_geometry, write_geometry
from mvote.errors import Fault, InvalidRequest, NotFound
from mvote.wording import say

NARROW_M = 150
MOST_VERTICES = 1_000
WIDEST_DEGREES = 5
MEMBERS = {"type", "coordinates", "bbox", "crs"}
SHAPES = say(
    'Give {"center": {"lat", "lon"}, "radius_m"}, a GeoJSON Polygon or MultiPolygon,'
    ' or {"area_code"}.'
)


def save(
    session: Session,
    *,
    poll_id: uuid.UUID,
    area: dict[str, Any] | None,
    max_accuracy_m: float | None = None,
    pointer: str = "/presence/area",
) -> None:
    """Keep the area of a draft, in place of what it had; None: it has none.

    *area* is `{center: {lat, lon}, radius_m}`, a GeoJSON geometry or `{area_code}`, not yet
    checked. Raises InvalidRequest that points into *pointer*.
    """
    drawn = _read(session, area, pointer) if area is not None else None
    session.execute(delete(Geofence).where(Geofence.poll_id == poll_id))
    if drawn is not None:
        accuracy = DEFAULT_MAX_ACCURACY_M if max_accuracy_m is None else max_accuracy_m
        row = Geofence(poll_id=poll_id, max_accuracy_m=accuracy, **drawn)
        session.add(row)
        session.flush()
        session.expunge(row)


def described(session: Session, poll_id: uuid.UUID) -> dict[str, Any] | None:
    """The area as a definition states it, with its exact numbers; None without a geofence.

    An area of the city's is named with its version: the day since when, and its boundary's hash.
    """
    fence = session.get(Geofence, poll_id)
    if fence is None:
        return None
    return _shape_of(session, fence) | {"max_accuracy_m": fence.max_accuracy_m}


def _shape_of(session: Session, fence: Geofence) -> dict[str, Any]:
    if fence.kind == "circle":
        center = {"lat": fence.lat, "lon": fence.lon}
        return {"kind": "circle", "center": center, "radius_m": fence.radius_m}
    if fence.kind == "polygon":
        return {"kind": "polygon", "geometry": _geometry_of(session, fence.poll_id)}
    area = session.get_one(Area, fence.area_id)
    return {
        "kind": "area",
        "area_code": area.area_code,
        "valid_from": area.valid_from.isoformat(),
        "boundary_sha256": area.boundary_sha256,
    }


def _geometry_of(session: Session, poll_id: uuid.UUID) -> dict[str, Any]:
    wkb = type_coerce(func.ST_AsBinary(Geofence.shape, "NDR"), LargeBinary())
    return write_geometry(session.scalars(select(wkb).where(Geofence.poll_id == poll_id)).one())


def narrow(session: Session, poll_id: uuid.UUID) -> bool:
    """Whether the geofence is nowhere 150 m wide: phones can hardly tell inside from outside."""
    shape = on_earth(func.coalesce(Geofence.shape, Area.geom))
    shrunk = func.geometry(func.ST_Buffer(shape, -NARROW_M / 2))
    is_narrow = case(
        (Geofence.kind == "circle", Geofence.radius_m < NARROW_M / 2),
        else_=func.ST_IsEmpty(shrunk),
    )
    asked = select(is_narrow).select_from(with_area()).where(Geofence.poll_id == poll_id)
    return bool(session.scalar(asked))


def _read(session: Session, area: Any, pointer: str) -> dict[str, Any]:
    """The columns of a geofence for *area*. Raises InvalidRequest that points into *pointer*."""
    if isinstance(area, dict):
        if set(area) == {"center", "radius_m"}:
            return _circle(area, pointer)
        if set(area) == {"area_code"}:
            return official_area(session, area["area_code"], f"{pointer}/area_code")
        if "type" in area:
            return drawn_polygon(session, area, pointer)
    raise InvalidRequest(Fault(pointer, SHAPES))


def _circle(area: dict[str, Any], pointer: str) -> dict[str, Any]:
    center = area["center"]
    if not isinstance(center, dict) or set(center) != {"lat", "lon"}:
        raise InvalidRequest(Fault(f"{pointer}/center", say("Give exactly lat and lon.")))
    return {
        "kind": "circle",
        "lat": number_between(center["lat"], -90, 90, f"{pointer}/center/lat"),
        "lon": number_between(center["lon"], -180, 180, f"{pointer}/center/lon"),
        "radius_m": number_between(
            area["radius_m"], SMALLEST_RADIUS_M, LARGEST_RADIUS_M, f"{pointer}/radius_m"
        ),
    }


def number_between(value: Any, least: float, most: float, pointer: str) -> float:
    """*value*, if it is a finite number in that range. Raises InvalidRequest."""
    if not is_finite_number(value):
        raise InvalidRequest(Fault(pointer, say("Must be a finite number.")))
    if not least <= value <= most:
        raise InvalidRequest(
            Fault(pointer, say("Must be from {least} to {most}.", least=least, most=most))
        )
    return float(value)


def official_area(session: Session, area_code: Any, pointer: str) -> dict[str, Any]:
    """Which version of an area a code names today. Raises InvalidRequest."""
    if not isinstance(area_code, str) or not AREA_CODE.fullmatch(area_code):
        raise InvalidRequest(Fault(pointer, say("Must be the code of an area.")))
    try:
        return {"kind": "area", "area_id": current(session, area_code).id}
    except NotFound:
        raise InvalidRequest(Fault(pointer, say("There is no such area."))) from None


def drawn_polygon(session: Session, area: dict[str, Any], pointer: str) -> dict[str, Any]:
    """The shape of a GeoJSON polygon that somebody drew. Raises InvalidRequest."""
    try:
        wkb = _bare_geometry(area)
        (flaw,) = check_all(session, [wkb])
        if isinstance(flaw, Flaw):
            raise flaw
    except Flaw as flaw:
        raise InvalidRequest(Fault(pointer + flaw.pointer, flaw.said)) from None
    return {"kind": "polygon", "shape": from_wkb(wkb)}


def _bare_geometry(area: dict[str, Any]) -> bytes:
    wkb = read_geometry(area, most_vertices=MOST_VERTICES, widest=WIDEST_DEGREES)
    foreign = sorted(set(area) - MEMBERS)
    if foreign:
        raise Flaw(say("Unknown field."), pointer=f"/{foreign[0]}")
    return wkb
