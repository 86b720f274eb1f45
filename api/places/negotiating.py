"""GeoJSON or plain JSON, as the caller prefers."""

from __future__ import annotations

from typing import Any

from flask import request

from api.blueprint import Blueprint, Decorator
from api.problems import NotAcceptable

JSON, GEOJSON = "application/json", "application/geo+json"


def preferred(first: str, second: str) -> str:
    """Which of two media types to answer with. Raises NotAcceptable if neither will do."""
    if not request.accept_mimetypes:
        return first
    chosen = request.accept_mimetypes.best_match([first, second])
    if chosen is None:
        raise NotAcceptable
    return chosen


def also_as(blueprint: Blueprint, media_type: str, schema: dict[str, Any]) -> Decorator:
    """Tell the contract that the 200 of an operation may also be of *media_type*."""
    responses = {200: {"content": {media_type: {"schema": schema}}}}
    return blueprint.doc(responses=responses)
