"""Site codes over HTTP: making, printing, landing, scanning."""

from flask import Flask

from api.codes import landing, posters, printing, views

BLUEPRINTS = [views.blp, printing.blp, posters.blp]


def register(app: Flask) -> None:
    """The short address on the poster, and the files that let phones open the app with it."""
    landing.register(app)
