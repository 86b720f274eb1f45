"""The forms in which a part of the city is given; in the contract each has a name."""

from __future__ import annotations

from typing import Any

COORDINATES = {
    "lat": {"type": "number", "minimum": -90, "maximum": 90},
    "lon": {"type": "number", "minimum": -180, "maximum": 180},
}
POINT = {
    "type": "object",
    "properties": COORDINATES,
    "required": ["lat", "lon"],
    "additionalProperties": False,
}
COMPONENTS: dict[str, dict[str, Any]] = {
    "Circle": {
        "type": "object",
        "properties": {
            "center": POINT,
            "radius_m": {"type": "number", "exclusiveMinimum": 0},
        },
        "required": ["center", "radius_m"],
    },
    "Geometry": {
        "type": "object",
        "description": "A GeoJSON geometry (RFC 7946).",
        "properties": {
            "type": {"type": "string", "enum": ["Point", "Polygon", "MultiPolygon"]},
            "coordinates": {"type": "array", "items": {}},
        },
        "required": ["type", "coordinates"],
    },
    "OfficialArea": {
        "type": "object",
        "properties": {"area_code": {"type": "string", "pattern": "^[0-9A-Za-z-]{1,20}$"}},
        "required": ["area_code"],
    },
}


def component(name: str) -> dict[str, Any]:
    """Where the contract has it."""
    return {"$ref": f"#/components/schemas/{name}"}


AREA = {
    "oneOf": [
        component("Circle"),
        component("Geometry") | {"properties": {"type": {"enum": ["Polygon", "MultiPolygon"]}}},
        component("OfficialArea"),
    ]
}
"""An area in which one must stand."""
PLACE = {
    "description": "A point, a GeoJSON geometry (RFC 7946), or an official area",
    "oneOf": [component("Point"), component("Geometry"), component("OfficialArea")],
}
"""Where a project is."""
