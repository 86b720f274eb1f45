"""Places over HTTP: areas and sites."""

from flask import Flask

from api.blueprint import Blueprint
from api.places import areas, sites
from geo.areas import keep_city_time

BLUEPRINTS: list[Blueprint] = [areas.blp, sites.blp]


def register(app: Flask) -> None:
    """Places have nothing outside /v1; their days are the city's."""
    keep_city_time(app.extensions["settings"].city_time_zone)
