"""How many projects a body that decides by shortlists may still approve."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.budget.committee import Committee
from mvote.budget.definition import Review
from mvote.budget.deliberation.counting import is_carried
from mvote.budget.deliberation.errors import ShortlistFull
from mvote.budget.deliberation.judgment import Judgment
from mvote.budget.deliberation.shortlist import PulledOut, Shortlist
from mvote.budget.proposal import Proposal, State

LOST: tuple[State, ...] = ("returned", "lapsed", "rejected", "withdrawn", "merged", "split")
"""In these states it takes no place on the body's list any more."""


def most_of(review: Review, committee: Committee) -> int | None:
    """How many the committee may approve in all; None: any number."""
    by_lists = review.decide.mode == "shortlist" and committee.kind == review.body
    return review.decide.max_projects if by_lists else None


def approved_by(session: Session, committee_id: uuid.UUID) -> int:
    """How many proposals the committee has approved that are not lost since."""
    carried = (
        select(Judgment)
        .join(Proposal, Proposal.id == Judgment.proposal_id)
        .where(
            Judgment.committee_id == committee_id,
            Judgment.state == "closed",
            Judgment.motion == "approve",
            Judgment.carried.is_(True),
            Judgment.revision == Proposal.revision,
            Proposal.state.not_in(LOST),
        )
    )
    standing = (each for each in session.scalars(carried) if is_carried(session, each))
    return len({each.proposal_id for each in standing})


def check_has_room(session: Session, review: Review, committee: Committee) -> None:
    """See that the committee may approve one more, beside its approvals and what it votes on with
    a list. Alone with whoever else asks. Raises ShortlistFull.
    """
    most = most_of(review, committee)
    if most is None:
        return
    one_at_a_time(session, committee.id)
    taken = approved_by(session, committee.id) + _listed(session, committee.id)
    if taken >= most:
        raise ShortlistFull(max_projects=most, approved=taken)


def _listed(session: Session, committee_id: uuid.UUID) -> int:
    """How many are ranked on the open list, without those pulled out."""
    of_it = select(Shortlist).where(
        Shortlist.committee_id == committee_id, Shortlist.state == "open"
    )
    shortlist = session.scalars(of_it.execution_options(populate_existing=True)).one_or_none()
    if shortlist is None:
        return 0
    apart = select(PulledOut.proposal_id).where(PulledOut.shortlist_id == shortlist.id)
    return len(set(shortlist.ranked) - set(session.scalars(apart)))
