"""Places over HTTP: areas and sites."""

from flask import Flask

from api.blueprint import Blueprint
from api.places import areas, sites

BLUEPRINTS: list[Blueprint] = [areas.blp, sites.blp]


def register(app: Flask) -> None:
    """Places have nothing outside /v1."""
