"""The logs over HTTP: for anybody, without a token, and as far as a signed checkpoint reaches.

`Authorization` is not looked at: who asks for which ballot is nobody's business.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response

from api.access import access
from api.blueprint import Blueprint, may_raise
from api.db import db
from api.etags import tagged
from api.polls.log_answers import (
    checkpoint_answer,
    consistency_answer,
    entries_answer,
    inclusion_answer,
    proof_of,
)
from api.polls.log_schemas import (
    ConsistencyQuery,
    ConsistencySchema,
    EntriesQuery,
    InclusionQuery,
    InclusionSchema,
    LogEntriesSchema,
    LoggedBallotSchema,
)
from api.polls.visiting import poll_shown_to, takes_a_pass
from mvote.ballotbox import public_log
from mvote.ballotbox.log import CITY
from mvote.errors import NotFound

blp = Blueprint("log", "log", description="Checkpoints, entries and proofs of the logs.")
NOTE_SCHEMA = {"type": "string", "description": "A signed note (c2sp.org/tlog-checkpoint)."}
HEX_DIGITS = frozenset("0123456789abcdef")
TRACKER_DIGITS = 32


def _poll(poll_id: uuid.UUID) -> uuid.UUID:
    """The log of a poll that anybody may know of, or who has a pass. Raises NotFound."""
    return poll_shown_to(db.session(), poll_id, None).id


@blp.get("/polls/<uuid:poll_id>/log/checkpoint")
@access("public")
@takes_a_pass
@blp.response(200, NOTE_SCHEMA, content_type="text/plain")
@blp.alt_response(304, description="Not modified")
def show_checkpoint(poll_id: uuid.UUID) -> Response:
    """The newest signed checkpoint of the poll's log."""
    return checkpoint_answer(_poll(poll_id))


@blp.get("/log/checkpoint")
@access("public")
@may_raise(NotFound)
@blp.response(200, NOTE_SCHEMA, content_type="text/plain")
@blp.alt_response(304, description="Not modified")
def show_city_checkpoint() -> Response:
    """The newest signed checkpoint of the city's log, with the witnesses' lines."""
    return checkpoint_answer(CITY)


@blp.get("/polls/<uuid:poll_id>/log/entries")
@access("public")
@takes_a_pass
@blp.arguments(EntriesQuery, location="query")
@blp.response(200, LogEntriesSchema)
@blp.alt_response(304, description="Not modified")
def list_of_entries(query: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """Entries of the poll's log, from `start` to before `end`; at most 1,000 at once."""
    return entries_answer(_poll(poll_id), query)


@blp.get("/log/entries")
@access("public")
@may_raise(NotFound)
@blp.arguments(EntriesQuery, location="query")
@blp.response(200, LogEntriesSchema)
@blp.alt_response(304, description="Not modified")
def list_of_city_entries(query: dict[str, Any]) -> Response:
    """Entries of the city's log: the checkpoints of the polls."""
    return entries_answer(CITY, query)


@blp.get("/polls/<uuid:poll_id>/log/proof/inclusion")
@access("public")
@takes_a_pass
@blp.arguments(InclusionQuery, location="query")
@blp.response(200, InclusionSchema)
@blp.alt_response(304, description="Not modified")
def prove_inclusion(query: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """That the entry at `index` is in the poll's log of `size` (RFC 9162, 2.1.3)."""
    return inclusion_answer(_poll(poll_id), query)


@blp.get("/log/proof/inclusion")
@access("public")
@may_raise(NotFound)
@blp.arguments(InclusionQuery, location="query")
@blp.response(200, InclusionSchema)
@blp.alt_response(304, description="Not modified")
def prove_city_inclusion(query: dict[str, Any]) -> Response:
    """That the entry at `index` is in the city's log of `size`."""
    return inclusion_answer(CITY, query)


@blp.get("/polls/<uuid:poll_id>/log/proof/consistency")
@access("public")
@takes_a_pass
@blp.arguments(ConsistencyQuery, location="query")
@blp.response(200, ConsistencySchema)
@blp.alt_response(304, description="Not modified")
def prove_consistency(query: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """That the poll's log of size `to` begins with that of size `from` (RFC 9162, 2.1.4)."""
    return consistency_answer(_poll(poll_id), query)


@blp.get("/log/proof/consistency")
@access("public")
@may_raise(NotFound)
@blp.arguments(ConsistencyQuery, location="query")
@blp.response(200, ConsistencySchema)
@blp.alt_response(304, description="Not modified")
def prove_city_consistency(query: dict[str, Any]) -> Response:
    """That the city's log of size `to` begins with that of size `from`."""
    return consistency_answer(CITY, query)


@blp.get("/polls/<uuid:poll_id>/ballots/<tracker>")
@access("public")
@takes_a_pass
@blp.response(200, LoggedBallotSchema)
@blp.alt_response(304, description="Not modified")
def show_ballot(poll_id: uuid.UUID, tracker: str) -> Response:
    """Whether a ballot is in the log, with the proof; never what it says, nor whose it is."""
    log_id = _poll(poll_id)
    if len(tracker) != TRACKER_DIGITS or not HEX_DIGITS.issuperset(tracker):
        raise NotFound
    found = public_log.logged_ballot(db.session(), log_id, bytes.fromhex(tracker))
    document = {
        "poll_id": str(log_id),
        "tracker": tracker,
        "entry": f"01{found.data.hex()}",
        "inclusion": proof_of(found.inclusion),
        "checkpoint": found.note,
    }
    return tagged(document)
