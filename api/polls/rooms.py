"""Private rooms: finding a poll by its room's number and password, and who is inside."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow.validate import Length, Regexp

from api.access import access, caller_id
from api.blueprint import Blueprint, may_raise
from api.db import db, reading, transaction
from api.etags import tagged
from api.fields import Instant, Strict, String
from api.polls.examples import ROOM
from api.polls.schemas import PollSchema
from api.polls.views import shown
from api.wiring import Wiring, wiring
from mvote.base import database_time, utc_now
from mvote.errors import NotFound
from mvote.polls.definition import FrozenPoll
from mvote.polls.drafting import poll_known_to
from mvote.polls.guessing import count_guess, forgive_guess
from mvote.polls.rooms import Room, room_to_enter
from mvote.wording import say

blp = Blueprint("rooms", "rooms", description="Private rooms.")


class RoomRequest(Strict):
    number = String(required=True, validate=Regexp(r"^[0-9]{8}\Z", error=say("Eight digits.")))
    password = String(required=True, validate=Length(1, 128))


class RoomPollSchema(PollSchema):
    """The poll in the room, and a pass for all that is public of other polls."""

    room_pass = ma.fields.String(required=True, metadata={
        "description": "For the header `Room-Pass`: opens this poll's pages for twelve hours."
    })  # fmt: skip
    room_pass_expires_at = Instant(required=True)


@blp.post("/rooms/lookup")
@access("citizen")
@may_raise(NotFound)
@blp.arguments(RoomRequest, example=ROOM)
@blp.response(200, RoomPollSchema)
def look_up_room(asked: dict[str, Any]) -> Response:
    """The private poll behind a room's number, for whoever knows the password.

    A wrong number and a wrong password are answered alike. Ten wrong tries of a citizen, or two
    hundred for one number, and there is none left for an hour.
    """
    session = db.session()
    room = room_to_enter(session, asked["number"])
    if not _opens(wiring(), caller_id(), room, asked["number"], asked["password"]) or room is None:
        raise NotFound
    poll = poll_known_to(session, room.poll_id, None, has_pass=True)
    now = database_time(session)
    token, expires_at = wiring().room_passes.issue(poll_id=poll.id, now=now)
    view = shown(session, poll, now, room_pass=token, room_pass_expires_at=expires_at,
                 schema=RoomPollSchema)  # fmt: skip
    return tagged(view)


def knows_password(
    wiring: Wiring, poll: FrozenPoll, citizen_id: uuid.UUID, password: str | None
) -> bool:
    """Whether the citizen may come in: there is no room, or its password was given.

    Raises TooManyRequests after too many wrong ones.
    """
    if not poll.is_private:
        return True
    if password is None:
        return False
    with reading() as session:
        room = session.get_one(Room, poll.poll_id)
    if wiring.room_passwords.has_let_in(room.poll_id, room.password_hash, password, citizen_id):
        return True
    return _opens(wiring, citizen_id, room, room.number, password)


def _opens(
    wiring: Wiring, citizen_id: uuid.UUID, room: Room | None, number: str, password: str
) -> bool:
    poll_id, password_hash = (room.poll_id, room.password_hash) if room else (None, None)
    with transaction() as session:
        count_guess(session, citizen_id=citizen_id, room=number, now=utc_now())
    if not wiring.room_passwords.opens(poll_id, password_hash, password):
        return False
    with transaction() as session:
        forgive_guess(session, citizen_id=citizen_id, room=number)
    if poll_id is not None and password_hash is not None:
        wiring.room_passwords.let_in(poll_id, password_hash, password, citizen_id)
    return True
