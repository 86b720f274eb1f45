"""The participatory budget over HTTP."""

from flask import Flask

from api.budget import (
    assessments,
    balloting,
    committees,
    cycles,
    divisions,
    elections,
    files,
    joining,
    meetings,
    proposal_lists,
    proposals,
    recusals,
    reviews,
    seats,
    striking,
    supports,
)
from api.budget.deciding import allocations, enactments, motions, statements

BLUEPRINTS = [
    cycles.blp,
    elections.blp,
    proposals.blp,
    proposal_lists.blp,
    supports.blp,
    joining.blp,
    assessments.blp,
    files.blp,
    striking.blp,
    balloting.blp,
    committees.blp,
    seats.blp,
    recusals.blp,
    reviews.blp,
    divisions.blp,
    meetings.blp,
    statements.blp,
    allocations.blp,
    motions.blp,
    enactments.blp,
]


def register(app: Flask) -> None:
    """Nothing of it lies outside /v1."""
