"""Making, revoking and showing site codes."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from marshmallow.validate import OneOf
from sqlalchemy.orm import Session

from api.access import access, caller, caller_or_nobody
from api.blueprint import Blueprint, may_raise
from api.db import db, transaction
from api.fields import Instant, ShownText, String, Uuid
from api.idempotency import idempotent
from api.polls.visiting import poll_shown_to, takes_a_pass
from api.wiring import wiring
from geo.sites import site_of
from mvote.base import database_time, utc_now
from mvote.errors import ImpossibleTransition, NotAllowed, NotFound
from mvote.polls.drafting import is_own, may_know_of
from mvote.polls.onsite.caps import CODES, Cap, check_room
from mvote.polls.onsite.displays import OVER
from mvote.polls.onsite.errors import TooManyOnSite
from mvote.polls.poll import Poll
from mvote.polls.site_codes import (
    KINDS,
    SiteCode,
    WantedCode,
    make_site_code,
    revoke_site_code,
    site_code,
)
from qr.codes import new_site_code, normalise_site_code, site_code_url, value_url

blp = Blueprint("codes", "codes", description="Site codes join a site to a poll.")


class NewCode(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    poll_id = Uuid(required=True)
    kind = String(required=True, validate=OneOf(KINDS))
    valid_from = Instant(load_default=None)
    valid_until = Instant(load_default=None)


class CodeSchema(ma.Schema):
    code = ma.fields.String(required=True)
    url = ma.fields.String(required=True)
    kind = ma.fields.String(required=True, validate=OneOf(KINDS))
    poll_id = ma.fields.UUID(required=True)
    site_id = ma.fields.UUID(required=True)
    valid_from = Instant(required=True)
    valid_until = Instant(required=True, allow_none=True)
    active = ma.fields.Boolean(required=True)


class CodePoll(ma.Schema):
    id = ma.fields.UUID(required=True)
    title = ShownText(required=True)
    status = ma.fields.String(required=True)
    opens_at = Instant(required=True, allow_none=True)
    closes_at = Instant(required=True, allow_none=True)
    closed_at = Instant(required=True, allow_none=True)


class CodeSite(ma.Schema):
    id = ma.fields.UUID(required=True)
    name = ShownText(required=True)
    address = ShownText(required=True)


class CodeView(CodeSchema):
    poll = ma.fields.Nested(CodePoll, required=True)
    site = ma.fields.Nested(CodeSite, required=True)


def url_of(code: SiteCode) -> str:
    """The address on the poster."""
    settings = wiring().settings
    secure = settings.public_url.startswith("https://")
    return site_code_url(code.code, host=settings.host, secure=secure)


def url_with_value(code: SiteCode, value: str) -> str:
    """The address that a screen shows or that stands on a slip."""
    settings = wiring().settings
    secure = settings.public_url.startswith("https://")
    return value_url(code.code, value, host=settings.host, secure=secure)


def code_in(session: Session, text: str) -> SiteCode:
    """The code that somebody typed or scanned. Raises NotFound, also for what is no code."""
    try:
        return site_code(session, normalise_site_code(text))
    except ValueError:
        raise NotFound from None


def known_code(session: Session, text: str) -> tuple[SiteCode, Poll]:
    """A code and its poll, for whoever may know of the poll. Raises NotFound."""
    code = code_in(session, text)
    return code, poll_shown_to(session, code.poll_id, caller_or_nobody())


def check_may_make_codes(poll: Poll) -> None:
    """Officers and the poll's author make and revoke what hangs at sites. Raises NotAllowed."""
    if not (is_own(poll, caller()) or caller().is_officer):
        raise NotAllowed


def check_author_has_room(session: Session, cap: Cap, poll: Poll, more: int = 1) -> None:
    """Officers make as many as they need. Raises TooManyOnSite."""
    if not caller().is_officer:
        check_room(session, cap, poll_id=poll.id, more=more)


def shown_code(session: Session, code: SiteCode, poll: Poll) -> dict[str, Any]:
    """A code with its poll and site, as everyone sees it."""
    now = database_time(session)
    poll_view = {
        "id": poll.id,
        "title": poll.content["title"],
        "status": poll.status_at(now),
        "opens_at": poll.opens_at,
        "closes_at": poll.closes_at,
        "closed_at": poll.closed_by(now),
    }
    return _plain(code) | {"poll": poll_view, "site": site_of(session, code.site_id)}


def _plain(code: SiteCode) -> dict[str, Any]:
    names = ("code", "kind", "poll_id", "site_id", "valid_from", "valid_until")
    facts = {name: getattr(code, name) for name in names}
    return facts | {"url": url_of(code), "active": code.is_active_at(utc_now())}


@blp.post("/sites/<uuid:site_id>/codes")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition, TooManyOnSite)
@idempotent
@blp.arguments(NewCode)
@blp.response(201, CodeSchema)
def make_a_code(wanted: dict[str, Any], site_id: uuid.UUID) -> dict[str, Any]:
    """Make a code; by an officer, or by the poll's author. Allowed after opening too."""
    with transaction() as session:
        poll = session.get(Poll, wanted.pop("poll_id"))
        if poll is None or not (may_know_of(poll, caller())):
            raise NotFound
        check_may_make_codes(poll)
        if poll.state in OVER:
            raise ImpossibleTransition(state=poll.state, verb="make a code")
        check_author_has_room(session, CODES, poll)
        code = make_site_code(
            session,
            wanted=WantedCode(poll=poll, site_id=site_id, **wanted),
            actor_id=caller().id,
            sites=wiring().places,
            draw=new_site_code,
            secrets=wiring().gate.secrets,
        )
        return _plain(code)


@blp.delete("/codes/<code>")
@access("citizen")
@may_raise(NotAllowed)
@blp.response(204)
def revoke_code(code: str) -> None:
    """Revoke a code; by an officer, or by the poll's author."""
    with transaction() as session:
        found, poll = known_code(session, code)
        check_may_make_codes(poll)
        revoke_site_code(session, code=found, actor_id=caller().id, sites=wiring().places)


@blp.get("/codes/<code>")
@access("anybody")
@takes_a_pass
@blp.response(200, CodeView)
def show_code(code: str) -> dict[str, Any]:
    """The poll and the site a code joins, and whether it is active."""
    session = db.session()
    found, poll = known_code(session, code)
    return shown_code(session, found, poll)
