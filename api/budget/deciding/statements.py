"""Survey statements: sealed by their hash before anybody votes, shown with all other results."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller
from api.approvals import done_or_asked, two_officers
from api.blueprint import Blueprint, may_raise
from api.budget.allocation_schemas import ContestQuery
from api.budget.deciding.choosing import chosen_contest
from api.budget.deciding.schemas import SourceSchema, StatementRequest
from api.db import db, transaction
from api.etags import tagged
from api.wiring import wiring
from mvote.budget.applying import PSEUDONYM_KEY
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.errors import SealingOver
from mvote.budget.deciding.sealing import Seal, seal, seals_of
from mvote.budget.deciding.statement import Statement
from mvote.budget.planning import cycle_of
from mvote.errors import ImpossibleTransition

blp = Blueprint("statements", "statements", description="Survey statements as sources.")


@blp.put("/cycles/<uuid:cycle_id>/blend/<string:source>")
@access("officer")
@may_raise(ImpossibleTransition, SealingOver)
@blp.arguments(ContestQuery, location="query")
@blp.arguments(StatementRequest)
@blp.response(200, SourceSchema)
@two_officers(blp)
def seal_a_statement(
    query: dict[str, Any], body: dict[str, Any], cycle_id: uuid.UUID, source: str
) -> Response:
    """Seal what a survey found. Two officers, before the first poll of the contest opens.

    Its hash is public at once, its values when all sources are released. A second statement
    replaces the first as long as nobody votes.
    """
    with transaction() as session:
        cycle = cycle_of(session, cycle_id)
        contest = chosen_contest(cycle, query["contest"])
        waits = seal(
            session, cycle_id=cycle_id, contest=contest, source=source, by=caller(),
            statement=Statement(**body), key=wiring().keystore.get(PSEUDONYM_KEY),
        )  # fmt: skip
        return done_or_asked(session, waits, lambda: _shown(session, cycle, contest, source))


@blp.get("/cycles/<uuid:cycle_id>/blend/<string:source>")
@access("public")
@blp.arguments(ContestQuery, location="query")
@blp.response(200, SourceSchema)
@blp.alt_response(304, description="Not modified")
def show_statements(query: dict[str, Any], cycle_id: uuid.UUID, source: str) -> Response:
    """What is sealed for a source: hashes, and the statements once they are released."""
    session = db.session()
    cycle = cycle_of(session, cycle_id)
    contest = chosen_contest(cycle, query["contest"])
    return tagged(_shown(session, cycle, contest, source))


def _shown(session: Session, cycle: Cycle, contest: str, source: str) -> dict[str, Any]:
    found = seals_of(session, cycle=cycle, contest=contest, source=source)
    view = {"cycle_id": cycle.id, "contest": contest, "source": source}
    dumped: dict[str, Any] = SourceSchema().dump(view | {"seals": [_seal(each) for each in found]})
    return dumped


def _seal(found: Seal) -> dict[str, Any]:
    sealed = found.statement
    return {
        "n": sealed.n,
        "sha256": sealed.sha256.hex(),
        "sealed_at": sealed.sealed_at,
        "statement": found.document,
    }
