"""Opinions: handed in blind, frozen, and given again after the discussion."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.forming import today
from mvote.budget.looking_up import cycle_of, locked_proposal
from mvote.budget.phases import require_phase
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.errors import NotUnderReview, OpinionFrozen
from mvote.budget.reviewing.interests import seats_held
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.reading import Read, own_opinions
from mvote.budget.reviewing.recusing import check_not_recused, recused_seats
from mvote.budget.reviewing.review import FIRST, SECOND, Opinion, Review
from mvote.budget.seat import Seat
from mvote.budget.seating import active_seats, is_active_on
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest, NotAllowed, Text
from mvote.journal import Event, write_down

Scores = Sequence[Mapping[str, Any]]
"""`[{"criterion", "score", "reason"}]`."""
UNKNOWN = "There is no such criterion in this cycle."
UNKNOWN_IN_KOREAN = "이 사업에 없는 심사 기준입니다."
TWICE = "This criterion is scored twice."
TWICE_IN_KOREAN = "같은 심사 기준에 점수를 두 번 주었습니다."
SAYS_NOTHING = "Say something: this cycle has no criteria to score."
SAYS_NOTHING_IN_KOREAN = "심사 기준이 없는 사업이므로 의견을 적어 주세요."


@dataclass(frozen=True, kw_only=True)
class OpinionGiven(Event):
    """That it is in, never what it says."""

    kind: ClassVar[str] = "opinion:given"
    seat_id: uuid.UUID
    round: int


@dataclass(frozen=True, kw_only=True)
class ReviewDiscussed(Event):
    kind: ClassVar[str] = "review:discussed"
    committee_id: uuid.UUID


def give_opinion(
    session: Session,
    *,
    proposal_id: uuid.UUID,
    citizen_id: uuid.UUID,
    scores: Scores,
    comment: Text | None,
    around: Neighbourhood,
) -> Read:
    """Hand in a seat's opinion in the round that is open. The first is frozen at once; the second
    may be given anew until the judgment. The same first one again is taken as it is.

    Raises NotFound, NotAllowed, PhaseNotOpen, NotUnderReview, Recused, InvalidRequest,
    OpinionFrozen.
    """
    proposal = locked_proposal(session, proposal_id, citizen_id)
    cycle = cycle_of(session, proposal)
    review, seat = review_of_member(session, cycle, proposal, citizen_id)
    require_phase(session, cycle.id, "reviewing")
    check_not_recused(session, proposal=proposal, seats=[seat], around=around)
    said = {"scores": _in_order(cycle, scores), "comment": comment}
    _check_says_something(said)
    number = FIRST if review.discussed_at is None else SECOND
    _put(session, review, seat, number, said)
    session.flush()
    return [each for each in own_opinions(session, proposal_id, seat) if each.round == number][-1]


def review_of_member(
    session: Session, cycle: Cycle, proposal: Proposal, citizen_id: uuid.UUID
) -> tuple[Review, Seat]:
    """The review that is open with a committee in which the citizen sits today, and their seat.

    Raises NotAllowed for whoever sits nowhere, NotUnderReview.
    """
    day = today(session, cycle)
    held = [
        seat
        for seat in seats_held(session, cycle_id=cycle.id, citizen_id=citizen_id)
        if is_active_on(seat, day)
    ]
    if not held:
        raise NotAllowed
    seats = {seat.committee_id: seat for seat in held}
    found = session.scalars(
        select(Review)
        .where(
            Review.proposal_id == proposal.id,
            Review.committee_id.in_(seats),
            Review.judged_at.is_(None),
        )
        .order_by(Review.id)
        .execution_options(populate_existing=True)
    ).first()
    if found is None or proposal.state != "under_review":
        raise NotUnderReview
    return found, seats[found.committee_id]


def _in_order(cycle: Cycle, scores: Scores) -> list[dict[str, Any]]:
    """The scores in the order of the cycle's criteria. Raises InvalidRequest with every fault."""
    rules = cycle.definition.get("review") or {}
    criteria = {each["key"]: each for each in rules.get("criteria") or ()}
    faults = list(_faults(criteria, scores))
    if faults:
        raise InvalidRequest(*faults)
    given = {each["criterion"]: dict(each) for each in scores}
    return [given[key] for key in criteria]


def _faults(criteria: Mapping[str, Any], scores: Scores) -> Iterator[Fault]:
    seen: set[str] = set()
    for n, each in enumerate(scores):
        key = each["criterion"]
        if key not in criteria:
            yield Fault(f"/scores/{n}/criterion", UNKNOWN, korean=UNKNOWN_IN_KOREAN)
        elif key in seen:
            yield Fault(f"/scores/{n}/criterion", TWICE, korean=TWICE_IN_KOREAN)
        elif each["score"] > (scale := criteria[key].get("scale", 5)):
            yield Fault(
                f"/scores/{n}/score",
                f"It must be from 0 to {scale}.",
                korean=f"0부터 {scale}까지 줄 수 있습니다.",
            )
        seen.add(key)
    for key in criteria.keys() - seen:
        yield Fault("/scores", f"{key} is not scored.", korean=f"{key} 기준의 점수가 없습니다.")


def _check_says_something(said: Mapping[str, Any]) -> None:
    if not said["scores"] and said["comment"] is None:
        raise InvalidRequest(Fault("/comment", SAYS_NOTHING, korean=SAYS_NOTHING_IN_KOREAN))


def _put(session: Session, review: Review, seat: Seat, number: int, said: dict[str, Any]) -> None:
    key = {"review_id": review.id, "seat_id": seat.id, "round": number}
    known = session.get(Opinion, key, populate_existing=True) is not None
    if known and number == FIRST:
        _check_is_the_same(session, review, seat, said)
        return
    if known:
        mine = (Opinion.review_id == review.id, Opinion.seat_id == seat.id, Opinion.round == number)
        session.execute(update(Opinion).where(*mine).values(**said))
    else:
        session.execute(insert(Opinion).values(**key, **said))
    event = OpinionGiven(seat_id=seat.id, round=number)
    write_down(session, event, actor_id=seat.citizen_id, subject_id=review.proposal_id)


def _check_is_the_same(
    session: Session, review: Review, seat: Seat, said: Mapping[str, Any]
) -> None:
    """See that a first opinion which comes again says the same. Raises OpinionFrozen."""
    [before] = [
        each
        for each in own_opinions(session, review.proposal_id, seat)
        if each.review_id == review.id and each.round == FIRST
    ]
    if (before.scores, before.comment) != (said["scores"], said["comment"]):
        raise OpinionFrozen


def note_discussion(
    session: Session, *, proposal_id: uuid.UUID, citizen_id: uuid.UUID, around: Neighbourhood
) -> Review:
    """The chair records that the committee has discussed it: first opinions are over, second ones
    are open. Where the chair is recused, or there is none, the lowest number with a vote does.

    Raises NotFound, NotAllowed, NotUnderReview, PhaseNotOpen, Recused, ImpossibleTransition.
    """
    proposal = locked_proposal(session, proposal_id, citizen_id)
    cycle = cycle_of(session, proposal)
    review, seat = review_of_member(session, cycle, proposal, citizen_id)
    require_phase(session, cycle.id, "reviewing")
    check_not_recused(session, proposal=proposal, seats=[seat], around=around)
    if seat.id != _in_the_chair(session, review):
        raise NotAllowed
    if review.discussed_at is not None:
        raise ImpossibleTransition(state="discussed", verb="discuss")
    review.discussed_at = database_time(session)
    session.flush()
    session.refresh(review)
    event = ReviewDiscussed(committee_id=review.committee_id)
    write_down(session, event, actor_id=citizen_id, subject_id=proposal_id)
    return review


def _in_the_chair(session: Session, review: Review) -> uuid.UUID | None:
    committee = session.get_one(Committee, review.committee_id)
    recused = recused_seats(session, review.proposal_id)
    able = [
        seat
        for seat in active_seats(session, committee)
        if seat.has_vote and seat.id not in recused
    ]
    able.sort(key=lambda seat: (not seat.is_chair, seat.number))
    return able[0].id if able else None
