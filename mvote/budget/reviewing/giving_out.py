"""Giving out: who reads which proposal, by lot, evenly; again whenever somebody is recused."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.budget.assigning import assign
from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.deliberation.taking_part import who_took_part
from mvote.budget.forming import committees_of
from mvote.budget.phases import REVIEWED, phase_now, require_phase
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.detecting import Pair
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.recusing import note_recusals, recused_pairs
from mvote.budget.reviewing.review import Review, ReviewAssignment
from mvote.budget.reviewing.taking_up import take_up
from mvote.budget.seat import Seat
from mvote.budget.seating import active_seats
from mvote.journal import Event, write_down


@dataclass(frozen=True, kw_only=True)
class ReviewsAssigned(Event):
    """*seed* in hex: with it, and what was assigned before, `assign` gives the same again."""

    kind: ClassVar[str] = "committee:assigned"
    seed: str
    given: int
    taken: int


@dataclass(frozen=True, kw_only=True)
class GivenOut:
    """What has readers now."""

    #: proposals that are under review
    proposals: int
    #: who reads what, all together
    assignments: int
    #: proposals that so many are recused from that they lack readers
    lacking: Sequence[uuid.UUID]


@dataclass(kw_only=True)
class _Desk:
    """What a committee reviews, who may read it, and who was to read it so far."""

    committee: Committee
    needed: int
    #: proposal → its review
    reviews: Mapping[uuid.UUID, uuid.UUID]
    seats: frozenset[uuid.UUID]
    #: proposal → who has no part in it
    recused: Mapping[uuid.UUID, set[uuid.UUID]]
    #: proposal → who was to read it so far
    kept: dict[uuid.UUID, list[uuid.UUID]]

    def able(self, proposal_id: uuid.UUID) -> frozenset[uuid.UUID]:
        return self.seats.difference(self.recused.get(proposal_id, ()))

    def lacking(self) -> list[uuid.UUID]:
        """The proposals for which too few are left."""
        enough = len(self.seats) >= self.needed
        at_risk = self.recused.keys() & self.reviews if enough else self.reviews
        return [each for each in sorted(at_risk) if len(self.able(each)) < self.needed]

    def is_settled(self) -> bool:
        """Whether everything has the readers that it can have, and no others."""
        return all(map(self._has_its_readers, self.reviews))

    def _has_its_readers(self, proposal_id: uuid.UUID) -> bool:
        readers = set(self.kept.get(proposal_id, ()))
        if not readers <= self.seats or readers & self.recused.get(proposal_id, set()):
            return False
        return len(readers) >= self.needed or len(readers) == len(self.able(proposal_id))


def give_out(
    session: Session, *, cycle: Cycle, around: Neighbourhood, by: uuid.UUID | None
) -> GivenOut:
    """Take up what waits, recuse whose interests are known, and give everything its readers.

    What was assigned before stays, unless its reader is recused or gone. A proposal with too few
    who may read it is given to all of them. Raises PhaseNotOpen.
    """
    one_at_a_time(session, cycle.id)
    require_phase(session, cycle.id, *REVIEWED)
    note_recusals(session, proposals=take_up(session, cycle), around=around)
    desks = [_desk(session, cycle, each) for each in committees_of(session, cycle.id)]
    for desk in desks:
        _settle(session, desk, by)
    return GivenOut(
        proposals=sum(len(desk.reviews) for desk in desks),
        assignments=sum(len(readers) for desk in desks for readers in desk.kept.values()),
        lacking=[proposal_id for desk in desks for proposal_id in desk.lacking()],
    )


def give_out_again(session: Session, *, cycle: Cycle) -> None:
    """Fill the places of whoever was recused or has left; nothing outside the phases."""
    one_at_a_time(session, cycle.id)
    if phase_now(session, cycle.id) in REVIEWED:
        for committee in committees_of(session, cycle.id):
            _settle(session, _desk(session, cycle, committee), None)


def give_out_what_waits(session: Session, *, around: Neighbourhood) -> None:
    """For every cycle that reviews now, or ends what was left: what a worker does again and
    again."""
    for cycle in session.scalars(select(Cycle).where(Cycle.state == "running").order_by(Cycle.id)):
        if phase_now(session, cycle.id) in REVIEWED:
            give_out(session, cycle=cycle, around=around, by=None)


def _desk(session: Session, cycle: Cycle, committee: Committee) -> _Desk:
    rules = cycle.definition.get("review") or {}
    of_it = (
        select(Review.proposal_id, Review.id)
        .join(Proposal, Proposal.id == Review.proposal_id)
        .where(
            Review.committee_id == committee.id,
            Review.judged_at.is_(None),
            Proposal.state == "under_review",
        )
    )
    reviews = dict(session.execute(of_it).all())
    assigned = (
        select(Review.proposal_id, ReviewAssignment.seat_id)
        .join(Review, Review.id == ReviewAssignment.review_id)
        .where(Review.id.in_(reviews.values()))
        .order_by(ReviewAssignment.at, ReviewAssignment.seat_id)
    )
    seats = active_seats(session, committee) if reviews else ()
    recused = recused_pairs(session, reviews) | _took_part(session, reviews, seats)
    return _Desk(
        committee=committee,
        needed=int(rules.get("opinions_min", 0)),
        reviews=reviews,
        seats=frozenset(seat.id for seat in seats),
        recused={proposal_id: set(found) for proposal_id, found in _grouped(recused).items()},
        kept=_grouped((proposal, seat) for proposal, seat in session.execute(assigned)),
    )


def _took_part(session: Session, reviews: Iterable[uuid.UUID], seats: Iterable[Seat]) -> set[Pair]:
    """Of what is appealed against: whoever has voted on it reads it no more than the recused."""
    appealed = select(Proposal).where(
        Proposal.id.in_(list(reviews)), Proposal.appealed_at.is_not(None)
    )
    found: set[Pair] = set()
    for proposal in session.scalars(appealed):
        people = who_took_part(session, proposal)
        found |= {(proposal.id, seat.id) for seat in seats if seat.citizen_id in people}
    return found


def _grouped(pairs: Iterable[Pair]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Proposal → seats."""
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for proposal_id, seat_id in pairs:
        found.setdefault(proposal_id, []).append(seat_id)
    return found


def _settle(session: Session, desk: _Desk, by: uuid.UUID | None) -> None:
    """Give the committee's proposals the readers that they lack."""
    if desk.is_settled():
        return
    seed = secrets.token_bytes(32)
    wanted = readers_by_lot(desk, seed)
    before = {(proposal, seat) for proposal, seats in desk.kept.items() for seat in seats}
    after = {(proposal, seat) for proposal, seats in wanted.items() for seat in seats}
    for proposal_id, seat_id in sorted(before - after):
        session.execute(delete(ReviewAssignment).where(
            ReviewAssignment.review_id == desk.reviews[proposal_id],
            ReviewAssignment.seat_id == seat_id,
        ))  # fmt: skip
    session.add_all(
        ReviewAssignment(review_id=desk.reviews[proposal_id], seat_id=seat_id)
        for proposal_id, seat_id in sorted(after - before)
    )
    session.flush()
    desk.kept = wanted
    event = ReviewsAssigned(
        seed=seed.hex(), given=len(after - before), taken=len(before - after)
    )  # fmt: skip
    write_down(session, event, actor_id=by, subject_id=desk.committee.id)


def readers_by_lot(desk: _Desk, seed: bytes) -> dict[uuid.UUID, list[uuid.UUID]]:
    """For each proposal its readers: by lot, evenly; where too few are left, all of them."""
    short = desk.lacking()
    given = assign(
        map(str, desk.reviews.keys() - short),
        map(str, desk.seats),
        needed=desk.needed,
        recused=((str(seat), str(each)) for each, seats in desk.recused.items() for seat in seats),
        seed=seed,
        kept={str(proposal): list(map(str, seats)) for proposal, seats in desk.kept.items()},
    )
    by_lot = {uuid.UUID(each): [uuid.UUID(seat) for seat in given[each]] for each in given}
    return by_lot | {proposal_id: sorted(desk.able(proposal_id)) for proposal_id in short}
