"""Who judges a proposal: its body, the fallback where too few are left, reserves sworn in."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.definition import Review
from mvote.budget.deliberation.counting import body_approved
from mvote.budget.deliberation.judgment import Motion
from mvote.budget.deliberation.rules import review_of, rule_of_review
from mvote.budget.deliberation.swearing import reserve_seats
from mvote.budget.deliberation.taking_part import who_took_part
from mvote.budget.forming import committees_of
from mvote.budget.judging import Body, Judges, Majority, QuorumImpossible, judges_of
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.recusing import note_recusals, recused_seats
from mvote.budget.reviewing.taking_up import body_of, committee_for
from mvote.budget.revision import Revision
from mvote.budget.seat import Seat
from mvote.budget.seating import active_seats


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Who judges one proposal on one motion, as it stands now."""

    committee: Committee
    #: by id; in the order of their numbers, sworn-in reserves last
    seats: dict[uuid.UUID, Seat]
    sworn_in: tuple[uuid.UUID, ...]

    def seat_of(self, citizen_id: uuid.UUID) -> Seat | None:
        """Where the citizen sits in it."""
        return next((s for s in self.seats.values() if s.citizen_id == citizen_id), None)

    @property
    def chair(self) -> Seat | None:
        """Who closes the vote: the chair; where they may not judge this, the lowest number."""
        named = next((seat for seat in self.seats.values() if seat.is_chair), None)
        return named or next(iter(self.seats.values()), None)


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """Who sits where now, for whoever judges many proposals of a cycle in one transaction.

    All recusals from those proposals that are known now are written down.
    """

    committees: Sequence[Committee]
    #: by committee, those with a vote
    seats: Mapping[uuid.UUID, Sequence[Seat]]


def sitting_on(
    session: Session, cycle: Cycle, proposals: Iterable[Proposal], around: Neighbourhood
) -> Sitting:
    """What `bench_for` each of *proposals*, which are locked, would find out anew each time."""
    committees = committees_of(session, cycle.id)
    seats = {each.id: _voting_seats(session, each) for each in committees}
    everybody = [seat for sitting in seats.values() for seat in sitting]
    note_recusals(session, proposals=proposals, seats=everybody, around=around)
    return Sitting(committees=committees, seats=seats)


def kinds_for(
    session: Session, review: Review, cycle: Cycle, proposal: Proposal, motion: Motion
) -> list[str]:
    """The kinds of committees that vote on *motion*: the body, then its fallback.

    Whoever is to confirm a proposal sends it back, too: the body has had its say.
    """
    is_next = motion == "confirm" or (motion == "return" and body_approved(session, proposal))
    body = review.confirm if is_next and review.confirm else body_of(cycle, proposal)
    return [kind for kind in (body, review.fallback) if kind]


def bench_for(
    session: Session,
    cycle: Cycle,
    proposal: Proposal,
    motion: Motion,
    around: Neighbourhood,
    *,
    sitting: Sitting | None = None,
) -> Bench:
    """Who judges *proposal*, which is locked; recusals that are known now are written down first.

    Where the body is too small its fallback is asked, and where that is, too, reserves get a seat
    for this item. *sitting*: what is known of many proposals at once. Raises QuorumImpossible with
    everybody who can help.
    """
    review = review_of(cycle)
    rule = rule_of_review(review)
    kinds = kinds_for(session, review, cycle, proposal, motion)
    bodies = _bodies(session, cycle, proposal, kinds, sitting)
    if not bodies:
        raise _nobody(kinds, rule)
    seats: dict[uuid.UUID, Sequence[Seat]] = {}
    named, out = [], frozenset[str]()
    for each in bodies:
        seats[each.id] = sitting.seats[each.id] if sitting else _voting_seats(session, each)
        out |= _out(session, proposal, seats[each.id], None if sitting else around)
        named.append(_body(each, seats[each.id]))
        if len(named[-1].filled - out) >= rule.floor:
            break
    reserves: list[Seat] = []
    lacking = rule.floor - len(named[-1].filled - out)
    if lacking > 0:
        reserves = reserve_seats(session, bodies[-1], proposal, lacking=lacking, around=around)
        out |= _out(session, proposal, reserves, around)
    judges = judges_of(
        named[0], rule, recused=out, fallback=named[-1], reserves=[str(s.id) for s in reserves]
    )
    return _bench(judges, bodies, [*seats[uuid.UUID(judges.body)], *reserves])


def _out(
    session: Session, proposal: Proposal, seats: Sequence[Seat], around: Neighbourhood | None
) -> frozenset[str]:
    """Who may not judge it: the recused, and after an appeal whoever took part before.

    Without *around* only what is written down counts.
    """
    if around is not None:
        note_recusals(session, proposals=[proposal], seats=seats, around=around)
    took_part = who_took_part(session, proposal)
    those = {seat.id for seat in seats if seat.citizen_id in took_part}
    return _names(those | recused_seats(session, proposal.id))


def _bench(judges: Judges, bodies: Sequence[Committee], seats: Sequence[Seat]) -> Bench:
    return Bench(
        committee=next(each for each in bodies if str(each.id) == judges.body),
        seats={seat.id: seat for seat in seats if str(seat.id) in judges.seats},
        sworn_in=tuple(uuid.UUID(name) for name in judges.sworn_in),
    )


def _bodies(
    session: Session,
    cycle: Cycle,
    proposal: Proposal,
    kinds: Iterable[str],
    sitting: Sitting | None,
) -> list[Committee]:
    """The committees of these kinds that the proposal falls to, each once."""
    committees = sitting.committees if sitting else committees_of(session, cycle.id)
    text = session.get_one(Revision, (proposal.id, int(proposal.revision or 0)))
    found: list[Committee] = []
    for kind in kinds:
        body = committee_for(cycle, committees, proposal, text, kind=kind)
        if body is not None and body not in found:
            found.append(body)
    return found


def _voting_seats(session: Session, committee: Committee) -> list[Seat]:
    return [seat for seat in active_seats(session, committee) if seat.has_vote]


def _names(seats: Iterable[uuid.UUID]) -> frozenset[str]:
    return frozenset(map(str, seats))


def _body(committee: Committee, seats: Sequence[Seat]) -> Body:
    return Body(key=str(committee.id), filled=_names(seat.id for seat in seats))


def _nobody(kinds: Iterable[str], rule: Majority) -> QuorumImpossible:
    """No such committee was formed for this proposal."""
    named = [{"body": kind, "filled": 0, "recused": [], "missing": rule.floor} for kind in kinds]
    return QuorumImpossible(floor=rule.floor, bodies=named, reserves_who_can_help=[])
