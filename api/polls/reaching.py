"""How many citizens a poll would reach, asked while its author thinks about whom to ask."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.db import transaction
from api.fields import Strict
from api.holders import made_once
from api.polls.schemas import EligibilitySchema
from api.wiring import wiring
from mvote.base import utc_now
from mvote.errors import NotAllowed, TooManyRequests
from mvote.polls.definition import eligibility_in
from mvote.polls.drafting import is_own, poll_known_to
from mvote.polls.reaching import OF_CITIZENS, OF_OFFICERS, REACH_KEY, reach

blp = Blueprint("reaching", "reaching", description="How many a poll would reach.")


class ReachRequest(Strict):
    eligibility = ma.fields.Nested(
        EligibilitySchema,
        metadata={"description": "To try other rules; without it, those of the poll."},
    )


class ReachAnswer(ma.Schema):
    """About how many, never exactly: two targets that differ by one person tell nothing of them."""

    reached = ma.fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "multipleOf": OF_OFFICERS.rounded_to,
            "description": "Citizens with a confirmed number whose attributes meet the rules, to"
            f" tens, give or take a few; null for few (about {OF_OFFICERS.shown_from} or less)."
            f" Authors who are no officers are told hundreds, and null for about"
            f" {OF_CITIZENS.shown_from} or less. A roll is not looked at: its own summary says how"
            " many are on it.",
        },
    )
    suppressed = ma.fields.Boolean(required=True)


@blp.post("/polls/<uuid:poll_id>/reach")
@access("citizen")
@may_raise(NotAllowed, TooManyRequests)
@blp.arguments(ReachRequest)
@blp.response(200, ReachAnswer)
def ask_reach(body: dict[str, Any], poll_id: uuid.UUID) -> dict[str, Any]:
    """How many these rules would reach, for the poll's own people; 60 questions an hour."""
    settings = wiring().settings
    with transaction() as session:
        poll = poll_known_to(session, poll_id, caller())
        if not is_own(poll, caller()):
            raise NotAllowed
        rules = body.get("eligibility", poll.content.get("eligibility") or {})
        reached = reach(
            session,
            poll=poll,
            rules=eligibility_in(rules),
            by=caller(),
            key=made_once(wiring().keystore, REACH_KEY),
            now=utc_now(),
            time_zone=settings.city_time_zone,
        )
    return {"reached": reached, "suppressed": reached is None}
