"""Reading opinions: one's own; others' once one's own is in; all of them at the judgment."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.interests import seats_held
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.recusing import check_not_recused
from mvote.budget.reviewing.review import Review
from mvote.budget.seat import Seat

Place = tuple[uuid.UUID, int, int]
"""Where a page begins behind: review, number of the seat, round."""
_READ = text(
    "SELECT * FROM opinions_to_read(:proposal_id, :citizen_id)"
    " WHERE CAST(:review_id AS uuid) IS NULL"
    " OR (review_id, number, round) > (CAST(:review_id AS uuid), :number, :round)"
    " ORDER BY review_id, number, round LIMIT :most"
)


@dataclass(frozen=True, kw_only=True)
class Read:
    """An opinion that somebody may read: of a seat, not of a name."""

    review_id: uuid.UUID
    committee_id: uuid.UUID
    seat_id: uuid.UUID
    #: the seat's within the committee
    number: int
    round: int
    scores: list[dict[str, Any]]
    comment: dict[str, str] | None
    at: dt.datetime
    #: None while only some may read it
    judged_at: dt.datetime | None


def opinions_for(
    session: Session,
    *,
    proposal: Proposal,
    citizen_id: uuid.UUID | None,
    around: Neighbourhood,
    after: Place | None = None,
    most: int | None = None,
) -> Sequence[Read]:
    """What the citizen may read of the opinions on a proposal; None: what everybody may.

    The database decides which those are. Raises Recused for a member who has no part in a review
    that is not judged yet.
    """
    if citizen_id is not None and _is_open(session, proposal):
        seats = seats_held(session, cycle_id=proposal.cycle_id, citizen_id=citizen_id)
        check_not_recused(session, proposal=proposal, seats=seats, around=around)
    return _read(session, proposal.id, citizen_id, after, most)


def own_opinions(session: Session, proposal_id: uuid.UUID, seat: Seat) -> Sequence[Read]:
    """What the holder of the seat has said."""
    found = _read(session, proposal_id, seat.citizen_id, None, None)
    return [each for each in found if each.seat_id == seat.id]


def _is_open(session: Session, proposal: Proposal) -> bool:
    unjudged = select(func.count()).where(
        Review.proposal_id == proposal.id, Review.judged_at.is_(None)
    )
    return bool(session.scalars(unjudged).one())


def _read(
    session: Session,
    proposal_id: uuid.UUID,
    citizen_id: uuid.UUID | None,
    after: Place | None,
    most: int | None,
) -> Sequence[Read]:
    review_id, number, in_round = after or (None, None, None)
    bound = {
        "proposal_id": proposal_id, "citizen_id": citizen_id, "review_id": review_id,
        "number": number, "round": in_round, "most": most,
    }  # fmt: skip
    return [Read(**row) for row in session.execute(_READ, bound).mappings()]
