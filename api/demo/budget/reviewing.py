"""The committee at work: who reads what, and the opinions that are in."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.db import reading, transaction
from api.demo.budget import people
from api.demo.standing import fraction
from geo.neighbourhood import CityNeighbourhood
from mvote.budget.deliberation.voting import vote_on
from mvote.budget.forming import committee_of
from mvote.budget.judging import Vote
from mvote.budget.planning import cycle_of
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.giving_out import give_out
from mvote.budget.reviewing.opining import give_opinion
from mvote.budget.reviewing.review import Opinion, Review, ReviewAssignment
from mvote.budget.seat import Seat
from mvote.budget.seating import active_seats

AROUND = CityNeighbourhood()
SAID = (
    {"ko": "현장을 보니 꼭 필요합니다.", "en": "I have been there: it is badly needed."},
    {"ko": "이용할 사람이 많습니다.", "en": "Many people would use it."},
    {"ko": "비용에 견주어 효과가 작습니다.", "en": "Little would come of it for the money."},
    {"ko": "비슷한 시설이 가까이에 있습니다.", "en": "There is something like it nearby."},
)

VOTES: tuple[Vote, ...] = ("yes", "yes", "no")


class Reader(NamedTuple):
    """A member who is to read a proposal."""

    proposal_id: uuid.UUID
    #: of the proposal in its cycle, from 1
    number: int
    review_id: uuid.UUID
    seat_id: uuid.UUID
    citizen_id: uuid.UUID
    is_chair: bool


def give_out_all(cycle_id: uuid.UUID) -> None:
    """Let the committee take up what was assessed, and everything have its readers by lot."""
    with transaction() as session:
        officer, _ = people.officers(session, people.BUDGET)
        give_out(session, cycle=cycle_of(session, cycle_id), around=AROUND, by=officer.id)


def readers_in(session: Session, cycle_id: uuid.UUID) -> list[Reader]:
    """Everybody who reads anything in the cycle, by proposal and seat."""
    of_it = (
        select(Proposal.id, Proposal.number, Review.id, Seat.id, Seat.citizen_id, Seat.is_chair)
        .join(Review, Review.proposal_id == Proposal.id)
        .join(ReviewAssignment, ReviewAssignment.review_id == Review.id)
        .join(Seat, Seat.id == ReviewAssignment.seat_id)
        .where(Proposal.cycle_id == cycle_id, Seat.state == "filled")
        .order_by(Proposal.number, Seat.number)
    )
    return [
        Reader(proposal_id, int(number or 0), review_id, seat_id, citizen_id, is_chair)
        for proposal_id, number, review_id, seat_id, citizen_id, is_chair in session.execute(of_it)
        if citizen_id is not None
    ]


def yours_to_read(readers: Sequence[Reader]) -> list[Reader]:
    """Two members, none in the chair, who read the same proposal: the first that has such two."""
    for number in sorted({each.number for each in readers}):
        those = [each for each in readers if each.number == number and not each.is_chair]
        if len(those) > 1:
            return those[:2]
    return []


def opine_all(cycle_id: uuid.UUID) -> None:
    """Let all readers hand in what is missing, but for those two."""
    with reading() as session:
        readers = readers_in(session, cycle_id)
        are_in = set(session.execute(select(Opinion.review_id, Opinion.seat_id)).all())
    left = {each.citizen_id for each in yours_to_read(readers)}
    for reader in readers:
        is_in = (reader.review_id, reader.seat_id) in are_in
        if reader.citizen_id not in left and not is_in:
            with transaction() as session:
                give_opinion(
                    session,
                    proposal_id=reader.proposal_id,
                    citizen_id=reader.citizen_id,
                    around=AROUND,
                    **_opinion(reader),
                )


def vote_on_first(cycle_id: uuid.UUID, committee_id: uuid.UUID) -> None:
    """Let all vote on the proposal that those two read, but for them and the chair."""
    with transaction() as session:
        first, *others = yours_to_read(readers_in(session, cycle_id))
        waiting = {first.citizen_id, *(each.citizen_id for each in others)}
        seats = active_seats(session, committee_of(session, committee_id))
        voting = [each.citizen_id for each in seats if not each.is_chair and each.citizen_id]
        for place, citizen_id in enumerate(each for each in voting if each not in waiting):
            vote_on(
                session,
                proposal_id=first.proposal_id,
                citizen_id=citizen_id,
                vote=VOTES[place % len(VOTES)],
                reason=SAID[place % len(VOTES)],
                around=AROUND,
            )


def _opinion(reader: Reader) -> dict[str, Any]:
    """Of four points each: as the proposal is liked, and a little as the reader is."""
    liked = fraction(f"liked/{reader.number}")
    scores = []
    for criterion in ("need", "benefit"):
        own = fraction(f"{criterion}/{reader.number}/{reader.citizen_id}")
        score = 1 + round(4 * (2 * liked + own) / 3)
        said = SAID[round(own) if score > 2 else 2 + round(own)]
        scores.append({"criterion": criterion, "score": score, "reason": said})
    return {"scores": scores, "comment": None}
