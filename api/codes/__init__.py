"""Site codes over HTTP: making, printing, landing, scanning."""

from flask import Flask

from api.codes import displays, landing, posters, printing, scanning, screens, slips, views

BLUEPRINTS = [views.blp, scanning.blp, displays.blp, slips.blp, printing.blp, posters.blp]


def register(app: Flask) -> None:
    """The address on posters, the files that let phones open the app, the screen's page."""
    landing.register(app)
    screens.register(app)
