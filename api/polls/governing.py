"""Closing early, extending, voiding, publishing against the accounting, correcting.

Each takes two officers: the first call answers 202, the same call of a second officer carries it
out. A citizen closes a poll of their own alone.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller
from api.approvals import done_or_asked, two_officers
from api.blueprint import Blueprint, may_raise
from api.db import transaction
from api.fields import Instant, LocalText, Strict
from api.idempotency import idempotent
from api.polls.notices import NoticeSchema, as_shown
from api.polls.schemas import PollSchema
from api.polls.views import shown
from api.polls.visiting import has_pass, poll_shown_to, takes_a_pass
from api.wiring import wiring
from mvote.approvals import Approval
from mvote.base import database_time, instant
from mvote.errors import ImpossibleTransition, NotAllowed
from mvote.polls.errors import NoTie, ResultsNotAvailable
from mvote.polls.governing import CLOSE, CORRECT, DRAW, EXTEND, PUBLISH, VOID, Act, govern
from mvote.polls.notices import notices_of
from mvote.polls.tie_drawing import check_tie

blp = Blueprint("governing", "governing", description="Acts of two officers, and their notices.")


class ExtensionRequest(Strict):
    closes_at = Instant(required=True)
    text = LocalText(max_length=2000)


class NoticeRequest(Strict):
    text = LocalText(max_length=2000, required=True)


def _done(act: Act, poll_id: uuid.UUID, arguments: dict[str, Any]) -> Response:
    """The poll after the act, or what waits for a second officer."""
    with transaction() as session:
        waits = _govern(session, act, poll_id, arguments)
        return done_or_asked(session, waits, lambda: _poll(session, poll_id))


def _govern(
    session: Session, act: Act, poll_id: uuid.UUID, arguments: dict[str, Any]
) -> Approval | None:
    return govern(
        session,
        act=act,
        poll_id=poll_id,
        by=caller(),
        arguments=arguments,
        places=wiring().places,
        has_pass=has_pass(poll_id),
    )


def _poll(session: Session, poll_id: uuid.UUID) -> dict[str, Any]:
    return shown(session, poll_shown_to(session, poll_id, caller()), database_time(session))


@blp.post("/polls/<uuid:poll_id>/close")
@access("citizen")
@takes_a_pass
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.response(200, PollSchema)
@two_officers(blp)
def close_a_poll_early(poll_id: uuid.UUID) -> Response:
    """End the voting before its time: two officers, or a citizen alone for a poll of their own."""
    return _done(CLOSE, poll_id, {})


@blp.post("/polls/<uuid:poll_id>/extend")
@access("officer")
@takes_a_pass
@may_raise(ImpossibleTransition)
@idempotent
@blp.arguments(ExtensionRequest)
@blp.response(200, PollSchema)
@two_officers(blp)
def extend_a_poll(body: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """Let the voting last longer, while it has not ended: 366 days in all at most."""
    return _done(EXTEND, poll_id, body | {"closes_at": instant(body["closes_at"])})


@blp.post("/polls/<uuid:poll_id>/void")
@access("officer")
@takes_a_pass
@may_raise(ImpossibleTransition)
@idempotent
@blp.arguments(NoticeRequest)
@blp.response(200, PollSchema)
@two_officers(blp)
def void_a_poll(body: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """Void a poll that is not published: its results stay hidden for good, the text says why."""
    return _done(VOID, poll_id, body)


@blp.post("/polls/<uuid:poll_id>/publish")
@access("officer")
@takes_a_pass
@may_raise(ImpossibleTransition)
@idempotent
@blp.response(200, PollSchema)
@two_officers(blp)
def publish_a_poll(poll_id: uuid.UUID) -> Response:
    """Publish a count whose accounting does not hold, with exactly the figures that differ."""
    return _done(PUBLISH, poll_id, {})


@blp.post("/polls/<uuid:poll_id>/draw")
@access("officer")
@takes_a_pass
@may_raise(ImpossibleTransition, NoTie, ResultsNotAvailable)
@idempotent
@blp.response(200, PollSchema)
@two_officers(blp)
def draw_a_lot(poll_id: uuid.UUID) -> Response:
    """Draw the lot between tied winners, once: its seed was bound by its hash at the freeze."""
    with transaction() as session:
        poll = poll_shown_to(session, poll_id, caller())
        check_tie(session, polls=wiring().polls, poll=poll)
        waits = _govern(session, DRAW, poll_id, {})
        return done_or_asked(session, waits, lambda: _poll(session, poll_id))


@blp.post("/polls/<uuid:poll_id>/notices")
@access("officer")
@takes_a_pass
@may_raise(ImpossibleTransition)
@idempotent
@blp.arguments(NoticeRequest)
@blp.response(201, NoticeSchema)
@two_officers(blp)
def correct_a_poll(body: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """Publish a correction beside the frozen definition, which itself never changes."""
    with transaction() as session:
        waits = _govern(session, CORRECT, poll_id, body)
        return done_or_asked(session, waits, lambda: _newest(session, poll_id), status=201)


def _newest(session: Session, poll_id: uuid.UUID) -> dict[str, Any]:
    *_, notice = notices_of(session, poll_id)
    dumped: dict[str, Any] = NoticeSchema().dump(as_shown(notice))
    return dumped
