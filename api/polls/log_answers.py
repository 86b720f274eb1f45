"""What is answered from a log, the poll's or the city's, as far as a signed checkpoint reaches."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Response

from api.db import db
from api.etags import tagged, tagged_body
from api.polls.log_schemas import MOST_ENTRIES, ConsistencySchema
from api.problems import InvalidParameter
from mvote.ballotbox import public_log
from mvote.ballotbox.log import entries_between
from mvote.wording import say

NOTE = "text/plain; charset=utf-8"


def checkpoint_answer(log_id: uuid.UUID) -> Response:
    """The newest signed checkpoint as text. Raises NotFound before there is one."""
    session = db.session()
    note = public_log.note_of(session, public_log.newest(session, log_id))
    return tagged_body(note.encode(), NOTE)


def entries_answer(log_id: uuid.UUID, query: Mapping[str, Any]) -> Response:
    """A range of entries. Raises NotFound, InvalidParameter."""
    session = db.session()
    size = public_log.newest(session, log_id).size
    start, end = query["start"], _or(query["end"], size)
    _check_order({"start": start, "end": end}, size)
    stop = min(end, start + MOST_ENTRIES)
    found = entries_between(session, log_id, start=start, end=stop)
    items = [{"index": index, "kind": kind, "data": data.hex()} for index, kind, data in found]
    return tagged({"items": items, "next_start": stop if stop < end else None})


def inclusion_answer(log_id: uuid.UUID, query: Mapping[str, Any]) -> Response:
    """The proof that an entry is in the log. Raises NotFound, InvalidParameter."""
    session = db.session()
    newest = public_log.newest(session, log_id).size
    index, size = query["index"], _or(query["size"], newest)
    _check_order({"index": index, "size": size}, newest)
    if index == size:
        raise InvalidParameter(("query", "index", say("The log of this size has no such entry.")))
    return tagged(proof_of(public_log.inclusion_of(session, log_id, index=index, size=size)))


def consistency_answer(log_id: uuid.UUID, query: Mapping[str, Any]) -> Response:
    """The proof that one size extends another. Raises NotFound, InvalidParameter."""
    session = db.session()
    newest = public_log.newest(session, log_id).size
    old, new = query["old"], _or(query["new"], newest)
    _check_order({"from": old, "to": new}, newest)
    found = public_log.consistency_of(session, log_id, old=old, new=new)
    roots = {"old_root": found.old_root.hex(), "new_root": found.new_root.hex()}
    proof = [each.hex() for each in found.proof]
    return tagged(ConsistencySchema().dump({"old": old, "new": new, "proof": proof, **roots}))


def proof_of(found: public_log.Inclusion) -> dict[str, Any]:
    """An inclusion proof as JSON has it."""
    proof = [each.hex() for each in found.proof]
    return {"index": found.index, "size": found.size, "root": found.root.hex(), "proof": proof}


def _or(given: int | None, newest: int) -> int:
    return newest if given is None else given


def _check_order(places: Mapping[str, int], size: int) -> None:
    """See that two places follow each other within a log of *size*. Raises InvalidParameter."""
    (first, low), (last, high) = places.items()
    if high > size:
        raise InvalidParameter(("query", last, say("The signed log is of size {size}.", size=size)))
    if low > high:
        raise InvalidParameter(("query", first, say("Must not be greater than {last}.", last=last)))
