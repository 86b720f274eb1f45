"""The plenary's motions on allocations: laid by officers, voted on by seats, then judged."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.budget.allocation_schemas import ContestQuery
from api.budget.deciding.choosing import chosen_contest
from api.budget.deciding.schemas import MotionRequest, MotionSchema, MotionsSchema, VoteRequest
from api.budget.recusals import AROUND
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import idempotent
from mvote.budget.deciding.confirming import judge_motion
from mvote.budget.deciding.errors import (
    AllocationOutdated,
    MotionPending,
    NoDecidingBody,
)
from mvote.budget.deciding.motion import Motion
from mvote.budget.deciding.motions import lay, motion_of, motions_on, vote, votes_on, withdraw
from mvote.budget.deliberation.errors import QuorumNotReached
from mvote.budget.errors import PhaseNotOpen
from mvote.budget.judging import QuorumImpossible
from mvote.budget.planning import cycle_of
from mvote.budget.reviewing.errors import Recused
from mvote.budget.seat import Seat
from mvote.errors import ImpossibleTransition, NotAllowed
from mvote.polls.errors import ResultsNotAvailable

blp = Blueprint("motions", "motions", description="The plenary confirms allocations.")
JUDGED = ("carried", "lost")


def shown(session: Session, motion: Motion) -> dict[str, Any]:
    """The motion as JSON."""
    named = MotionSchema().fields.keys() - {"votes", "allocation"}
    facts = {name: getattr(motion, name) for name in named}
    votes = _votes(session, motion) if motion.state in JUDGED else None
    dumped: dict[str, Any] = MotionSchema().dump(
        facts | {"allocation_n": motion.allocation_n, "votes": votes}
    )
    return dumped


def _votes(session: Session, motion: Motion) -> list[dict[str, Any]]:
    return [
        {
            "seat_id": each.seat_id,
            "pseudonym": session.get_one(Seat, each.seat_id).pseudonym,
            "vote": each.vote,
        }
        for each in votes_on(session, motion)
    ]


@blp.post("/cycles/<uuid:cycle_id>/motions")
@access("officer")
@may_raise(
    NotAllowed, ImpossibleTransition, PhaseNotOpen, ResultsNotAvailable, AllocationOutdated,
    NoDecidingBody, MotionPending,
)  # fmt: skip
@idempotent
@blp.arguments(ContestQuery, location="query")
@blp.arguments(MotionRequest)
@blp.response(201, MotionSchema)
def lay_a_motion(query: dict[str, Any], body: dict[str, Any], cycle_id: uuid.UUID) -> Response:
    """Lay a motion before the plenary: confirm the allocation, but for some projects.

    Each deviation needs a public reason. It never spends more than there is, and funds nothing
    that was struck. Where the vote only ranks, whoever is passed over is told why.
    """
    with transaction() as session:
        cycle = cycle_of(session, cycle_id)
        contest = chosen_contest(cycle, query["contest"])
        motion = lay(session, cycle=cycle, contest=contest, by=caller(), **body)
        return tagged(shown(session, motion), status=201)


@blp.get("/cycles/<uuid:cycle_id>/motions")
@access("public")
@blp.arguments(ContestQuery, location="query")
@blp.response(200, MotionsSchema)
@blp.alt_response(304, description="Not modified")
def list_of_motions(query: dict[str, Any], cycle_id: uuid.UUID) -> Response:
    """All motions on a contest, the first one first."""
    session = db.session()
    cycle = cycle_of(session, cycle_id)
    contest = chosen_contest(cycle, query["contest"])
    found = motions_on(session, cycle=cycle, contest=contest)
    return tagged({"items": [shown(session, each) for each in found], "next_cursor": None})


@blp.get("/motions/<uuid:motion_id>")
@access("public")
@blp.response(200, MotionSchema)
@blp.alt_response(304, description="Not modified")
def show_motion(motion_id: uuid.UUID) -> Response:
    """A motion; how each seat voted is public once it is judged."""
    session = db.session()
    return tagged(shown(session, motion_of(session, motion_id)))


@blp.put("/motions/<uuid:motion_id>/vote")
@access("citizen")
@may_raise(NotAllowed, Recused, ImpossibleTransition)
@blp.arguments(VoteRequest)
@blp.response(200, MotionSchema)
def vote_on_a_motion(body: dict[str, Any], motion_id: uuid.UUID) -> Response:
    """Record how one's seat votes; it may change until the motion is judged."""
    with transaction() as session:
        motion = vote(session, motion_id=motion_id, by=caller(), choice=body["vote"], around=AROUND)
        return tagged(shown(session, motion))


@blp.post("/motions/<uuid:motion_id>/judgment")
@access("citizen")
@may_raise(
    NotAllowed, ImpossibleTransition, PhaseNotOpen, QuorumNotReached, QuorumImpossible,
    AllocationOutdated,
)  # fmt: skip
@idempotent
@blp.response(200, MotionSchema)
def judge_a_motion(motion_id: uuid.UUID) -> Response:
    """Count the recorded votes, in the chair, who closes the vote once there is a quorum. A carried
    motion decides on every project."""
    with transaction() as session:
        motion = judge_motion(session, motion_id=motion_id, by=caller(), around=AROUND)
        return tagged(shown(session, motion))


@blp.post("/motions/<uuid:motion_id>/withdraw")
@access("officer")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.response(200, MotionSchema)
def withdraw_a_motion(motion_id: uuid.UUID) -> Response:
    """Take a motion back that is not judged yet."""
    with transaction() as session:
        return tagged(shown(session, withdraw(session, motion_id=motion_id, by=caller())))
