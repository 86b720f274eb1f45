"""Screens at a site: their keys, and what each of them shows now."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from marshmallow.validate import Length
from sqlalchemy.orm import Session

from api.access import access, caller, caller_display
from api.blueprint import Blueprint, may_raise
from api.codes.views import CodePoll, CodeSite, check_author_has_room, code_in, url_with_value
from api.db import db, transaction
from api.fields import Instant, String, Uuid
from api.wiring import wiring
from geo.sites import site_of
from mvote.base import database_time
from mvote.errors import NotAllowed, NotFound
from mvote.polls.drafting import is_own, may_know_of, poll_known_to
from mvote.polls.onsite.caps import DISPLAYS
from mvote.polls.onsite.displays import (
    Display,
    codes_on,
    displays_of,
    make_display,
    may_show,
    note_seen,
    revoke_display,
)
from mvote.polls.onsite.errors import TooManyOnSite
from mvote.polls.onsite.rotation import secret_of, shown_at
from mvote.polls.poll import Poll
from qr.symbol import symbol_rows

blp = Blueprint("displays", "codes", description="Screens that show rotating codes.")


class NewDisplay(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    name = String(required=True, validate=Length(1, 100))
    poll_id = Uuid(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "Only this poll's codes; needed by an author who is no officer, and for"
            " a citizen's or a private poll"
        },
    )


class DisplaySchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    site_id = ma.fields.UUID(required=True)
    poll_id = ma.fields.UUID(required=True, allow_none=True)
    name = ma.fields.String(required=True)
    created_at = Instant(required=True)
    revoked_at = Instant(required=True, allow_none=True)
    last_seen_at = Instant(required=True, allow_none=True)


class MadeDisplay(DisplaySchema):
    key = ma.fields.String(required=True, metadata={"description": "Shown this once"})
    url = ma.fields.String(required=True, metadata={"description": "Open it on the tablet"})


class DisplayPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(DisplaySchema), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


class CodeOnDisplay(ma.Schema):
    code = ma.fields.String(required=True)
    poll = ma.fields.Nested(CodePoll, required=True)


class WhatToShow(ma.Schema):
    name = ma.fields.String(required=True)
    site = ma.fields.Nested(CodeSite, required=True)
    items = ma.fields.List(ma.fields.Nested(CodeOnDisplay), required=True)
    now = Instant(required=True)


class ShownValue(ma.Schema):
    url = ma.fields.String(required=True)
    value = ma.fields.String(required=True)
    expires_at = Instant(required=True)
    accepted_until = Instant(
        required=True, metadata={"description": "A screen without a network is blank by then"}
    )
    now = Instant(required=True, metadata={"description": "The server's clock: trust no other"})
    symbol = ma.fields.List(
        ma.fields.String(),
        required=True,
        metadata={"description": "The QR symbol of `url`, rows of 1 (dark) and 0, quiet zone not"},
    )


@blp.post("/sites/<uuid:site_id>/displays")
@access("citizen")
@may_raise(NotAllowed, TooManyOnSite)
@blp.arguments(NewDisplay)
@blp.response(201, MadeDisplay)
def make_a_display(wanted: dict[str, Any], site_id: uuid.UUID) -> dict[str, Any]:
    """Make a key for a screen at the site; by an officer, or by a poll's author for that poll."""
    with transaction() as session:
        site_of(session, site_id)
        _check_may_manage(session, wanted["poll_id"])
        if wanted["poll_id"] is not None:
            check_author_has_room(session, DISPLAYS, session.get_one(Poll, wanted["poll_id"]))
        display, key = make_display(session, site_id=site_id, actor_id=caller().id, **wanted)
        url = f"{wiring().settings.public_url}/display#{key}"
        return {name: getattr(display, name) for name in DisplaySchema().fields} | {
            "key": key,
            "url": url,
        }


@blp.get("/sites/<uuid:site_id>/displays")
@access("citizen")
@blp.response(200, DisplayPage)
def list_displays(site_id: uuid.UUID) -> dict[str, Any]:
    """The newest hundred screens of the site, and when each was last seen: those one may revoke."""
    session = db.session()
    site_of(session, site_id)
    mine = [each for each in displays_of(session, site_id) if _may_manage(session, each.poll_id)]
    return {"items": mine, "next_cursor": None}


@blp.delete("/displays/<uuid:display_id>")
@access("citizen")
@blp.response(204)
def revoke_a_display(display_id: uuid.UUID) -> None:
    """Revoke a screen's key for good: it shows nothing any more."""
    with transaction() as session:
        display = session.get(Display, display_id)
        if display is None or not _may_manage(session, display.poll_id):
            raise NotFound
        revoke_display(session, display=display, actor_id=caller().id)


@blp.get("/display")
@access("display")
@blp.response(200, WhatToShow)
def show_what_hangs_here() -> dict[str, Any]:
    """What the screen with this key may show: rotating codes of its site, twenty at most.

    A screen that was made for one poll shows that poll's; any other those of the city's own public
    polls. The poll that opened first comes first.
    """
    session, display = db.session(), caller_display()
    now = database_time(session)
    codes = codes_on(session, display=display, now=now)
    items = [{"code": code.code, "poll": _poll(session, code.poll_id, now)} for code in codes]
    site = site_of(session, display.site_id)
    return {"name": display.name, "site": site, "items": items, "now": now}


@blp.post("/codes/<code>/display")
@access("display")
@blp.response(200, ShownValue)
def show_the_value(code: str) -> dict[str, Any]:
    """What the screen shows now, until `expires_at`; by the screen's key."""
    with transaction() as session:
        display, found = caller_display(), code_in(session, code)
        now = database_time(session)
        if not may_show(session, display=display, code=found, now=now):
            raise NotFound
        note_seen(session, display_id=display.id, now=now)
        shown = shown_at(secret_of(session, found.code, wiring().gate.secrets), now)
        url = url_with_value(found, shown.value)
    return vars(shown) | {"url": url, "now": now, "symbol": symbol_rows(url)}


def _poll(session: Session, poll_id: uuid.UUID, now: Any) -> dict[str, Any]:
    poll = session.get_one(Poll, poll_id)
    names = ("id", "opens_at", "closes_at")
    facts = {name: getattr(poll, name) for name in names}
    return facts | {
        "title": poll.content["title"],
        "status": poll.status_at(now),
        "closed_at": poll.closed_by(now),
    }


def _check_may_manage(session: Session, poll_id: uuid.UUID | None) -> None:
    """Officers for polls they may know of; others for their own. Raises NotFound, NotAllowed."""
    if poll_id is not None:
        poll_known_to(session, poll_id, caller())
    if not _may_manage(session, poll_id):
        raise NotAllowed


def _may_manage(session: Session, poll_id: uuid.UUID | None) -> bool:
    if poll_id is None:
        return caller().is_officer
    poll = session.get_one(Poll, poll_id)
    return is_own(poll, caller()) or (caller().is_officer and may_know_of(poll, caller()))
