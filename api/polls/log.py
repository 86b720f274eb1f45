"""The logs over HTTP: for anybody, without a token, and as far as a signed checkpoint reaches.

`Authorization` is not looked at: who asks for which ballot is nobody's business.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Response

from api.access import access
from api.blueprint import Blueprint, may_raise
from api.db import db
from api.etags import tagged, tagged_body
from api.polls.log_schemas import (
    MOST_ENTRIES,
    ConsistencyQuery,
    ConsistencySchema,
    EntriesQuery,
    InclusionQuery,
    InclusionSchema,
    LogEntriesSchema,
    LoggedBallotSchema,
)
from api.problems import InvalidParameter
from mvote.ballotbox import public_log
from mvote.ballotbox.log import CITY, entries_between
from mvote.errors import NotFound
from mvote.polls.drafting import poll_known_to

blp = Blueprint("log", "log", description="Checkpoints, entries and proofs of the logs.")
NOTE = "text/plain; charset=utf-8"
NOTE_SCHEMA = {"type": "string", "description": "A signed note (c2sp.org/tlog-checkpoint)."}
HEX_DIGITS = frozenset("0123456789abcdef")
TRACKER_DIGITS = 32


def _poll(poll_id: uuid.UUID) -> uuid.UUID:
    """The log of a poll that anybody may know of. Raises NotFound."""
    return poll_known_to(db.session(), poll_id, None).id


@blp.get("/polls/<uuid:poll_id>/log/checkpoint")
@access("public")
@blp.response(200, NOTE_SCHEMA, content_type="text/plain")
@blp.alt_response(304, description="Not modified")
def show_checkpoint(poll_id: uuid.UUID) -> Response:
    """The newest signed checkpoint of the poll's log."""
    return _checkpoint(_poll(poll_id))


@blp.get("/log/checkpoint")
@access("public")
@may_raise(NotFound)
@blp.response(200, NOTE_SCHEMA, content_type="text/plain")
@blp.alt_response(304, description="Not modified")
def show_city_checkpoint() -> Response:
    """The newest signed checkpoint of the city's log, with the witnesses' lines."""
    return _checkpoint(CITY)


def _checkpoint(log_id: uuid.UUID) -> Response:
    session = db.session()
    note = public_log.note_of(session, public_log.newest(session, log_id))
    return tagged_body(note.encode(), NOTE)


@blp.get("/polls/<uuid:poll_id>/log/entries")
@access("public")
@blp.arguments(EntriesQuery, location="query")
@blp.response(200, LogEntriesSchema)
@blp.alt_response(304, description="Not modified")
def list_of_entries(query: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """Entries of the poll's log, from `start` to before `end`; at most 1,000 at once."""
    return _entries(_poll(poll_id), query)


@blp.get("/log/entries")
@access("public")
@may_raise(NotFound)
@blp.arguments(EntriesQuery, location="query")
@blp.response(200, LogEntriesSchema)
@blp.alt_response(304, description="Not modified")
def list_of_city_entries(query: dict[str, Any]) -> Response:
    """Entries of the city's log: the checkpoints of the polls."""
    return _entries(CITY, query)


def _entries(log_id: uuid.UUID, query: Mapping[str, Any]) -> Response:
    session = db.session()
    size = public_log.newest(session, log_id).size
    start, end = query["start"], _or(query["end"], size)
    _check_order({"start": start, "end": end}, size)
    stop = min(end, start + MOST_ENTRIES)
    found = entries_between(session, log_id, start=start, end=stop)
    items = [{"index": index, "kind": kind, "data": data.hex()} for index, kind, data in found]
    return tagged({"items": items, "next_start": stop if stop < end else None})


@blp.get("/polls/<uuid:poll_id>/log/proof/inclusion")
@access("public")
@blp.arguments(InclusionQuery, location="query")
@blp.response(200, InclusionSchema)
@blp.alt_response(304, description="Not modified")
def prove_inclusion(query: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """That the entry at `index` is in the poll's log of `size` (RFC 9162, 2.1.3)."""
    return _inclusion(_poll(poll_id), query)


@blp.get("/log/proof/inclusion")
@access("public")
@may_raise(NotFound)
@blp.arguments(InclusionQuery, location="query")
@blp.response(200, InclusionSchema)
@blp.alt_response(304, description="Not modified")
def prove_city_inclusion(query: dict[str, Any]) -> Response:
    """That the entry at `index` is in the city's log of `size`."""
    return _inclusion(CITY, query)


def _inclusion(log_id: uuid.UUID, query: Mapping[str, Any]) -> Response:
    session = db.session()
    newest = public_log.newest(session, log_id).size
    index, size = query["index"], _or(query["size"], newest)
    _check_order({"index": index, "size": size}, newest)
    if index == size:
        raise InvalidParameter(("query", "index", "The log of this size has no such entry."))
    return tagged(_proof(public_log.inclusion_of(session, log_id, index=index, size=size)))


@blp.get("/polls/<uuid:poll_id>/log/proof/consistency")
@access("public")
@blp.arguments(ConsistencyQuery, location="query")
@blp.response(200, ConsistencySchema)
@blp.alt_response(304, description="Not modified")
def prove_consistency(query: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """That the poll's log of size `to` begins with that of size `from` (RFC 9162, 2.1.4)."""
    return _consistency(_poll(poll_id), query)


@blp.get("/log/proof/consistency")
@access("public")
@may_raise(NotFound)
@blp.arguments(ConsistencyQuery, location="query")
@blp.response(200, ConsistencySchema)
@blp.alt_response(304, description="Not modified")
def prove_city_consistency(query: dict[str, Any]) -> Response:
    """That the city's log of size `to` begins with that of size `from`."""
    return _consistency(CITY, query)


def _consistency(log_id: uuid.UUID, query: Mapping[str, Any]) -> Response:
    session = db.session()
    newest = public_log.newest(session, log_id).size
    old, new = query["old"], _or(query["new"], newest)
    _check_order({"from": old, "to": new}, newest)
    found = public_log.consistency_of(session, log_id, old=old, new=new)
    roots = {"old_root": found.old_root.hex(), "new_root": found.new_root.hex()}
    proof = [each.hex() for each in found.proof]
    return tagged(ConsistencySchema().dump({"old": old, "new": new, "proof": proof, **roots}))


@blp.get("/polls/<uuid:poll_id>/ballots/<tracker>")
@access("public")
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
        "inclusion": _proof(found.inclusion),
        "checkpoint": found.note,
    }
    return tagged(document)


def _proof(found: public_log.Inclusion) -> dict[str, Any]:
    proof = [each.hex() for each in found.proof]
    return {"index": found.index, "size": found.size, "root": found.root.hex(), "proof": proof}


def _or(given: int | None, newest: int) -> int:
    return newest if given is None else given


def _check_order(places: Mapping[str, int], size: int) -> None:
    """See that two places follow each other within a log of *size*. Raises InvalidParameter."""
    (first, low), (last, high) = places.items()
    if high > size:
        raise InvalidParameter(("query", last, f"The signed log has {size} entries."))
    if low > high:
        raise InvalidParameter(("query", first, f"Must not be greater than {last}."))
