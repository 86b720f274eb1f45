"""One's own sessions: where one is signed in, and ending that."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow.validate import OneOf

from api.access import access, caller_id, caller_session
from api.blueprint import Blueprint
from api.db import db, transaction
from api.fields import Instant
from mvote.base import utc_now
from mvote.people.refreshing import end_session, sessions_of, sign_out
from mvote.people.sessions import WAYS, SignIn

blp = Blueprint("own_sessions", "own_sessions", description="Where the caller is signed in.")


class SessionSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    device = ma.fields.String(required=True, allow_none=True)
    how = ma.fields.String(required=True, validate=OneOf(WAYS))
    started_at = Instant(required=True)
    last_used_at = Instant(required=True)
    expires_at = Instant(required=True)
    current = ma.fields.Boolean(required=True)


class SessionsSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(SessionSchema), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


def _shown(signed_in: SignIn) -> dict[str, Any]:
    columns = {
        name: getattr(signed_in, name) for name in SessionSchema().fields if name != "current"
    }
    return columns | {"current": signed_in.id == caller_session()}


@blp.get("/me/sessions")
@access("citizen")
@blp.response(200, SessionsSchema)
def list_my_sessions() -> dict[str, Any]:
    """Where the caller is signed in, the session used last first."""
    found = sessions_of(db.session(), caller_id(), now=utc_now())
    return {"items": [_shown(each) for each in found], "next_cursor": None}


@blp.delete("/me/sessions/<uuid:session_id>")
@access("citizen")
@blp.response(204)
def end_my_session(session_id: uuid.UUID) -> Response:
    """End one session; its access tokens live on for their ten minutes at most."""
    with transaction() as session:
        end_session(session, citizen_id=caller_id(), session_id=session_id)
    return Response(status=204)


@blp.delete("/me/sessions")
@access("citizen")
@blp.response(204)
def end_my_sessions() -> Response:
    """Sign out everywhere."""
    with transaction() as session:
        sign_out(session, citizen_id=caller_id())
    return Response(status=204)
