"""Closing a judgment: the count, and what follows from it for the proposal."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mvote.base import database_time, instant
from mvote.budget.definition import Review
from mvote.budget.deliberation.bodies import Bench
from mvote.budget.deliberation.convening import check_is_of, window_of
from mvote.budget.deliberation.counting import ballots, votes_of
from mvote.budget.deliberation.errors import OpinionsMissing, QuorumNotReached, WindowNotOver
from mvote.budget.deliberation.filling import check_has_room
from mvote.budget.deliberation.following import follow
from mvote.budget.deliberation.judgment import Judgment
from mvote.budget.deliberation.pricing import check_price
from mvote.budget.deliberation.rules import review_of, rule_of_review
from mvote.budget.deliberation.voting import Item, item_under_way
from mvote.budget.judging import Judgment as Count
from mvote.budget.judging import judge
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.review import Opinion
from mvote.budget.reviewing.review import Review as OneReview
from mvote.budget.seat import Seat
from mvote.errors import NotAllowed, OutcomeUnknown, stands_for
from mvote.journal import Event, write_down
from mvote.wording import say

# somebody was seated between being read and being counted: the next try counts them
stands_for("judgment_roll_whole", OutcomeUnknown)


@dataclass(frozen=True, kw_only=True)
class JudgmentClosed(Event):
    kind: ClassVar[str] = "judgment:closed"
    judgment_id: uuid.UUID
    motion: str
    entitled: int
    yes: int
    no: int
    abstain: int
    carried: bool


def close_judgment(
    session: Session,
    *,
    proposal_id: uuid.UUID,
    citizen_id: uuid.UUID,
    meeting_id: uuid.UUID | None,
    around: Neighbourhood,
) -> Judgment:
    """Count what was voted, by the chair; the proposal goes where that leads.

    Where the chair may not judge it, or there is none, the lowest number among those who do closes.
    Raises QuorumNotReached, OpinionsMissing, WindowNotOver, PriceNotAllowed, ShortlistFull beside
    all that voting does; then nothing is decided.
    """
    item = item_under_way(session, proposal_id=proposal_id, citizen_id=citizen_id, around=around)
    chair = item.bench.chair
    if chair is None or chair.citizen_id != citizen_id:
        raise NotAllowed(say("Who is in the chair closes the vote."))
    if meeting_id is not None:
        check_is_of(session, meeting_id, item.bench.committee.id)
    votes = votes_of(session, item.judgment.id)
    review = review_of(item.cycle)
    _check_window(session, item, has_voted=votes.keys())
    if item.judgment.motion == "approve":
        check_opinions(session, proposal_id, item.bench, review)
    count = judge(ballots([*item.bench.seats], [], votes), rule_of_review(review))
    if not count.quorate:
        raise too_few(item.bench.seats.values(), review, count, votes.keys())
    if count.carried:
        _check_may_be_approved(session, item, review)
    item.judgment.meeting_id = meeting_id
    record(session, item.judgment, count, roll=[*item.bench.seats], chair=chair)
    follow(session, item.cycle, item.proposal, item.judgment, is_carried=count.carried)
    return item.judgment


def _check_may_be_approved(session: Session, item: Item, review: Review) -> None:
    if item.judgment.motion in ("approve", "confirm"):
        check_price(session, item.proposal)
    if item.judgment.motion == "approve" and item.proposal.appealed_at is None:
        check_has_room(session, review, item.bench.committee)


def record(
    session: Session, judgment: Judgment, count: Count, *, roll: list[uuid.UUID], chair: Seat
) -> None:
    """Write the count down: from here on it is public and never changes."""
    judgment.state, judgment.closed_at, judgment.closed_by = (
        "closed", database_time(session), chair.id,
    )  # fmt: skip
    judgment.roll, judgment.carried = roll, count.carried
    judgment.yes, judgment.no, judgment.abstain = count.yes, count.no, count.abstain
    session.flush()  # the database moves a proposal only behind the judgment that says so
    event = JudgmentClosed(
        judgment_id=judgment.id, motion=judgment.motion, entitled=count.entitled, yes=count.yes,
        no=count.no, abstain=count.abstain, carried=count.carried,
    )  # fmt: skip
    write_down(session, event, actor_id=chair.citizen_id, subject_id=judgment.proposal_id)


def _check_window(session: Session, item: Item, has_voted: Collection[uuid.UUID]) -> None:
    """Online everybody has until the end of the window, unless all have voted."""
    window = window_of(session, item.bench.committee.id, item.proposal)
    if window is None or window.ends_at <= database_time(session):
        return
    if not item.bench.seats.keys() <= set(has_voted):
        raise WindowNotOver(ends_at=instant(window.ends_at))


def check_opinions(session: Session, proposal_id: uuid.UUID, bench: Bench, review: Review) -> None:
    """See that so many opinions are in as the cycle wants, or as there are judges, where these
    review it. Raises OpinionsMissing."""
    is_reviewed = select(OneReview.id).where(
        OneReview.proposal_id == proposal_id,
        OneReview.committee_id == bench.committee.id,
        OneReview.judged_at.is_(None),
    )
    open_review = session.scalars(is_reviewed).one_or_none()
    if open_review is None:
        return
    given = select(func.count(func.distinct(Opinion.seat_id))).where(
        Opinion.review_id == open_review, Opinion.seat_id.in_(bench.seats)
    )
    needed, found = min(review.opinions_min, len(bench.seats)), session.scalars(given).one()
    if found < needed:
        raise OpinionsMissing(proposal_id=str(proposal_id), needed=needed)


def too_few(
    seats: Iterable[Seat], review: Review, count: Count, has_voted: Collection[uuid.UUID]
) -> QuorumNotReached:
    """What there is, what is needed, and who has not voted."""
    return QuorumNotReached(
        entitled=count.entitled,
        present=count.present,
        needed=int(count.entitled * review.quorum.more_than) + 1,
        not_voted=[
            {"number": seat.number, "pseudonym": seat.pseudonym}
            for seat in seats
            if seat.id not in has_voted
        ],
    )
