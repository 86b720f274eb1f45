"""Following a cycle: the wish to be told in one's inbox what becomes of it."""

from __future__ import annotations

import uuid

import marshmallow as ma
from flask import Response

from api.access import access, caller
from api.blueprint import Blueprint
from api.budget.proposals import known_cycle
from api.db import db, transaction
from api.etags import tagged
from mvote.budget.telling.following import follow, follows, unfollow

blp = Blueprint("following", "following", description="Being told what becomes of a cycle.")


class FollowSchema(ma.Schema):
    followed = ma.fields.Boolean(required=True)


@blp.get("/cycles/<uuid:cycle_id>/follow")
@access("citizen")
@blp.response(200, FollowSchema)
def show_whether_i_follow(cycle_id: uuid.UUID) -> dict[str, bool]:
    """Whether the caller is told what becomes of the cycle."""
    session = db.session()
    known_cycle(session, cycle_id)
    return {"followed": follows(session, cycle_id=cycle_id, citizen_id=caller().id)}


@blp.put("/cycles/<uuid:cycle_id>/follow")
@access("citizen")
@blp.response(200, FollowSchema)
def follow_a_cycle(cycle_id: uuid.UUID) -> Response:
    """Be told in one's inbox what becomes of the cycle; kept without a time, beside no ballot."""
    with transaction() as session:
        known_cycle(session, cycle_id)
        follow(session, cycle_id=cycle_id, citizen_id=caller().id)
    return tagged({"followed": True})


@blp.delete("/cycles/<uuid:cycle_id>/follow")
@access("citizen")
@blp.response(200, FollowSchema)
def unfollow_a_cycle(cycle_id: uuid.UUID) -> Response:
    """Be told no more."""
    with transaction() as session:
        known_cycle(session, cycle_id)
        unfollow(session, cycle_id=cycle_id, citizen_id=caller().id)
    return tagged({"followed": False})
