"""Polls that ask nearly the same as what somebody is about to ask."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from marshmallow.validate import Range
from sqlalchemy.orm import Session

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.db import db
from api.fields import Integer, LocalText, Strict
from api.polls.schemas import PollSchema
from api.polls.views import views_of
from mvote.base import database_time
from mvote.errors import NotAllowed, NotFound
from mvote.polls.drafting import is_own, poll_known_to
from mvote.polls.similar import MOST, Asked, similar_to

blp = Blueprint("similar", "similar", description="Polls that ask nearly the same.")


class SimilarRequest(Strict):
    title = LocalText(max_length=200, required=True)
    description = LocalText(max_length=10_000, metadata={
        "description": "May be sent along; title and question are what is compared."
    })  # fmt: skip
    question = LocalText(max_length=1_000, metadata={"description": "The question's text."})
    limit = Integer(load_default=MOST, validate=Range(1, MOST))


class SimilarPoll(PollSchema):
    score = ma.fields.Float(required=True, metadata={
        "description": "How near it comes: 0 to 1, and 1 is the same words."
    })  # fmt: skip


class SimilarPolls(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(SimilarPoll), required=True)


@blp.post("/polls/similar")
@access("citizen")
@blp.arguments(SimilarRequest)
@blp.response(200, SimilarPolls)
def ask_similar(request: dict[str, Any]) -> dict[str, Any]:
    """Public polls, open or announced, that ask nearly the same; nothing is kept of the request."""
    asked = Asked(title=request["title"], question=request.get("question"))
    return _found(db.session(), asked, request["limit"])


@blp.get("/polls/<uuid:poll_id>/similar")
@access("citizen")
@may_raise(NotFound, NotAllowed)
@blp.response(200, SimilarPolls)
def similar_to_my_draft(poll_id: uuid.UUID) -> dict[str, Any]:
    """The same for a poll of one's own, before it is opened."""
    session = db.session()
    poll = poll_known_to(session, poll_id, caller())
    if not is_own(poll, caller()):
        raise NotAllowed
    return _found(session, Asked.by(poll), MOST)


def _found(session: Session, asked: Asked, limit: int) -> dict[str, Any]:
    found = similar_to(session, asked=asked, limit=limit)
    views = views_of(session, [each.poll for each in found], database_time(session))
    return {
        "items": [view | {"score": each.score} for view, each in zip(views, found, strict=True)]
    }
