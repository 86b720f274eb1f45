"""The participatory budget over HTTP."""

from flask import Flask

from api.budget import cycles

BLUEPRINTS = [cycles.blp]


def register(app: Flask) -> None:
    """Nothing of it lies outside /v1."""
