"""A place as the author of a proposal gives it: a point, a drawn area, or an official area."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from geo.columns import WGS84, on_earth, point
from geo.drawing import MEMBERS, drawn_polygon, number_between, official_area
from geo.geojson import Flaw, read_point
from mvote.errors import Fault, InvalidRequest
from mvote.wording import say

KINDS_OF_PLACE = say(
    'Give {"lat", "lon"}, a GeoJSON Point, Polygon or MultiPolygon, or {"area_code"}.'
)


def read_spot(session: Session, place: Any, pointer: str) -> dict[str, Any]:
    """The columns of a place that *place* gives. Raises InvalidRequest that points into it."""
    if isinstance(place, dict):
        if set(place) == {"lat", "lon"}:
            return _at(**_checked(place, pointer))
        if set(place) == {"area_code"}:
            area = official_area(session, place["area_code"], f"{pointer}/area_code")
            return {"area_id": area["area_id"]}
        if place.get("type") == "Point" and set(place) <= MEMBERS:
            return _point(place, pointer)
        if "type" in place:
            shape = drawn_polygon(session, place, pointer)["shape"]
            return {"shape": on_earth(func.ST_GeomFromWKB(bytes(shape.data), WGS84))}
    raise InvalidRequest(Fault(pointer, KINDS_OF_PLACE))


def _checked(place: dict[str, Any], pointer: str) -> dict[str, float]:
    return {
        "lat": number_between(place["lat"], -90, 90, f"{pointer}/lat"),
        "lon": number_between(place["lon"], -180, 180, f"{pointer}/lon"),
    }


def _point(place: dict[str, Any], pointer: str) -> dict[str, Any]:
    try:
        lon, lat = read_point(place)
    except Flaw as flaw:
        raise InvalidRequest(Fault(pointer + flaw.pointer, flaw.said)) from None
    return _at(lat, lon)


def _at(lat: float, lon: float) -> dict[str, Any]:
    return {"shape": on_earth(point(lat, lon))}
