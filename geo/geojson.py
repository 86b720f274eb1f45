"""GeoJSON geometry (RFC 7946) read strictly, as untrusted input, and written exactly.

What is read becomes well-known binary, so that the database gets the very numbers that were sent.
Nothing is repaired: whatever is wrong is named, with the place where it is wrong.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from typing import Any, NoReturn

from sqlalchemy import LargeBinary, Row, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from geo.areas import Area
from geo.columns import WGS84
from mvote.wording import Message, say

Place = tuple[float, float]
"""Longitude, latitude."""

MOST_VERTICES = 20_000
OURS = re.compile(r"(urn:ogc:def:crs:)?(OGC:(1\.3)?:?CRS84|EPSG:[\d.]*:?4326)", re.IGNORECASE)
POLYGON, MULTIPOLYGON = 3, 6
SHORT_RING = say("A ring has at least four positions.")
NOTHING = say("There must be something.")
NO_GEOMETRY, NO_OBJECT = say("There is no geometry."), say("A geometry is an object.")
INVALID = {str(each): each for each in (
    say("Self-intersection"), say("Ring Self-intersection"), say("Hole lies outside shell"),
    say("Holes are nested"), say("Nested shells"), say("Interior is disconnected"),
    say("Duplicate Rings"), say("Too few points in geometry component"),
)}  # fmt: skip
"""Why the database calls a geometry invalid (GEOS, TopologyValidationError)."""


class Flaw(ValueError):
    """Why a geometry is refused; `pointer` leads there in the JSON, `place` there on the map."""

    def __init__(self, reason: Message, *, pointer: str = "", place: Place | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pointer = pointer
        self.place = place

    @property
    def said(self) -> Message:
        """The reason, and where on the map."""
        if self.place is None:
            return self.reason
        lon, lat = self.place
        return say(
            "{reason}, at longitude {lon}, latitude {lat}",
            reason=self.reason,
            lon=lon,
            lat=lat,
        )

    def __str__(self) -> str:
        return str(self.said)


def read_geometry(value: Any, *, most_vertices: int = MOST_VERTICES, widest: float = 360) -> bytes:
    """A Polygon or MultiPolygon as the WKB of a MultiPolygon. Raises Flaw.

    *widest*: how many degrees of longitude or latitude it may span. Altitudes are
    dropped. Whether rings cross each other is for the database to say.
    """
    if not isinstance(value, dict):
        raise Flaw(NO_GEOMETRY if value is None else NO_OBJECT)
    check_crs(value)
    kind, coordinates = value.get("type"), value.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        raise Flaw(say("Only Polygon and MultiPolygon are taken."), pointer="/type")
    polygons = _listed(coordinates, "/coordinates", least=1)
    prefix = "/coordinates"
    if kind == "Polygon":
        polygons, prefix = [polygons], ""
    reader = _Reader(most_vertices)
    parts = [
        reader.polygon(polygon, f"{prefix}/{n}" if prefix else "/coordinates")
        for n, polygon in enumerate(polygons)
    ]
    reader.check_span(widest)
    return struct.pack("<BII", 1, MULTIPOLYGON, len(parts)) + b"".join(parts)


def read_point(value: dict[str, Any]) -> Place:
    """Longitude and latitude of a GeoJSON Point. Raises Flaw."""
    check_crs(value)
    coordinates = value.get("coordinates")
    return _position(coordinates, "/coordinates")


def check_crs(holder: dict[str, Any]) -> None:
    """See that the `crs` member of old GeoJSON, if there is one, names WGS 84. Raises Flaw."""
    if holder.get("crs") is None:
        return
    crs = holder["crs"]
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or not OURS.fullmatch(name):
        shown = str(name)[:80].encode("ascii", "backslashreplace").decode()
        raise Flaw(
            say(
                "The coordinate reference system is {shown}; only WGS 84 (EPSG:4326) is taken.",
                shown=shown,
            ),
            pointer="/crs",
        )


class _Reader:
    """Reads polygons, and counts their vertices together."""

    def __init__(self, most_vertices: int) -> None:
        self.most_vertices = most_vertices
        self.vertices = 0
        self.span = [180.0, 90.0, -180.0, -90.0]

    def polygon(self, value: Any, pointer: str) -> bytes:
        rings = _listed(value, pointer, least=1)
        read = [self._ring(ring, f"{pointer}/{n}") for n, ring in enumerate(rings)]
        return struct.pack("<BII", 1, POLYGON, len(read)) + b"".join(read)

    def _ring(self, value: Any, pointer: str) -> bytes:
        positions = _listed(value, pointer, least=4)
        self.vertices += len(positions)
        if self.vertices > self.most_vertices:
            raise Flaw(
                say(
                    "There are more than {most_vertices} vertices.",
                    most_vertices=self.most_vertices,
                ),
                pointer=pointer,
            )
        read = [_position(position, f"{pointer}/{n}") for n, position in enumerate(positions)]
        self._widen(read)
        if read[0] != read[-1]:
            raise Flaw(say("A ring must end where it begins."), pointer=pointer, place=read[-1])
        return struct.pack("<I", len(read)) + struct.pack(
            f"<{2 * len(read)}d", *(number for position in read for number in position)
        )

    def _widen(self, ring: list[Place]) -> None:
        lons, lats = zip(*ring, strict=True)
        west, south, east, north = self.span
        self.span = [
            min(west, *lons), min(south, *lats), max(east, *lons), max(north, *lats)
        ]  # fmt: skip

    def check_span(self, widest: float) -> None:
        west, south, east, north = self.span
        if max(east - west, north - south) > widest:
            raise Flaw(
                say("It spans more than {widest} degrees.", widest=widest), pointer="/coordinates"
            )


def _listed(value: Any, pointer: str, *, least: int) -> list[Any]:
    if not isinstance(value, list):
        raise Flaw(say("Here must be a list."), pointer=pointer)
    if len(value) < least:
        raise Flaw(SHORT_RING if least > 1 else NOTHING, pointer=pointer)
    return value


def _position(value: Any, here: str) -> Place:
    if (
        not isinstance(value, list)
        or len(value) not in (2, 3)
        or not all(map(is_finite_number, value))
    ):
        raise Flaw(say("A position is two finite numbers, longitude and latitude."), pointer=here)
    lon, lat = float(value[0]), float(value[1])
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        _refuse_out_of_range(lon, lat, here)
    return lon, lat


def is_finite_number(value: Any) -> bool:
    """Whether a JSON value is a number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float can hold
        return False


def _refuse_out_of_range(lon: float, lat: float, pointer: str) -> NoReturn:
    if max(abs(lon), abs(lat)) > 360:
        reason = say("These are no degrees; is it a foreign coordinate reference system (metres)?")
    elif abs(lon) <= 90 and abs(lat) <= 180:
        reason = say("Latitude is beyond 90 degrees; are longitude and latitude swapped?")
    else:
        reason = say("Longitude is beyond 180 or latitude beyond 90 degrees.")
    raise Flaw(reason, pointer=pointer, place=(lon, lat))


def write_geometry(wkb: bytes) -> dict[str, Any]:
    """The GeoJSON of a MultiPolygon's little-endian WKB, with exactly its numbers.

    A MultiPolygon of one polygon is written as Polygon.
    """
    count, offset = struct.unpack_from("<I", wkb, 5)[0], 9
    polygons = []
    for _ in range(count):
        rings, offset = _rings(wkb, offset)
        polygons.append(rings)
    if count == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _rings(wkb: bytes, offset: int) -> tuple[list[list[list[float]]], int]:
    (count,) = struct.unpack_from("<I", wkb, offset + 5)
    offset += 9
    rings = []
    for _ in range(count):
        (length,) = struct.unpack_from("<I", wkb, offset)
        flat = struct.unpack_from(f"<{2 * length}d", wkb, offset + 4)
        rings.append([[flat[n], flat[n + 1]] for n in range(0, 2 * length, 2)])
        offset += 4 + 16 * length
    return rings, offset


def _checked() -> Any:
    """For each WKB given: whether its polygons are valid, if not why and where; its place."""
    given = (
        func.unnest(bindparam("wkbs", type_=ARRAY(LargeBinary())))
        .table_valued("wkb", with_ordinality="n")
        .render_derived(name="given")
    )
    geom = func.ST_GeomFromWKB(given.c.wkb, WGS84)
    detail = (
        func.ST_IsValidDetail(geom)
        .table_valued("valid", "reason", "location")
        .render_derived(name="detail")
    )
    mirrored = func.ST_FlipCoordinates(func.ST_Envelope(geom))
    elsewhere = ~select(Area.id).where(Area.geom.intersects(geom)).exists()
    at_home_mirrored = select(Area.id).where(Area.geom.intersects(mirrored)).exists()
    return (
        select(
            detail.c.valid,
            detail.c.reason,
            func.ST_X(detail.c.location).label("lon"),
            func.ST_Y(detail.c.location).label("lat"),
            (elsewhere & at_home_mirrored).label("swapped"),
            func.encode(func.sha256(func.ST_AsBinary(geom, "NDR")), "hex").label("sha256"),
        )
        .select_from(given.join(detail, true()))
        .order_by(given.c.n)
    )


CHECKED = _checked()


def check_all(session: Session, wkbs: list[bytes]) -> Iterator[Flaw | str]:
    """For each geometry what is wrong with it, or the SHA-256 of its WKB if nothing is.

    Longitude and latitude count as swapped if it lies outside all known areas, but not mirrored.
    """
    for row in session.execute(CHECKED, {"wkbs": wkbs}):
        yield _flaw_in(row) or row.sha256


def _flaw_in(row: Row[Any]) -> Flaw | None:
    if not row.valid:
        return Flaw(INVALID.get(row.reason, Message(str(row.reason))), place=(row.lon, row.lat))
    if row.swapped:
        return Flaw(say("It lies outside all areas; are longitude and latitude swapped?"))
    return None
