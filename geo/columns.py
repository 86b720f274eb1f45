"""Types of spatial columns and the SQL they are asked with.

Longitude and latitude are WGS 84 (EPSG:4326). Containment in polygons is planar in degrees
(RFC 7946, section 3.1.1), on the type `geometry`; distances and circles are on the spheroid, on
the type `geography`, in metres.
"""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geography, Geometry, WKBElement
from sqlalchemy import ColumnElement, Function, func, literal_column

WGS84 = 4326


def multipolygon() -> Geometry:
    """A column of one or several polygons, with holes and islands, planar."""
    return Geometry("MULTIPOLYGON", srid=WGS84, spatial_index=False)


def point_on_earth() -> Geography:
    """A column of points on the spheroid."""
    return Geography("POINT", srid=WGS84, spatial_index=False)


def shape_on_earth() -> Geography:
    """A column of points or polygons on the spheroid."""
    return Geography("GEOMETRY", srid=WGS84, spatial_index=False)


def point(lat: Any, lon: Any) -> Function[Any]:
    """SQL: the planar point at *lat*, *lon* (degrees; expressions or bind parameters)."""
    return func.ST_SetSRID(func.ST_MakePoint(lon, lat), literal_column(str(WGS84)))


def on_earth(shape: Any) -> ColumnElement[Any]:
    """SQL: the planar *shape* as a shape on the spheroid (the cast `::geography`)."""
    return func.geography(shape)


def planar(shape: Any) -> ColumnElement[Any]:
    """SQL: the shape on the spheroid as a planar one (the cast `::geometry`)."""
    return func.geometry(shape)


def from_wkb(wkb: bytes) -> WKBElement:
    """A value for a spatial column from well-known binary."""
    return WKBElement(wkb, srid=WGS84)
