"""Swearing in: reserves who judge one item, because recusals leave too few others."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.base import database_time
from mvote.budget.committee import Application, Committee
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.recusing import note_recusals, recused_seats
from mvote.budget.seat import Reserve, Seat
from mvote.budget.seating import next_number, seats_of


def reserve_seats(
    session: Session,
    committee: Committee,
    proposal: Proposal,
    *,
    lacking: int,
    around: Neighbourhood,
) -> list[Seat]:
    """Seats for the next reserves, in the order of the draw, until *lacking* of them may judge.

    Such a seat has no vote but in the items that it was sworn in for.
    """
    one_at_a_time(session, committee.id)  # two items may want the same reserve at once
    found: list[Seat] = []
    for pseudonym, citizen_id in _waiting(session, committee):
        if lacking <= 0:
            break
        seat = _seat(session, committee, pseudonym, citizen_id)
        if seat is None:
            continue
        note_recusals(session, proposals=[proposal], seats=[seat], around=around)
        found.append(seat)
        lacking -= seat.id not in recused_seats(session, proposal.id)
    return found


def _waiting(session: Session, committee: Committee) -> Iterator[tuple[str, uuid.UUID]]:
    """The committee's own reserves; where it was not drawn, those of the cycle's that were."""
    of_cycle = (
        select(Reserve.committee_id, Reserve.pseudonym, Application.citizen_id)
        .join(Committee, Committee.id == Reserve.committee_id)
        .join(
            Application,
            (Application.committee_id == Reserve.committee_id)
            & (Application.pseudonym == Reserve.pseudonym),
        )
        .where(
            Committee.cycle_id == committee.cycle_id,
            Reserve.state == "waiting",
            Application.citizen_id.is_not(None),
        )
        .order_by(Reserve.committee_id, Reserve.position)
    )
    rows = session.execute(of_cycle).all()
    own = [row for row in rows if row.committee_id == committee.id]
    for row in own or rows:
        yield row.pseudonym, row.citizen_id


def _seat(
    session: Session, committee: Committee, pseudonym: str, citizen_id: uuid.UUID
) -> Seat | None:
    """The reserve's seat, new if need be; None for whoever is a member already."""
    held = _held_by(seats_of(session, committee.id), citizen_id)
    if held:
        return held[0] if all(seat.kind == "reserve" for seat in held) else None
    seat = Seat(
        committee_id=committee.id, number=next_number(session, committee.id), kind="reserve",
        has_vote=False, citizen_id=citizen_id, pseudonym=pseudonym,
        starts_on=committee.starts_on, ends_on=committee.ends_on,
        filled_at=database_time(session),
    )  # fmt: skip
    session.add(seat)
    session.flush()
    return seat


def _held_by(seats: Sequence[Seat], citizen_id: uuid.UUID) -> list[Seat]:
    return [seat for seat in seats if seat.citizen_id == citizen_id and seat.state == "filled"]
