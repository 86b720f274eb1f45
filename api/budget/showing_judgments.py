"""Judgments as JSON: votes and counts once they are closed."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from api.budget.judgment_schemas import JudgmentSchema
from mvote.budget.deliberation.counting import recounts_of
from mvote.budget.deliberation.judgment import Judgment, JudgmentVote, SwornIn
from mvote.budget.deliberation.recounting import recused_of
from mvote.budget.deliberation.shortlist import Shortlist, ShortlistVote
from mvote.budget.seat import Seat

PLAIN = (
    "id", "proposal_id", "committee_id", "motion", "missing", "state", "shortlist_id",
    "meeting_id", "opened_at", "closed_at", "yes", "no", "abstain", "carried",
)  # fmt: skip


def view_of(session: Session, judgment: Judgment) -> dict[str, Any]:
    """The judgment as JudgmentSchema takes it; without votes while it is open."""
    is_closed = judgment.state == "closed"
    sworn = select(SwornIn.seat_id).where(SwornIn.judgment_id == judgment.id)
    counted = [judgment.yes or 0, judgment.no or 0, judgment.abstain or 0]
    return {name: getattr(judgment, name) for name in PLAIN} | {
        "sworn_in": session.scalars(sworn.order_by(SwornIn.seat_id)).all(),
        "entitled": len(judgment.roll or ()) if is_closed else None,
        "present": sum(counted) if is_closed else None,
        "quorate": True if is_closed else None,  # else it is not closed
        "votes": _votes(session, judgment) if is_closed else [],
        "recounts": recounts_of(session, judgment.id),
    }


def _votes(session: Session, judgment: Judgment) -> list[dict[str, Any]]:
    of_it = (
        select(JudgmentVote, Seat)
        .join(Seat, Seat.id == JudgmentVote.seat_id)
        .where(JudgmentVote.judgment_id == judgment.id)
        .order_by(Seat.number)
    )
    roll = judgment.roll or []
    counting = set(roll) - set(recused_of(session, judgment.proposal_id, roll))
    return _by_seat(session, of_it, counting)


def list_votes_by_seat(session: Session, shortlist: Shortlist) -> list[dict[str, Any]]:
    """How each seat voted on a list that is closed."""
    of_it = (
        select(ShortlistVote, Seat)
        .join(Seat, Seat.id == ShortlistVote.seat_id)
        .where(ShortlistVote.shortlist_id == shortlist.id)
        .order_by(Seat.number)
    )
    return _by_seat(session, of_it, set(shortlist.roll or ()))


def _by_seat(
    session: Session, of_it: Select[Any, Seat], counting: Collection[uuid.UUID]
) -> list[dict[str, Any]]:
    return [
        {"seat_id": seat.id, "number": seat.number, "pseudonym": seat.pseudonym,
         "vote": vote.vote, "reason": vote.reason, "counts": seat.id in counting}
        for vote, seat in session.execute(of_it)
    ]  # fmt: skip


def shown(session: Session, judgment: Judgment) -> dict[str, Any]:
    """The judgment as JSON."""
    session.refresh(judgment)
    dumped: dict[str, Any] = JudgmentSchema().dump(view_of(session, judgment))
    return dumped
