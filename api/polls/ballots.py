"""Casting a ballot, and the answer to "may I vote?", by the same evaluator."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from api.access import access, caller_id
from api.blueprint import Blueprint, may_raise
from api.db import reading
from api.limits import limited_per_citizen
from api.polls.ballot_schemas import (
    BallotHeaders,
    BallotRequest,
    EligibilityAnswer,
    EligibilityRequest,
    ReceiptSchema,
)
from api.polls.casting import Paper, cast_paper, frozen_poll, seen
from api.polls.examples import BALLOT, ELIGIBILITY
from api.polls.integrity_schemas import integrity_in, position_in
from api.polls.rooms import knows_password
from api.problems import problem_summary
from api.wiring import wiring
from mvote.ballotbox.receipts import Receipt
from mvote.ballotbox.sealing import voter_tag_of
from mvote.ballotbox.slot import took_part
from mvote.base import database_time, utc_now
from mvote.errors import DomainError, Overloaded
from mvote.people.voters import Voter
from mvote.polls import errors
from mvote.polls.definition import FrozenPoll
from mvote.polls.eligibility import reasons_not_to_vote
from mvote.polls.integrity import errors as integrity
from mvote.polls.poll import Poll
from mvote.polls.proving import Evidence

blp = Blueprint("ballots", "ballots", description="Casting ballots.")


@blp.post("/polls/<uuid:poll_id>/ballots")
@access("token")
@may_raise(
    errors.NotConfirmed,
    errors.NotEligible,
    errors.OutsideArea,
    errors.PositionTooCoarse,
    errors.PositionAmbiguous,
    errors.PositionStale,
    errors.PresenceRequired,
    errors.PresenceTokenInvalid,
    *integrity.ALL,
    errors.AlreadyVoted,
    errors.PollNotOpen,
    errors.InvalidSelection,
    errors.IdempotencyKeyReused,
    Overloaded,
)
@limited_per_citizen
@blp.arguments(BallotHeaders, location="headers")
@blp.arguments(BallotRequest, example=BALLOT)
@blp.response(201, ReceiptSchema)
def cast_ballot(headers: dict[str, str], body: dict[str, Any], poll_id: uuid.UUID) -> Receipt:
    """Cast the whole ballot in one call. The same call again gives the same receipt."""
    paper = Paper(
        poll_id,
        caller_id(),
        headers["key"],
        body["selections"],
        _evidence(body, headers["key"]),
        body["accept_spoilt"],
        body.get("room_password"),
    )
    return cast_paper(wiring(), paper)


@blp.post("/polls/<uuid:poll_id>/eligibility")
@access("token")
@limited_per_citizen
@blp.arguments(EligibilityRequest, example=ELIGIBILITY)
@blp.response(200, EligibilityAnswer)
def check_eligibility(body: dict[str, Any], poll_id: uuid.UUID) -> dict[str, Any]:
    """Whether I may vote, and if not: every reason, with what to do next."""
    poll = frozen_poll(wiring(), poll_id)
    voter, presence = seen(wiring(), poll, caller_id(), _evidence(body), utc_now())
    knows = knows_password(wiring(), poll, caller_id(), body.get("room_password"))
    reasons = reasons_not_to_vote(poll, voter, presence.reasons, knows_password=knows)
    with reading() as session:  # of a private poll strangers do not learn whether it is open
        state = _state_of_things(session, poll, voter) if knows else []
    standing = [*state, *reasons]
    return {"may_vote": not standing, "reasons": [problem_summary(each) for each in standing]}


def _evidence(body: dict[str, Any], ballot_key: str | None = None) -> Evidence:
    return Evidence(
        position=position_in(body),
        presence_token=body.get("presence_token"),
        integrity=integrity_in(body),
        ballot_key=ballot_key,
    )


def _state_of_things(session: Session, poll: FrozenPoll, voter: Voter) -> list[DomainError]:
    """What the slot would say: has voted, not open."""
    keys = wiring().box.keys.of(poll.poll_id)
    if keys and took_part(session, poll.poll_id, voter_tag_of(keys.V, poll.P, voter.anchor)):
        return [errors.AlreadyVoted()]
    row = session.get_one(Poll, poll.poll_id)
    is_open = row.status_at(database_time(session)) == "open"
    return [] if is_open else [errors.PollNotOpen()]
