"""Requests of officers that wait for a second officer, and how the first one is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marshmallow as ma
from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller
from api.blueprint import Blueprint, Decorator
from api.db import db
from api.etags import tagged
from api.fields import Instant
from api.pages import PageQuery, cut_page, page_of, place_of
from mvote.approvals import Approval, lapsed, waiting
from mvote.polls.drafting import behind_doors

blp = Blueprint("approvals", "approvals", description="What waits for a second officer.")


class ApprovalSchema(ma.Schema):
    """A request: a second officer who sends the same call to the same URL carries it out."""

    approval_id = ma.fields.UUID(required=True, attribute="id")
    act = ma.fields.String(required=True, metadata={"example": "poll:extend"})
    subject_id = ma.fields.UUID(required=True)
    arguments = ma.fields.Dict(
        required=True,
        attribute="asked_for",
        metadata={"description": "What is granted: with other arguments it is another request."},
    )
    asked_by = ma.fields.UUID(required=True)
    asked_at = Instant(required=True)
    expires_at = Instant(required=True)


class RequestedSchema(ApprovalSchema):
    """The answer to the first of two officers: nothing is done yet."""

    other_requests = ma.fields.List(
        ma.fields.UUID(),
        required=True,
        metadata={
            "description": "Requests for the same act on the same thing with other arguments. They"
            " wait beside this one: each needs a second officer who sends exactly its arguments."
        },
    )
    lapsed_requests = ma.fields.List(
        ma.fields.UUID(),
        required=True,
        metadata={
            "description": "Requests for the same act that lapsed because the poll was extended"
            " after they were made: nobody can grant them any more. If you meant to grant one of"
            " them, yours is a new request, and a second officer must follow it."
        },
    )


def two_officers(group: Blueprint) -> Decorator:
    """Tell the contract that the first of two officers is answered 202; beneath `response`.

    The view answers with `done_or_asked`.
    """
    text = "Asked for; a second officer must follow."
    return group.alt_response(202, schema=RequestedSchema, description=text, success=True)


def done_or_asked(
    session: Session,
    waits: Approval | None,
    shown: Callable[[], dict[str, Any]],
    *,
    status: int = 200,
) -> Response:
    """What the act is about, as *shown* once it is done; or 202 with the request that *waits*."""
    if waits is not None:
        return tagged(_requested(session, waits), status=202)
    return tagged(shown(), status=status)


def _requested(session: Session, approval: Approval) -> dict[str, Any]:
    """The body of 202."""
    all_waiting = waiting(session, subject_id=approval.subject_id)
    others = [each.id for each in all_waiting if each.act == approval.act and each != approval]
    dumped: dict[str, Any] = RequestedSchema().dump(approval)
    gone = lapsed(session, subject_id=approval.subject_id, act=approval.act)
    return dumped | {
        "other_requests": [str(other) for other in others],
        "lapsed_requests": [str(each.id) for each in gone],
    }


@blp.get("/approvals")
@access("officer")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(ApprovalSchema, "ApprovalPage"))
def list_of_approvals(query: dict[str, Any]) -> dict[str, Any]:
    """What waits for a second officer, newest first; a request lives for 24 hours.

    Requests about private polls stand in the list of their own department only.
    """
    before, limit = place_of(query["cursor"]), query["limit"]
    hidden = behind_doors(caller())
    found = waiting(db.session(), before=before, limit=limit + 1, hidden=hidden)
    page, more = cut_page(found, limit)
    return {"items": page, "next_cursor": more}
