"""Flags: what officers look at, and what they found."""

from __future__ import annotations

import uuid
from typing import Any
from zoneinfo import ZoneInfo

import marshmallow as ma
from marshmallow.validate import Length, OneOf

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.db import db, transaction
from api.fields import Instant, Strict, String
from api.pages import PageQuery, cut_page, place_of
from api.wiring import wiring
from mvote.base import database_time
from mvote.errors import NotAllowed, NotFound
from mvote.polls.integrity.flags import (
    FINDINGS,
    KINDS,
    LONGEST_NOTE,
    Flag,
    counted_by_kind,
    flags_of,
    hidden_from,
    look_at,
    own_pseudonym,
    poll_to_watch,
)

blp = Blueprint("flags", "polls", description="Reasons for a human to look.")
SHORT_DIGITS = 12


class FlagSchema(ma.Schema):
    """It names nobody and changes no count; nothing proves a location, or that one was faked."""

    id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, validate=OneOf(KINDS))
    pseudonym = ma.fields.String(
        required=True,
        metadata={"description": "The same for all flags of one voter in this poll only."},
    )
    day = ma.fields.Date(required=True)
    times = ma.fields.Integer(required=True)
    finding = ma.fields.String(required=True, allow_none=True)
    note = ma.fields.String(required=True, allow_none=True)
    found_by = ma.fields.UUID(required=True, allow_none=True)
    found_at = Instant(required=True, allow_none=True)


class FlagPage(ma.Schema):
    by_kind = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Integer(),
        required=True,
        metadata={"description": "How many flags there are of each kind."},
    )
    items = ma.fields.List(ma.fields.Nested(FlagSchema), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


class FindingRequest(Strict):
    finding = String(required=True, validate=OneOf(FINDINGS))
    note = String(load_default=None, validate=Length(1, LONGEST_NOTE))


@blp.get("/polls/<uuid:poll_id>/flags")
@access("officer")
@may_raise(NotFound, NotAllowed)
@blp.arguments(PageQuery, location="query")
@blp.response(200, FlagPage)
def list_of_flags(query: dict[str, Any], poll_id: uuid.UUID) -> dict[str, Any]:
    """What was noticed of positions, without names, in no order.

    For the officers of the poll's department; of a citizen's poll for every officer but its author.
    While voting runs, of the days that are over (the city's); then all.
    """
    session, limit = db.session(), query["limit"]
    poll = poll_to_watch(session, poll_id, caller())
    zone = ZoneInfo(wiring().settings.city_time_zone)
    before = hidden_from(poll, database_time(session), zone)
    found = flags_of(
        session, poll.id, before=before, after=place_of(query["cursor"]), limit=limit + 1
    )
    page, more = cut_page(found, limit)
    items = [_shown(flag) for flag in page]
    by_kind = counted_by_kind(session, poll.id, before=before)
    return {"by_kind": by_kind, "items": items, "next_cursor": more}


@blp.put("/polls/<uuid:poll_id>/flags/<uuid:flag_id>/finding")
@access("officer")
@may_raise(NotFound, NotAllowed)
@blp.arguments(FindingRequest)
@blp.response(200, FlagSchema)
def find_of_flag(body: dict[str, Any], poll_id: uuid.UUID, flag_id: uuid.UUID) -> dict[str, Any]:
    """Say what I found; the ballot stays in the box whatever it is. Journalled each time.

    Not of a flag that is my own.
    """
    with transaction() as session:
        poll = poll_to_watch(session, poll_id, caller())
        officer_id = caller().id
        own = own_pseudonym(session, poll, officer_id, wiring().box.keys)
        flag = look_at(session, poll=poll, flag_id=flag_id, officer_id=officer_id, own=own, **body)
        return _shown(flag)


def _shown(flag: Flag) -> dict[str, Any]:
    names = ("id", "kind", "day", "times", "finding", "note", "found_by", "found_at")
    shown = {name: getattr(flag, name) for name in names}
    return shown | {"pseudonym": flag.pseudonym.hex()[:SHORT_DIGITS]}
