"""Recusing: what a member declares, and what is detected, written down and public at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.committee import Committee
from mvote.budget.deliberation.recounting import recount_after
from mvote.budget.looking_up import locked_proposals
from mvote.budget.proposal import Proposal
from mvote.budget.proposal_people import ProposalSupport, authors_of
from mvote.budget.reviewing.detecting import Found, Pair, detect
from mvote.budget.reviewing.errors import Recused
from mvote.budget.reviewing.interests import seats_held
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.recusal import Ground, How, Recusal
from mvote.budget.seat import Seat
from mvote.errors import NotAllowed
from mvote.journal import Event, write_down


@dataclass(frozen=True, kw_only=True)
class SeatRecused(Event):
    kind: ClassVar[str] = "proposal:recused"
    seat_id: uuid.UUID
    ground: str
    how: str


def recuse(session: Session, *, grounds: Found, how: How, by: uuid.UUID | None) -> set[Pair]:
    """Write recusals down, each once; those that are new.

    The database takes away what was assigned. Opinions and votes of the recused stay as records
    and count no more, however late the recusal is found: what was judged is counted again.
    """
    now, new = database_time(session), set()
    for (proposal_id, seat_id), ground in sorted(grounds.items()):
        row = {"proposal_id": proposal_id, "seat_id": seat_id, "ground": ground, "how": how}
        done = insert(Recusal).values(**row, at=now).on_conflict_do_nothing()
        if session.scalar(done.returning(Recusal.at)) is not None:
            new.add((proposal_id, seat_id))
            event = SeatRecused(seat_id=seat_id, ground=ground, how=how)
            write_down(session, event, actor_id=by, subject_id=proposal_id)
    if new:
        recount_after(session, proposals={proposal_id for proposal_id, _ in new})
    return new


def note_recusals(
    session: Session,
    *,
    proposals: Iterable[Proposal],
    around: Neighbourhood,
    seats: Iterable[Seat] | None = None,
) -> set[Pair]:
    """Recuse whoever has an interest that is known now (of *seats*, else of all in the cycles).

    Call it before a committee counts who may take part; those that are new.
    """
    wanted = list(proposals)
    if seats is None:
        seats = seats_in(session, {proposal.cycle_id for proposal in wanted})
    found = detect(session, proposals=wanted, seats=seats, around=around)
    known = recused_pairs(session, (proposal.id for proposal in wanted))
    new = {pair: ground for pair, ground in found.items() if pair not in known}
    if not new:
        return set()
    locked_proposals(session, (proposal_id for proposal_id, _ in new))  # each recusal in its turn
    return recuse(session, grounds=new, how="detected", by=None)


def declare(
    session: Session, *, proposal: Proposal, citizen_id: uuid.UUID, ground: Ground
) -> Sequence[tuple[Recusal, Seat]]:
    """Recuse every seat that the citizen has in the proposal's cycle; their recusals from it.

    Raises NotAllowed for whoever sits nowhere.
    """
    seats = seats_held(session, cycle_id=proposal.cycle_id, citizen_id=citizen_id)
    if not seats:
        raise NotAllowed
    mine = {seat.id for seat in seats}
    grounds: Found = {(proposal.id, seat_id): ground for seat_id in mine}
    recuse(session, grounds=grounds, how="declared", by=citizen_id)
    return [each for each in recusals_of(session, proposal.id) if each[1].id in mine]


def check_not_recused(
    session: Session,
    *,
    proposal: Proposal,
    seats: Sequence[Seat],
    around: Neighbourhood,
) -> None:
    """See that none of a member's *seats* is recused, or is to be by what is known.

    Raises Recused. It writes nothing down: a refusal would undo it. See `note_recusals`.
    """
    known = select(Recusal.ground).where(
        Recusal.proposal_id == proposal.id, Recusal.seat_id.in_([seat.id for seat in seats])
    )
    grounds: list[Ground] = list(session.scalars(known.order_by(Recusal.at)))
    grounds += detect(session, proposals=[proposal], seats=seats, around=around).values()
    if grounds:
        raise Recused(ground=grounds[0])


def recuse_by(
    session: Session, *, proposal: Proposal, citizen_id: uuid.UUID, ground: Ground
) -> None:
    """Recuse whoever has just begun to support the proposal, or to be an author of it."""
    seats = seats_held(session, cycle_id=proposal.cycle_id, citizen_id=citizen_id)
    grounds: Found = {(proposal.id, seat.id): ground for seat in seats}
    recuse(session, grounds=grounds, how="detected", by=citizen_id)


def recuse_people_of(session: Session, proposal: Proposal, *, ground: Ground) -> None:
    """Recuse its authors, on *ground*, and supporters that came to it from another proposal."""
    seats: dict[uuid.UUID | None, list[uuid.UUID]] = {}
    for seat in seats_in(session, {proposal.cycle_id}):
        seats.setdefault(seat.citizen_id, []).append(seat.id)
    supporters = select(ProposalSupport.citizen_id).where(
        ProposalSupport.proposal_id == proposal.id, ProposalSupport.citizen_id.in_(seats)
    )
    authors = authors_of(session, [proposal.id])
    grounds: Found = {
        (proposal.id, seat_id): ground if citizen_id in authors else "supporter"
        for citizen_id in seats.keys() & (authors | set(session.scalars(supporters)))
        for seat_id in seats[citizen_id]
    }
    recuse(session, grounds=grounds, how="detected", by=None)


def seats_in(session: Session, cycles: Iterable[uuid.UUID]) -> Sequence[Seat]:
    """All filled seats of the cycles' committees."""
    of_them = (
        select(Seat)
        .join(Committee, Committee.id == Seat.committee_id)
        .where(Committee.cycle_id.in_(list(cycles)), Seat.state == "filled")
        .order_by(Seat.id)
    )
    return session.scalars(of_them).all()


def recusals_of(session: Session, proposal_id: uuid.UUID) -> Sequence[tuple[Recusal, Seat]]:
    """All recusals from a proposal with their seats, in the order in which they were found."""
    of_it = (
        select(Recusal, Seat)
        .join(Seat, Seat.id == Recusal.seat_id)
        .where(Recusal.proposal_id == proposal_id)
        .order_by(Recusal.at, Seat.id)
    )
    return [(recusal, seat) for recusal, seat in session.execute(of_it)]


def recused_seats(session: Session, proposal_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """Who counts in no quorum of this proposal, and whose vote is annulled."""
    of_it = select(Recusal.seat_id).where(Recusal.proposal_id == proposal_id)
    return frozenset(session.scalars(of_it))


def recused_pairs(session: Session, proposals: Iterable[uuid.UUID]) -> set[Pair]:
    """All recusals from these proposals."""
    of_them = select(Recusal.proposal_id, Recusal.seat_id).where(
        Recusal.proposal_id.in_(list(proposals))
    )
    return {(proposal_id, seat_id) for proposal_id, seat_id in session.execute(of_them)}
