"""Polls over HTTP: drafting, opening, finding, casting, results."""

from flask import Flask

from api.polls import (
    ballots,
    bundles,
    finding,
    governing,
    log,
    participations,
    results,
    trustees,
    views,
)

BLUEPRINTS = [
    views.blp,
    governing.blp,
    finding.blp,
    ballots.blp,
    results.blp,
    bundles.blp,
    log.blp,
    participations.blp,
    trustees.blp,
]


def register(app: Flask) -> None:
    """Polls have nothing outside /v1."""
