"""What members declare of their interests: when they apply, and any time they sit."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from mvote.base import database_time
from mvote.budget.committee import Application, Committee
from mvote.budget.reviewing.neighbourhood import Point
from mvote.budget.reviewing.recusal import SeatInterests
from mvote.budget.seat import Seat
from mvote.journal import Event, write_down

NONE_YET: dict[str, Any] = {"organisations": [], "area_codes": [], "points": [], "text": None}


@dataclass(frozen=True, kw_only=True)
class InterestsDeclared(Event):
    """That they were declared, never what."""

    kind: ClassVar[str] = "seat:interests"


@dataclass(kw_only=True)
class Interests:
    """All that somebody has declared, together."""

    organisations: list[str] = field(default_factory=list)
    area_codes: list[str] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)

    def add(self, declared: Mapping[str, Any]) -> None:
        """Take in one declaration; its free text is for the member to think by."""
        self.organisations += declared.get("organisations") or ()
        self.area_codes += declared.get("area_codes") or ()
        self.points += declared.get("points") or ()


def interests_of(session: Session, seats: Sequence[Seat]) -> dict[uuid.UUID, Interests]:
    """For each seat what its holder declared in the seat's cycle: in applying to any of its
    committees, and since, for any seat. Who sits in a subcommittee applied to the committee."""
    found = {seat.id: Interests() for seat in seats}
    sits, other = aliased(Committee), aliased(Committee)
    elsewhere = aliased(Seat)
    applied = (
        select(Seat.id, Application.interests)
        .join(sits, sits.id == Seat.committee_id)
        .join(Application, Application.citizen_id == Seat.citizen_id)
        .join(other, (other.id == Application.committee_id) & (other.cycle_id == sits.cycle_id))
    )
    since = (
        select(Seat.id, SeatInterests.interests)
        .join(sits, sits.id == Seat.committee_id)
        .join(SeatInterests, SeatInterests.citizen_id == Seat.citizen_id)
        .join(elsewhere, elsewhere.id == SeatInterests.seat_id)
        .join(other, (other.id == elsewhere.committee_id) & (other.cycle_id == sits.cycle_id))
    )
    for query in (applied, since):
        for seat_id, declared in session.execute(query.where(Seat.id.in_(found))):
            found[seat_id].add(declared)
    return found


def declare_interests(session: Session, *, seat: Seat, interests: dict[str, Any]) -> None:
    """Let these be the interests that the holder of *seat* declares with it.

    What they recuse from is for the caller to note at once: see `recusing.note_recusals`.
    """
    row = {"seat_id": seat.id, "citizen_id": seat.citizen_id}
    changed = {"interests": interests, "set_at": database_time(session)}
    putting = insert(SeatInterests).values(row | changed)
    session.execute(
        putting.on_conflict_do_update(index_elements=[SeatInterests.seat_id], set_=changed)
    )
    write_down(session, InterestsDeclared(), actor_id=seat.citizen_id, subject_id=seat.id)


def declared_interests(session: Session, seat: Seat) -> dict[str, Any]:
    """What was declared last for this seat."""
    found = session.get(SeatInterests, seat.id, populate_existing=True)
    return NONE_YET | (found.interests if found else {})


def seats_held(session: Session, *, cycle_id: uuid.UUID, citizen_id: uuid.UUID) -> Sequence[Seat]:
    """The citizen's filled seats in committees of the cycle."""
    mine = (
        select(Seat)
        .join(Committee, Committee.id == Seat.committee_id)
        .where(
            Committee.cycle_id == cycle_id,
            Seat.citizen_id == citizen_id,
            Seat.state == "filled",
        )
        .order_by(Committee.id)
    )
    return session.scalars(mine).all()
