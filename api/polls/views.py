"""Drafting, changing, opening and cancelling polls, and reading one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller, caller_or_nobody
from api.blueprint import Blueprint, may_raise, needs_version
from api.db import db, transaction
from api.etags import check_if_match, tagged, tagged_as_read, tagged_body
from api.idempotency import idempotent
from api.polls.examples import POLL
from api.polls.schemas import NewPoll, PollChanges, PollSchema
from api.polls.visiting import poll_shown_to, takes_a_pass
from api.wiring import wiring
from mvote.base import database_time
from mvote.errors import ImpossibleTransition, NotAllowed, NotFound
from mvote.moderation.case import held_since
from mvote.moderation.queue import told_to_author
from mvote.polls.cautions import cautions_of
from mvote.polls.definition import DEFAULT_K, DEFAULT_PUBLISH_FROM
from mvote.polls.drafting import (
    Author,
    cancel_poll,
    draft_poll,
    is_own,
    own_poll,
    revise_draft,
)
from mvote.polls.errors import NotReadyToOpen, OpenerNotConfirmed, QuotaReached, TooManyDrafts
from mvote.polls.opening import default_records, open_poll
from mvote.polls.poll import Poll
from mvote.polls.quota import check_opening
from mvote.polls.results import definition_hashes, definition_of
from mvote.polls.rooms import Room, lock_room, open_room
from mvote.polls.similar import warn_of_similar

blp = Blueprint("polls", "polls", description="Polls: drafting, opening, reading.")
TIMES = ("opens_at", "closes_at")
ROOM = ("room_password",)
WARNED = ("warnings",)
"""What others change while one writes."""


def shown(
    session: Session,
    poll: Poll,
    now: dt.datetime,
    *,
    schema: type[PollSchema] = PollSchema,
    **more: Any,
) -> dict[str, Any]:
    """The poll as JSON, for a response with an ETag: as those see it who may know of it."""
    [view] = views_of(session, [poll], now)
    if poll.is_private:
        more["room_number"] = session.get_one(Room, poll.id).number
    dumped: dict[str, Any] = schema().dump(view | more)
    return dumped


def views_of(session: Session, polls: Sequence[Poll], now: dt.datetime) -> list[dict[str, Any]]:
    """The polls as everyone who knows of them sees them."""
    frozen = [poll.id for poll in polls if poll.frozen_at]
    hashes, held = definition_hashes(session, frozen), held_since(session, frozen)
    return [
        _view_of(poll, hashes.get(poll.id), now)
        | {"held_back": {"since": held[poll.id]} if poll.id in held else None}
        for poll in polls
    ]


def grounds_of(counted: Mapping[str, int]) -> list[dict[str, Any]]:
    """How many reports there are of each ground, the most frequent first."""
    by_number = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    return [{"ground": ground, "reports": number} for ground, number in by_number]


def _view_of(poll: Poll, definition_hash: bytes | None, now: dt.datetime) -> dict[str, Any]:
    content = poll.content
    question = content.get("question")
    results = content.get("results", "after_close")
    records = content.get("records") or (question and default_records(question["kind"]))
    publish_from = content.get("publish_from", DEFAULT_PUBLISH_FROM)
    return {
        "id": poll.id,
        "status": poll.status_at(now),
        "origin": poll.origin,
        "department_id": poll.department_id,
        "title": content["title"],
        "description": content.get("description"),
        "images": content.get("images") or [],
        "question": question,
        "opens_at": poll.opens_at,
        "closes_at": poll.closes_at,
        "closed_at": poll.closed_by(now),
        "created_at": poll.created_at,
        "eligibility": content.get("eligibility") or {},
        "presence": content.get("presence") or {"rule": "none"},
        "results": results,
        "records": records,
        "custody": content.get("custody", "server"),
        "trustee_key": content.get("trustee_key"),
        "cast_check": content.get("cast_check", True),
        "k": content.get("k", DEFAULT_K),
        "publish_from": publish_from,
        "cautions": cautions_of(
            results=results,
            records=records,
            publish_from=publish_from,
            kind=question and question["kind"],
        ),
        "definition_hash": definition_hash and definition_hash.hex(),
        "is_private": poll.is_private,
        "cycle": content.get("cycle"),
    }


@blp.post("/polls")
@access("citizen")
@may_raise(QuotaReached, TooManyDrafts)
@idempotent
@blp.arguments(NewPoll, example=POLL)
@blp.response(201, PollSchema)
def draft_a_poll(content: dict[str, Any]) -> Response:
    """Draft a poll: a citizen's own, or an officer's for the department."""
    times = {name: content.pop(name, None) for name in TIMES}
    password = content.pop("room_password", None)
    with transaction() as session:
        poll = draft_poll(
            session,
            author=Author.of(caller()),
            content=content,
            places=wiring().places,
            quota=wiring().settings.citizen_polls_per_week,
            **times,
        )
        if password is not None:
            lock_room(session, poll=poll, password=password, passwords=wiring().room_passwords)
        near = [each.shown() for each in warn_of_similar(session, poll)]
        view = shown(session, poll, database_time(session), warnings=near)
    return tagged_as_read(view, WARNED, status=201)


@blp.get("/polls/<uuid:poll_id>")
@access("anybody")
@takes_a_pass
@blp.response(200, PollSchema)
@blp.alt_response(304, description="Not modified")
def show_poll(poll_id: uuid.UUID) -> Response:
    """One poll. A draft is shown to its own people only, a private poll to who has come in."""
    session, reader = db.session(), caller_or_nobody()
    poll = poll_shown_to(session, poll_id, reader)
    more = _moderation(session, poll) if reader and is_own(poll, reader) else {}
    return tagged(shown(session, poll, database_time(session), **more))


def _moderation(session: Session, poll: Poll) -> dict[str, Any]:
    """What only the poll's own people are shown of it."""
    told = told_to_author(session, poll)
    return {"moderation": told | {"grounds": grounds_of(told["grounds"])}} if told else {}


@blp.get("/polls/<uuid:poll_id>/definition")
@access("anybody")
@takes_a_pass
@blp.response(200, {"type": "object"}, description="RFC 8785 canonical JSON, byte for byte")
@blp.alt_response(304, description="Not modified")
def show_definition(poll_id: uuid.UUID) -> Response:
    """The frozen definition: exactly the bytes whose SHA-256 stands in receipts and in the log."""
    session = db.session()
    poll_shown_to(session, poll_id, caller_or_nobody())
    content = definition_of(session, poll_id)
    if content is None:
        raise NotFound
    return tagged_body(content, "application/json")


@blp.patch("/polls/<uuid:poll_id>")
@access("citizen")
@needs_version
@may_raise(NotAllowed, ImpossibleTransition)
@blp.arguments(PollChanges)
@blp.response(200, PollSchema)
def revise_a_poll(changes: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """Change a draft. Members that are not sent stay; `If-Match` says what you have read."""
    with transaction() as session:
        poll = own_poll(session, poll_id, caller())
        check_if_match(shown(session, poll, database_time(session)))
        rooms = {name: changes.pop(name) for name in ROOM if name in changes}
        revise_draft(session, poll=poll, changes=changes, places=wiring().places)
        _settle_room(session, poll, rooms)
        near = [each.shown() for each in warn_of_similar(session, poll)]
        view = shown(session, poll, database_time(session), warnings=near)
    return tagged_as_read(view, WARNED)


def _settle_room(session: Session, poll: Poll, changes: dict[str, str | None]) -> None:
    """Lock the draft's room with a new password, or let everyone in again; or leave it."""
    for password in changes.values():
        if password is None:
            open_room(session, poll=poll)
        else:
            lock_room(session, poll=poll, password=password, passwords=wiring().room_passwords)


@blp.post("/polls/<uuid:poll_id>/open")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition, NotReadyToOpen, OpenerNotConfirmed, QuotaReached)
@idempotent
@blp.response(200, PollSchema)
def open_a_poll(poll_id: uuid.UUID) -> Response:
    """Freeze and hash the definition; voting runs from `opens_at` to `closes_at`."""
    with transaction() as session:
        poll = own_poll(session, poll_id, caller())
        check_opening(session, poll=poll, quota=wiring().settings.citizen_polls_per_week)
        near = warn_of_similar(session, poll)
        warned = open_poll(session, poll=poll, actor_id=caller().id, around=wiring().around)
        warnings = [*warned, *near]
        view = shown(
            session, poll, database_time(session), warnings=[each.shown() for each in warnings]
        )
    return tagged(view)


@blp.post("/polls/<uuid:poll_id>/cancel")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.response(200, PollSchema)
def cancel_a_poll(poll_id: uuid.UUID) -> Response:
    """Cancel a draft, or a poll in which voting has not begun."""
    with transaction() as session:
        poll = own_poll(session, poll_id, caller())
        cancel_poll(session, poll=poll, actor_id=caller().id, places=wiring().places)
        view = shown(session, poll, database_time(session))
    return tagged(view)
