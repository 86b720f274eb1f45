"""One's own number: another one by a one-time code."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from api.access import access, caller_id, caller_session
from api.blueprint import Blueprint, may_raise
from api.db import transaction
from api.etags import tagged
from api.people.me import shown
from api.people.schemas import AccountSchema, NumberChangeSchema
from mvote.base import utc_now
from mvote.people.changing_number import NumberChange, change_number
from mvote.people.errors import NumberInUse, OneTimeCodeInvalid
from mvote.polls.participations import last_poll_ends

blp = Blueprint("own_number", "own_number", description="The caller's own number.")


@blp.post("/me/phone")
@access("citizen")
@may_raise(OneTimeCodeInvalid, NumberInUse)
@blp.arguments(NumberChangeSchema)
@blp.response(200, AccountSchema)
def change_my_number(body: dict[str, Any]) -> Response:
    """Have the number that a one-time code of purpose `new-number` proves.

    The old number is told, other sessions end.

    No vote is lost or won by it: in polls that are open now the account votes as before. If
    another account has the number, nothing changes but with `merge`: then the two vote as one
    person in polls opened from now on.
    """
    with transaction() as session:
        citizen = change_number(
            session,
            desk=current_app.extensions["front_desk"],
            citizen_id=caller_id(),
            change=NumberChange(**body),
            session_id=caller_session(),
            last_poll_ends=last_poll_ends,
            now=utc_now(),
        )
        view = shown(session, citizen) if citizen else None
    if view is None:
        raise OneTimeCodeInvalid
    return tagged(view)
