"""Nonces for positions: what is sent with one was sent just now, and is not sent again."""

from __future__ import annotations

from typing import Any

from api.access import access, caller
from api.blueprint import Blueprint
from api.db import transaction
from api.limits import limited_per_citizen
from api.polls.integrity_schemas import PositionNonceSchema
from mvote.base import utc_now
from mvote.polls.integrity.nonces import give_nonce

blp = Blueprint("positions", "ballots", description="What positions are sent with.")


@blp.post("/positions/nonces")
@access("citizen")
@limited_per_citizen
@blp.response(201, PositionNonceSchema)
def ask_for_nonce() -> dict[str, Any]:
    """A nonce for one position of mine, good for 60 s and once: take a fix after it, send both."""
    citizen_id = caller().id
    with transaction() as session:
        nonce, expires_at = give_nonce(session, citizen_id=citizen_id, now=utc_now())
    return {"nonce": nonce, "expires_at": expires_at}
