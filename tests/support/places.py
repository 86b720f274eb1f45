"""Places that tests make themselves: squares on the map, areas, geofences, positions."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Sequence
from typing import Any, Self

from geographiclib.geodesic import Geodesic
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from geo.areas import Area
from geo.columns import from_wkb
from geo.drawing import save
from geo.geofence import verdicts
from geo.geojson import read_geometry
from mvote.base import new_id, utc_now
from mvote.polls.presence import Position, Verdict

EARTH = Geodesic.WGS84
CITY_HALL = (37.5663, 126.9779)
SINCE = dt.date(2020, 1, 1)

Json = dict[str, Any]


def ring(*corners: tuple[float, float]) -> list[list[float]]:
    """A closed ring of corners given as longitude, latitude."""
    return [list(corner) for corner in (*corners, corners[0])]


def box(west: float, south: float, east: float, north: float) -> list[list[float]]:
    """The ring of a box in degrees."""
    return ring((west, south), (east, south), (east, north), (west, north))


def polygon(*rings: list[list[float]]) -> Json:
    """A GeoJSON polygon: the outer ring, then holes."""
    return {"type": "Polygon", "coordinates": list(rings)}


def circle(lat: float, lon: float, radius_m: float) -> Json:
    """A circle as a poll's author gives it."""
    return {"center": {"lat": lat, "lon": lon}, "radius_m": radius_m}


def moved(lat: float, lon: float, azimuth: float, metres: float) -> tuple[float, float]:
    """Latitude and longitude of the point so far away, by Karney's solution."""
    there = EARTH.Direct(lat, lon, azimuth, metres)
    return there["lat2"], there["lon2"]


def metres_between(lat: float, lon: float, lat2: float, lon2: float) -> float:
    """The length of the geodesic, by Karney's solution."""
    return float(EARTH.Inverse(lat, lon, lat2, lon2)["s12"])


def at(lat: float, lon: float, accuracy_m: float = 10) -> Position:
    """A fresh position."""
    return Position(lat=lat, lon=lon, accuracy_m=accuracy_m, captured_at=utc_now())


def fenced(session: Session, area: Json, max_accuracy_m: float = 100) -> uuid.UUID:
    """The id of a poll with this area."""
    poll_id = new_id()
    save(session, poll_id=poll_id, area=area, max_accuracy_m=max_accuracy_m)
    return poll_id


def judged(session: Session, area: Json, positions: Sequence[Position]) -> list[Verdict]:
    """The verdicts of a geofence with this area, at its default accuracy."""
    return verdicts(session, poll_id=fenced(session, area), positions=positions)


def add_area(
    owner: Session,
    area_code: str,
    shape: Json,
    *,
    kind: str = "gu",
    parent_code: str | None = None,
    valid_from: dt.date = SINCE,
    valid_to: dt.date | None = None,
) -> Area:
    """A version of an area, committed."""
    area = Area(
        kind=kind,
        area_code=area_code,
        name={"ko": f"제{area_code}구", "en": f"District {area_code}"},
        parent_code=parent_code,
        valid_from=valid_from,
        valid_to=valid_to,
        source="made for a test",
        geom=from_wkb(read_geometry(shape)),
    )
    owner.add(area)
    owner.commit()
    return area


def square_around(lat: float, lon: float, half_m: float) -> list[list[float]]:
    """The ring of a box that reaches *half_m* metres to each side of a point, nearly."""
    high = half_m / 111_320
    wide = high / math.cos(math.radians(lat))
    return box(lon - wide, lat - high, lon + wide, lat + high)


class Statements:
    """Listens to what an engine is asked, so that a test can have it explained."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.heard: list[tuple[str, Any]] = []

    def __enter__(self) -> Self:
        event.listen(self.engine, "before_cursor_execute", self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self._hear)

    def _hear(self, _: Any, __: Any, statement: str, given: Any, ___: Any, ____: Any) -> None:
        if not statement.startswith("EXPLAIN"):
            self.heard.append((statement, given))

    def plan_of_last(self, session: Session) -> str:
        """How the database would execute the last statement."""
        statement, given = self.heard[-1]
        lines = session.connection().exec_driver_sql(f"EXPLAIN {statement}", given)
        return "\n".join(line for (line,) in lines)

    def pages_of_last(self, session: Session) -> int:
        """How many pages of tables and indexes the database looks at for the last statement."""
        statement, given = self.heard[-1]
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
        [(document,)] = session.connection().exec_driver_sql(explain, given)
        plan = document[0]["Plan"]
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
