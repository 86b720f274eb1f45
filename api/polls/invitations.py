"""Inviting those on a roll by text message, and what a personal link says."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from marshmallow.validate import OneOf
from sqlalchemy.orm import Session

from api.access import access, caller, caller_or_nobody
from api.blueprint import Blueprint, may_raise
from api.db import db, transaction
from api.fields import Instant, ShownText, Strict
from api.idempotency import idempotent
from api.polls.visiting import poll_shown_to, takes_a_pass
from api.spoken import Spoken
from api.wiring import wiring
from mvote.base import database_time
from mvote.errors import ImpossibleTransition, NotAllowed, NotFound
from mvote.people.citizens import Citizen
from mvote.polls.inviting.invitation import RUN_STATES, Invitation
from mvote.polls.inviting.running import Progress, invited, move, progress_for, start
from mvote.polls.poll import STATUSES, Poll
from mvote.polls.rolls.entries import entry_of

blp = Blueprint("invitations", "invitations", description="Invitations by text message.")
REFUSED = "The gateway will never reach these numbers; sending went on to the others."
FAILED = "Tried three times while the gateway was ill."
PAUSED = "The gateway is ill: nothing is sent before this. Null while it is well."
UNKNOWN = "Claimed by a worker that was killed: sent or not, they are not sent again."


class InvitingRequest(Strict):
    language = Spoken(load_default="ko")


class InvitationProgress(ma.Schema):
    """How far the sending is. Numbers are kept, encrypted, only for `waiting` and `sending`."""

    state = ma.fields.String(required=True, validate=OneOf(["not_started", *RUN_STATES]))
    total = ma.fields.Integer(required=True)
    waiting = ma.fields.Integer(required=True)
    sending = ma.fields.Integer(required=True)
    sent = ma.fields.Integer(required=True)
    uncertain = ma.fields.Integer(required=True, metadata={"description": UNKNOWN})
    refused = ma.fields.Integer(required=True, metadata={"description": REFUSED})
    failed = ma.fields.Integer(required=True, metadata={"description": FAILED})
    stopped = ma.fields.Integer(required=True)
    per_second = ma.fields.Integer(required=True)
    paused_until = Instant(required=True, allow_none=True, metadata={"description": PAUSED})
    started_at = Instant(required=True, allow_none=True)
    finished_at = Instant(required=True, allow_none=True)


class InvitationSchema(ma.Schema):
    """What a link opens. It names nobody, signs nobody in, and admits nobody by itself."""

    poll_id = ma.fields.UUID(required=True)
    title = ShownText(required=True)
    status = ma.fields.String(required=True, validate=OneOf(STATUSES))
    opens_at = Instant(required=True)
    closes_at = Instant(required=True)
    is_yours = ma.fields.Boolean(
        required=True,
        allow_none=True,
        metadata={
            "description": "Whether it was sent to the number that the caller has confirmed; null"
            " without an access token."
        },
    )


def _shown(progress: Progress) -> dict[str, Any]:
    run, states = progress.run, progress.states
    names = ("waiting", "sending", "sent", "refused", "failed", "stopped")
    return {
        "state": run.state if run else "not_started",
        "total": states.total(),
        **{name: states[name] for name in names},
        "uncertain": states["unknown"],
        "per_second": wiring().settings.invitations_per_second,
        "paused_until": progress.paused_until,
        "started_at": run and run.started_at,
        "finished_at": run and run.finished_at,
    }


@blp.post("/polls/<uuid:poll_id>/invitations")
@access("officer")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.arguments(InvitingRequest)
@blp.response(201, InvitationProgress)
def send_invitations(body: dict[str, Any], poll_id: uuid.UUID) -> dict[str, Any]:
    """Begin to send: once voting runs, one message to each number on the roll, by the worker.

    The roll must have been imported with `invite`.
    """
    with transaction() as session:
        return _shown(start(session, poll_id=poll_id, by=caller(), language=body["language"]))


@blp.get("/polls/<uuid:poll_id>/invitations")
@access("officer")
@may_raise(NotAllowed)
@blp.response(200, InvitationProgress)
def show_invitations(poll_id: uuid.UUID) -> dict[str, Any]:
    """How many are sent, wait, or failed."""
    return _shown(progress_for(db.session(), poll_id=poll_id, by=caller()))


def _moved(poll_id: uuid.UUID, verb: str) -> dict[str, Any]:
    with transaction() as session:
        return _shown(move(session, poll_id=poll_id, by=caller(), verb=verb))


@blp.post("/polls/<uuid:poll_id>/invitations/pause")
@access("officer")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.response(200, InvitationProgress)
def pause_invitations(poll_id: uuid.UUID) -> dict[str, Any]:
    """Send no more for now; the numbers of those who wait are kept."""
    return _moved(poll_id, "pause")


@blp.post("/polls/<uuid:poll_id>/invitations/resume")
@access("officer")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.response(200, InvitationProgress)
def resume_invitations(poll_id: uuid.UUID) -> dict[str, Any]:
    """Go on where the sending was paused; nobody is invited twice."""
    return _moved(poll_id, "resume")


@blp.post("/polls/<uuid:poll_id>/invitations/stop")
@access("officer")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.response(200, InvitationProgress)
def stop_invitations(poll_id: uuid.UUID) -> dict[str, Any]:
    """End the sending for good: the numbers that are left are deleted."""
    return _moved(poll_id, "stop")


@blp.get("/invitations/<token>")
@access("anybody")
@takes_a_pass
@blp.response(200, InvitationSchema)
def show_invitation(token: str) -> dict[str, Any]:
    """Which poll a personal link is for, and, signed in, whether it was sent to oneself.

    Of a private poll only whoever it was sent to is told, its own people, and who has a pass.
    """
    return shown_invitation(token)


def shown_invitation(token: str) -> dict[str, Any]:
    """What may be known by a link. Raises NotFound."""
    session = db.session()
    found, poll = _invited_to(session, token)
    citizen = caller_or_nobody()
    is_yours = None if citizen is None else _is_sent_to(citizen, found)
    if not is_yours:
        poll_shown_to(session, poll.id, citizen)
    return {
        "poll_id": poll.id,
        "title": poll.content["title"],
        "status": poll.status_at(database_time(session)),
        "opens_at": poll.opens_at,
        "closes_at": poll.closes_at,
        "is_yours": is_yours,
    }


def is_of_private_poll(token: str) -> bool:
    """Whether a link is one for a private poll, of which it tells no more than that."""
    try:
        return _invited_to(db.session(), token)[1].is_private
    except NotFound:
        return False


def _invited_to(session: Session, token: str) -> tuple[Invitation, Poll]:
    found = invited(session, token)
    poll = session.get(Poll, found.poll_id) if found else None
    if found is None or poll is None or poll.frozen_at is None:
        raise NotFound
    return found, poll


def _is_sent_to(citizen: Citizen, invitation: Invitation) -> bool:
    key, phone_hash = wiring().roll_keys.of(invitation.poll_id), citizen.phone_hash
    if key is None or phone_hash is None:
        return False
    return entry_of(key, invitation.poll_id, phone_hash) == invitation.entry
