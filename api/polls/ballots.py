"""Casting a ballot, and the answer to "may I vote?", by the same evaluator."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from api.access import access, caller_id
from api.blueprint import Blueprint, may_raise
from api.db import reading
from api.limits import limited_per_citizen
from api.polls.schemas import (
    BallotHeaders,
    BallotRequest,
    EligibilityAnswer,
    EligibilityRequest,
    ReceiptSchema,
)
from api.polls.views import database_time
from api.problems import problem_summary
from api.wiring import wiring
from mvote.ballotbox.casting import Ballot, cast
from mvote.ballotbox.receipts import Receipt
from mvote.ballotbox.sealing import voter_tag_of
from mvote.ballotbox.slot import took_part
from mvote.base import utc_now
from mvote.errors import DomainError, Overloaded, TokenInvalid
from mvote.people.voters import Voter
from mvote.polls import errors
from mvote.polls.definition import FrozenPoll
from mvote.polls.eligibility import reasons_not_to_vote
from mvote.polls.poll import Poll
from mvote.polls.presence import Position
from mvote.polls.proving import Evidence, Presence, proven_presence

blp = Blueprint("ballots", "ballots", description="Casting ballots.")


@blp.post("/polls/<uuid:poll_id>/ballots")
@access("token")
@may_raise(
    errors.NotEligible,
    errors.OutsideArea,
    errors.PositionTooCoarse,
    errors.PositionAmbiguous,
    errors.PositionStale,
    errors.PresenceRequired,
    errors.PresenceTokenInvalid,
    errors.AlreadyVoted,
    errors.PollNotOpen,
    errors.InvalidSelection,
    errors.IdempotencyKeyReused,
    Overloaded,
)
@limited_per_citizen
@blp.arguments(BallotHeaders, location="headers")
@blp.arguments(BallotRequest)
@blp.response(201, ReceiptSchema)
def cast_ballot(headers: dict[str, str], body: dict[str, Any], poll_id: uuid.UUID) -> Receipt:
    """Cast the whole ballot in one call. The same call again gives the same receipt."""
    poll = _frozen(poll_id)
    with reading() as session:
        voter, presence = _seen(session, poll, body)
    ballot = Ballot(
        voter=voter,
        selections=body["selections"],
        key=headers["key"],
        presence_token=presence.token,
    )
    reasons = reasons_not_to_vote(poll, voter, presence.reasons)
    return cast(wiring().box, poll, ballot, reasons=reasons)


@blp.post("/polls/<uuid:poll_id>/eligibility")
@access("token")
@limited_per_citizen
@blp.arguments(EligibilityRequest)
@blp.response(200, EligibilityAnswer)
def check_eligibility(body: dict[str, Any], poll_id: uuid.UUID) -> dict[str, Any]:
    """Whether I may vote, and if not: every reason, with what to do next."""
    poll = _frozen(poll_id)
    with reading() as session:
        voter, presence = _seen(session, poll, body)
        reasons = reasons_not_to_vote(poll, voter, presence.reasons)
        standing = [*_state_of_things(session, poll, voter), *reasons]
    return {"may_vote": not standing, "reasons": [problem_summary(each) for each in standing]}


def _frozen(poll_id: uuid.UUID) -> FrozenPoll:
    """The poll; its connection is given back before anything else is waited for."""
    known = wiring().polls.known(poll_id)
    if known:
        return known
    with reading() as session:
        return wiring().polls.of(session, poll_id)


def _seen(session: Session, poll: FrozenPoll, body: dict[str, Any]) -> tuple[Voter, Presence]:
    """Who votes, and where they are, as far as that is proven."""
    voter = wiring().voters.ask((caller_id(), poll.opens_at))
    if voter is None:
        raise TokenInvalid
    presence = proven_presence(
        session,
        judge=wiring().judge,
        poll=poll,
        citizen_id=voter.id,
        evidence=_evidence(body),
        now=utc_now(),
    )
    return voter, presence


def _evidence(body: dict[str, Any]) -> Evidence:
    position = body.get("position")
    return Evidence(
        position=Position(**position) if position else None,
        presence_token=body.get("presence_token"),
    )


def _state_of_things(session: Session, poll: FrozenPoll, voter: Voter) -> list[DomainError]:
    """What the slot would say: has voted, not open."""
    keys = wiring().box.keys.of(poll.poll_id)
    if keys and took_part(session, poll.poll_id, voter_tag_of(keys.V, poll.P, voter.anchor)):
        return [errors.AlreadyVoted()]
    row = session.get_one(Poll, poll.poll_id)
    is_open = row.status_at(database_time(session)) == "open"
    return [] if is_open else [errors.PollNotOpen()]
