"""The participatory budget over HTTP."""

from flask import Flask

from api.budget import (
    assessments,
    balloting,
    catalogue,
    committees,
    cycles,
    delivery,
    divisions,
    elections,
    files,
    following,
    inbox,
    joining,
    judgments,
    meetings,
    paper,
    proposal_lists,
    proposals,
    recusals,
    reports,
    reviews,
    seats,
    shortlists,
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
    delivery.blp,
    inbox.blp,
    following.blp,
    reports.blp,
    catalogue.blp,
    paper.blp,
    judgments.blp,
    shortlists.blp,
]


def register(app: Flask) -> None:
    """Nothing of it lies outside /v1."""
