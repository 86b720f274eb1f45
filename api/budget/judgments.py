"""Judgments of committees: the motion, recorded votes, closing by the chair."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response

from api.access import access, caller, caller_or_nobody
from api.blueprint import Blueprint, may_raise
from api.budget.judgment_schemas import (
    BenchSchema,
    ClosingRequest,
    JudgmentSchema,
    JudgmentVoteRequest,
    JudgmentVoteSchema,
    OtherMotionRequest,
)
from api.budget.showing_judgments import shown, view_of
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import idempotent
from api.pages import PageQuery, page_from, page_of
from geo.neighbourhood import CityNeighbourhood
from mvote.budget.deliberation.closing import close_judgment
from mvote.budget.deliberation.counting import judgments_of
from mvote.budget.deliberation.errors import (
    OnShortlist,
    OpinionsMissing,
    PriceNotAllowed,
    QuorumNotReached,
    ShortlistFull,
    VotingBegan,
    WindowNotOpen,
    WindowNotOver,
)
from mvote.budget.deliberation.voting import call_judges, move_that, vote_on
from mvote.budget.errors import PhaseNotOpen
from mvote.budget.judging import QuorumImpossible
from mvote.budget.looking_up import proposal_known_to
from mvote.budget.reviewing.errors import Recused
from mvote.budget.reviewing.stepping_aside import note_own_recusal
from mvote.errors import ImpossibleTransition, NotAllowed

blp = Blueprint("judgments", "judgments", description="Judgments of committees.")
AROUND = CityNeighbourhood()


def who_acts(proposal_id: uuid.UUID) -> dict[str, Any]:
    """What every act of a member says of them, once their interests known now are noted."""
    who: dict[str, Any] = {"proposal_id": proposal_id, "citizen_id": caller().id, "around": AROUND}
    with transaction() as session:
        note_own_recusal(session, **who)
    return who


@blp.put("/proposals/<uuid:proposal_id>/judgment-vote")
@access("citizen")
@may_raise(
    NotAllowed, Recused, ImpossibleTransition, PhaseNotOpen, OnShortlist, WindowNotOpen,
    QuorumImpossible,
)  # fmt: skip
@blp.arguments(JudgmentVoteRequest)
@blp.response(200, JudgmentVoteSchema)
def vote_on_a_proposal(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """A member's vote, with a reason; it may be changed until the judgment is closed.

    It is recorded by seat, and public at the judgment.
    """
    who = who_acts(proposal_id)
    with transaction() as session:
        return tagged(JudgmentVoteSchema().dump(vote_on(session, **who, **body)))


@blp.put("/proposals/<uuid:proposal_id>/motion")
@access("citizen")
@may_raise(
    NotAllowed, Recused, ImpossibleTransition, PhaseNotOpen, OnShortlist, VotingBegan,
    QuorumImpossible,
)  # fmt: skip
@blp.arguments(OtherMotionRequest)
@blp.response(200, JudgmentSchema)
def move_something_else(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """A member moves to send a proposal back, or to take up one that was rejected.

    Without it the vote is on approving. It does not change once there are votes.
    """
    who = who_acts(proposal_id)
    with transaction() as session:
        return tagged(shown(session, move_that(session, **who, **body)))


@blp.post("/proposals/<uuid:proposal_id>/judges")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition, PhaseNotOpen, OnShortlist, QuorumImpossible)
@idempotent
@blp.response(200, BenchSchema)
def call_the_judges(proposal_id: uuid.UUID) -> Response:
    """Who judges it now, by a member or an officer: where recusals leave too few, the fallback
    body, and reserves who are sworn in with this."""
    with transaction() as session:
        item = call_judges(session, proposal_id=proposal_id, by=caller(), around=AROUND)
        chair = item.bench.chair
        return tagged(BenchSchema().dump({
            "judgment_id": item.judgment.id, "committee_id": item.bench.committee.id,
            "motion": item.judgment.motion, "seats": list(item.bench.seats),
            "sworn_in": list(item.bench.sworn_in), "chair": chair.id if chair else None,
        }))  # fmt: skip


@blp.post("/proposals/<uuid:proposal_id>/judgment")
@access("citizen")
@may_raise(
    NotAllowed, Recused, ImpossibleTransition, PhaseNotOpen, OnShortlist, OpinionsMissing,
    WindowNotOver, QuorumNotReached, QuorumImpossible, PriceNotAllowed, ShortlistFull,
)  # fmt: skip
@idempotent
@blp.arguments(ClosingRequest)
@blp.response(200, JudgmentSchema)
def close_the_judgment(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """The chair closes the vote; it is counted, public, and the proposal goes where it leads.

    With E filled voting seats without the recused, and P votes: quorate if P > E·q, carried if
    yes > P·c, in exact fractions; a tie is not carried. Without a quorum nothing is decided.
    """
    who = who_acts(proposal_id)
    with transaction() as session:
        return tagged(shown(session, close_judgment(session, **who, **body)))


@blp.get("/proposals/<uuid:proposal_id>/judgments")
@access("anybody")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(JudgmentSchema, "JudgmentList"))
def list_of_judgments(query: dict[str, Any], proposal_id: uuid.UUID) -> dict[str, Any]:
    """All judgments of it: tally, votes and reasons by seat, recounts; the open one without."""
    session, viewer = db.session(), caller_or_nobody()
    proposal = proposal_known_to(session, proposal_id, viewer.id if viewer else None)
    page, more = page_from(judgments_of(session, proposal.id), query)
    return {"items": [view_of(session, each) for each in page], "next_cursor": more}
