"""Areas: their names, their boundaries, and which of them cover a point."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from api.access import access
from api.blueprint import Blueprint, may_raise
from api.db import db, reading
from api.etags import tagged_body
from api.fields import PointSchema
from api.pages import cut_page, page_of, read_cursor
from api.places.negotiating import GEOJSON, JSON, also_as, preferred
from api.places.schemas import AreaFeature, AreaProperties, AreaSchema, AreasQuery
from api.problems import NotAcceptable
from geo.areas import boundary, current, list_areas, locate

blp = Blueprint("areas", "areas", description="Administrative areas with official codes.")
AreaPage = page_of(AreaSchema, "AreaPage")


@blp.get("/areas")
@access("public")
@blp.arguments(AreasQuery, location="query")
@blp.response(200, AreaPage)
def list_of_areas(query: dict[str, Any]) -> dict[str, Any]:
    """The areas that are valid today, by their codes, without boundaries."""
    [after] = read_cursor(query["cursor"], str) or [None]
    found = list_areas(
        db.session(),
        limit=query["limit"] + 1,
        kind=query["kind"],
        parent_code=query["parent"],
        after=after,
    )
    page, more = cut_page(found, query["limit"], lambda area: (area.area_code,))
    return {"items": page, "next_cursor": more}


@blp.get("/areas/<area_code>")
@access("public")
@may_raise(NotAcceptable)
@blp.response(200, AreaFeature, content_type=GEOJSON)
@blp.alt_response(304, description="Not modified")
@also_as(blp, JSON, {"$ref": "#/components/schemas/AreaFeature"})
def show_area(area_code: str) -> Response:
    """The area's boundary, valid today, as a GeoJSON feature."""
    media_type = preferred(GEOJSON, JSON)
    session = db.session()
    found = current(session, area_code)
    feature = {
        "type": "Feature",
        "id": found.area_code,
        "properties": AreaProperties().dump(found),
        "geometry": orjson.Fragment(boundary(session, found)),
    }
    return tagged_body(orjson.dumps(feature), media_type)


@blp.post("/areas/locate")
@access("public")
@blp.arguments(PointSchema)
@blp.response(200, AreaPage)
def locate_point(point: dict[str, float]) -> dict[str, Any]:
    """The areas that cover a point, the smallest last. The point is forgotten."""
    with reading() as session:
        return {"items": locate(session, lat=point["lat"], lon=point["lon"]), "next_cursor": None}
