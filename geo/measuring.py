"""How far a point is from a shape, as SQL; shared by the geofence and the search nearby."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, func, literal_column

from geo.columns import on_earth

INSIDE: ColumnElement[float] = literal_column("0.0::float8")
NANOMETRE: ColumnElement[float] = literal_column("1e-9::float8")


def away_from_circle(center: Any, radius_m: Any, here: Any) -> ColumnElement[float]:
    """SQL: metres on the spheroid from the planar point *here* to the circle; 0 inside."""
    return func.greatest(func.ST_Distance(center, on_earth(here)) - radius_m, INSIDE)


def away_from_polygon(shape: Any, here: Any) -> ColumnElement[float]:
    """SQL: metres from *here* to the polygon; 0 inside, by plane geometry, border included.

    Where a geodesic edge bulges over a point that is outside in the plane, the distance on the
    spheroid is 0: the point then counts as away by a nanometre.
    """
    distance = func.ST_Distance(on_earth(shape), on_earth(here))
    return case((func.ST_Covers(shape, here), INSIDE), else_=func.greatest(distance, NANOMETRE))
