"""Contests as polls: opening the poll of a source, and the paper as one voter sees it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import marshmallow as ma
from flask import Response, current_app
from marshmallow.validate import Length, OneOf

from api.access import access, caller, caller_id
from api.blueprint import Blueprint, may_raise
from api.db import db, transaction
from api.etags import tagged
from api.fields import Instant, Strict, String, Verbatim
from api.idempotency import idempotent
from api.polls.casting import frozen_poll
from api.polls.question_schemas import KEY
from api.polls.schemas import PollSchema
from api.polls.shown_schemas import ShownQuestion
from api.polls.views import shown
from api.polls.visiting import poll_shown_to, takes_a_pass
from api.wiring import wiring
from mvote.base import database_time
from mvote.budget.balloting.asking import Asking
from mvote.budget.balloting.contest_poll import ContestPoll, polls_of_cycle
from mvote.budget.balloting.opening import open_contest_poll
from mvote.budget.balloting.order import order_for
from mvote.budget.balloting.voters import Listed
from mvote.budget.planning import cycle_of, own_cycle
from mvote.errors import ImpossibleTransition, NotAllowed
from mvote.polls.drafting import Author
from mvote.polls.errors import NotReadyToOpen
from mvote.polls.poll import STATUSES, Poll
from mvote.wording import say

blp = Blueprint("balloting", "balloting", description="Contests of a cycle as polls.")

MOST_ON_A_LIST = 3_000


class GroupMembers(Strict):
    key = String(required=True, validate=KEY)
    references = ma.fields.List(
        String(validate=Length(1, 60)), required=True, validate=Length(0, 1000)
    )


class ContestPollRequest(Strict):
    contest = String(required=True, validate=KEY)
    source = String(required=True, validate=KEY)
    groups = ma.fields.List(
        ma.fields.Nested(GroupMembers),
        load_default=list,
        validate=Length(0, 200),
        metadata={"description": "Which projects each group of the contest holds: said with the"
                  " contest's first poll."},
    )  # fmt: skip

    roll = ma.fields.List(
        String(validate=Length(1, 40)),
        load_default=list,
        validate=Length(0, MOST_ON_A_LIST),
        metadata={"description": "Confirmed mobile numbers of those on the source's roll, where"
                  " that is not the committee's: nothing of them is kept but keyed hashes."},
    )  # fmt: skip

    @ma.validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        keys = [each["key"] for each in data.get("groups", [])]
        if len(set(keys)) < len(keys):
            raise ma.ValidationError(say("The same key twice."), "groups")


@blp.post("/cycles/<uuid:cycle_id>/poll")
@access("officer")
@may_raise(NotAllowed, ImpossibleTransition, NotReadyToOpen)
@idempotent
@blp.arguments(ContestPollRequest)
@blp.response(201, PollSchema)
def open_the_poll_of_a_source(body: dict[str, Any], cycle_id: uuid.UUID) -> Response:
    """Freeze the poll of one source of a contest: the approved projects become its options.

    The first poll of a contest freezes projects and prices; the others have the same. Voting runs
    by the source's dates, or else by the phase. Results of all sources are released together.
    """
    phones, region = current_app.extensions["phones"], wiring().settings.phone_region
    with transaction() as session:
        cycle = own_cycle(session, cycle_id, caller())
        poll, warnings = open_contest_poll(
            session,
            asking=Asking.of(cycle, body["contest"], body["source"]),
            groups={each["key"]: each["references"] for each in body["groups"]},
            listed=Listed.of(body["roll"], phones=phones, region=region),
            by=Author.of(caller()),
            around=wiring().around,
        )
        told = [each.shown() for each in warnings]
        view = shown(session, poll, database_time(session), warnings=told)
    return tagged(view, status=201)


class CyclePoll(ma.Schema):
    contest = ma.fields.String(required=True)
    source = ma.fields.String(required=True)
    n = ma.fields.Integer(
        required=True, metadata={"description": "1, or more if an earlier poll was given up."}
    )
    poll_id = ma.fields.UUID(required=True)
    status = ma.fields.String(required=True, validate=OneOf(STATUSES))
    opens_at = Instant(required=True)
    closes_at = Instant(required=True)


class CyclePolls(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(CyclePoll), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@blp.get("/cycles/<uuid:cycle_id>/polls")
@access("public")
@blp.response(200, CyclePolls)
def list_polls_of_a_cycle(cycle_id: uuid.UUID) -> dict[str, Any]:
    """Which poll asks for which source of which contest."""
    session = db.session()
    asked = polls_of_cycle(session, cycle_of(session, cycle_id).id)
    now = database_time(session)
    return {"items": [_asked(row, poll, now) for row, poll in asked], "next_cursor": None}


def _asked(row: ContestPoll, poll: Poll, now: dt.datetime) -> dict[str, Any]:
    named = {name: getattr(row, name) for name in ("contest", "source", "n", "poll_id")}
    period = {"opens_at": poll.opens_at, "closes_at": poll.closes_at}
    return named | period | {"status": poll.status_at(now)}


class PaperSchema(ma.Schema):
    poll_id = ma.fields.UUID(required=True)
    definition_hash = ma.fields.String(required=True)
    question = Verbatim(ShownQuestion, required=True)


@blp.get("/polls/<uuid:poll_id>/paper")
@access("token")
@takes_a_pass
@blp.response(200, PaperSchema)
def show_paper(poll_id: uuid.UUID) -> dict[str, Any]:
    """What is asked, as I see it: projects in an order of my own, the same each time.

    Nothing is kept of it. The options of other polls come as their author put them.
    """
    poll = frozen_poll(wiring(), poll_id)
    if poll.is_private:
        poll_shown_to(db.session(), poll_id, caller())
    question = poll.document["question"]
    if poll.question.rules is not None:
        options = {option["key"]: option for option in question["options"]}
        mine = order_for(poll.P, caller_id(), options)
        question = question | {"options": [options[key] for key in mine]}
    return {"poll_id": poll_id, "definition_hash": poll.hash.hex(), "question": question}
