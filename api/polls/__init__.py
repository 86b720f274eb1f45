"""Polls over HTTP: drafting, opening, finding, casting, results."""

from flask import Flask

from api.polls import (
    ballots,
    bundles,
    finding,
    flags,
    governing,
    invitation_page,
    invitations,
    log,
    nonces,
    notices,
    participations,
    published_keys,
    reaching,
    results,
    rolls,
    rooms,
    similar,
    trustees,
    views,
)

BLUEPRINTS = [
    views.blp,
    governing.blp,
    notices.blp,
    finding.blp,
    rooms.blp,
    similar.blp,
    nonces.blp,
    flags.blp,
    ballots.blp,
    results.blp,
    bundles.blp,
    log.blp,
    participations.blp,
    trustees.blp,
    rolls.blp,
    invitations.blp,
    reaching.blp,
]


def register(app: Flask) -> None:
    """Outside /v1 lie only the keys by which polls' receipts and logs are checked."""
    published_keys.register(app)
    invitation_page.register(app)
