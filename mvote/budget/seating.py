"""Who sits: leaving a seat, moving up from the reserves, appointed seats, the chair."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.applying import OF_APPOINTED, pool_of, pseudonym_of
from mvote.budget.committee import Application, Committee
from mvote.budget.committee_errors import AlreadySeated
from mvote.budget.cycle import Cycle
from mvote.budget.drawing.draw import move_up
from mvote.budget.drawing.errors import QuotasImpossible
from mvote.budget.forming import rule_of, today
from mvote.budget.holding_draws import last_number, seat_drawn
from mvote.budget.seat import Reserve, Seat, SeatKind
from mvote.errors import (
    Fault,
    ImpossibleTransition,
    InvalidRequest,
    NotAllowed,
    NotFound,
    Text,
    stands_for,
)
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.wording import say

stands_for("uq_seat_citizen", AlreadySeated)
stands_for("uq_seat_chair", AlreadySeated)


@dataclass(frozen=True, kw_only=True)
class SeatVacated(Event):
    kind: ClassVar[str] = "seat:vacated"
    committee_id: uuid.UUID
    reason: dict[str, str] | None


@dataclass(frozen=True, kw_only=True)
class SeatFilled(Event):
    kind: ClassVar[str] = "seat:filled"
    committee_id: uuid.UUID
    pseudonym: str


@dataclass(frozen=True, kw_only=True)
class ReserveDeclined(Event):
    """Their place in the order stays empty."""

    kind: ClassVar[str] = "committee:reserve_declined"
    pseudonym: str


@dataclass(frozen=True, kw_only=True)
class ChairNamed(Event):
    kind: ClassVar[str] = "seat:chair"
    committee_id: uuid.UUID


def seats_of(session: Session, committee_id: uuid.UUID) -> Sequence[Seat]:
    """All seats that were ever filled, in their order."""
    of_it = select(Seat).where(Seat.committee_id == committee_id).order_by(Seat.number)
    return session.scalars(of_it).all()


def reserves_of(session: Session, committee_id: uuid.UUID) -> Sequence[Reserve]:
    """All reserves in the order of the draw."""
    of_it = select(Reserve).where(Reserve.committee_id == committee_id)
    return session.scalars(of_it.order_by(Reserve.position)).all()


def vacate(
    session: Session,
    *,
    committee: Committee,
    seat_id: uuid.UUID,
    by: uuid.UUID,
    reason: Text | None,
) -> None:
    """Let a seat be vacant from now on; the next reserve moves up if the quotas still hold.

    Raises NotFound, ImpossibleTransition.
    """
    seat = session.get(Seat, seat_id, with_for_update=True, populate_existing=True)
    if seat is None or seat.committee_id != committee.id:
        raise NotFound
    if seat.state == "vacant":
        raise ImpossibleTransition(state="vacant", verb="vacate")
    seat.state, seat.vacated_at = "vacant", database_time(session)
    session.flush()
    event = SeatVacated(committee_id=committee.id, reason=reason)
    write_down(session, event, actor_id=by, subject_id=seat.id)
    fill_vacant_seats(session, committee=committee, by=by)


def leave(session: Session, *, committee: Committee, citizen_id: uuid.UUID) -> None:
    """Give up one's own seat, or one's place among the reserves. Raises NotFound."""
    seat_id = session.scalars(select(Seat.id).where(
        Seat.committee_id == committee.id, Seat.citizen_id == citizen_id, Seat.state == "filled"
    )).one_or_none()  # fmt: skip
    if seat_id is not None:
        vacate(session, committee=committee, seat_id=seat_id, by=citizen_id, reason=None)
        return
    reserve = session.scalars(
        select(Reserve)
        .join(Application, Application.pseudonym == Reserve.pseudonym)
        .where(
            Reserve.committee_id == committee.id,
            Application.committee_id == committee.id,
            Application.citizen_id == citizen_id,
            Reserve.state == "waiting",
        )
    ).one_or_none()
    if reserve is None:
        raise NotFound
    reserve.state = "declined"
    session.flush()
    event = ReserveDeclined(pseudonym=reserve.pseudonym)
    write_down(session, event, actor_id=citizen_id, subject_id=committee.id)


def fill_vacant_seats(session: Session, *, committee: Committee, by: uuid.UUID) -> tuple[str, ...]:
    """Move reserves up, in their order, into what is vacant of the drawn seats: their pseudonyms.

    Nobody moves up where the quotas could not be met any more: the seat stays vacant.
    """
    rule = rule_of(session, committee.id)
    waiting = [each for each in reserves_of(session, committee.id) if each.state == "waiting"]
    waiting = _with_accounts(session, committee.id, waiting)
    if rule is None or not waiting:
        return ()
    sitting = [each.pseudonym for each in seats_of(session, committee.id)
               if each.kind == "citizen" and each.state == "filled"]  # fmt: skip
    moved: tuple[str, ...] = ()
    with suppress(QuotasImpossible):
        names = [each.pseudonym for each in waiting]
        moved = move_up(rule, pool_of(session, committee.id), sitting=sitting, reserves=names)
    for reserve in waiting:
        if reserve.pseudonym in moved:
            reserve.state = "moved_up"
    _end_reserve_seats(session, committee.id, moved)
    seat_drawn(session, committee, moved)
    for pseudonym in moved:
        event = SeatFilled(committee_id=committee.id, pseudonym=pseudonym)
        write_down(session, event, actor_id=by, subject_id=committee.id)
    return moved


def _end_reserve_seats(
    session: Session, committee_id: uuid.UUID, pseudonyms: Sequence[str]
) -> None:
    """Whoever was sworn in for single items sits for all of them now."""
    for seat in seats_of(session, committee_id):
        if seat.kind == "reserve" and seat.state == "filled" and seat.pseudonym in pseudonyms:
            seat.state, seat.vacated_at = "vacant", database_time(session)
    session.flush()


def _with_accounts(
    session: Session, committee_id: uuid.UUID, reserves: Sequence[Reserve]
) -> list[Reserve]:
    there = select(Application.pseudonym).where(
        Application.committee_id == committee_id, Application.citizen_id.is_not(None)
    )
    names = set(session.scalars(there))
    return [each for each in reserves if each.pseudonym in names]


def next_number(session: Session, committee_id: uuid.UUID) -> int:
    """The number of the committee's next seat."""
    return last_number(session, committee_id) + 1


def appoint(
    session: Session,
    *,
    committee: Committee,
    citizen_id: uuid.UUID,
    kind: SeatKind,
    has_vote: bool,
    key: bytes,
    by: uuid.UUID,
) -> Seat:
    """Give a seat that no lot gives: an expert's, an official's; a citizen's where none is drawn.

    Raises InvalidRequest, AlreadySeated, ImpossibleTransition.
    """
    if kind == "citizen" and committee.commitment is not None:
        raise ImpossibleTransition(state="drawn_by_lot", verb="appoint")
    if session.get(Citizen, citizen_id) is None:
        raise InvalidRequest(Fault(
            "/citizen_id", say("There is no such citizen.")
        ))  # fmt: skip
    pseudonym = pseudonym_of(
        key, committee_id=committee.id, citizen_id=citizen_id, label=OF_APPOINTED
    )
    seat = Seat(
        committee_id=committee.id, number=next_number(session, committee.id), kind=kind,
        has_vote=has_vote, citizen_id=citizen_id, pseudonym=pseudonym,
        starts_on=committee.starts_on, ends_on=committee.ends_on,
        filled_at=database_time(session),
    )  # fmt: skip
    session.add(seat)
    session.flush()
    event = SeatFilled(committee_id=committee.id, pseudonym=pseudonym)
    write_down(session, event, actor_id=by, subject_id=committee.id)
    return seat


def name_chair(
    session: Session, *, committee: Committee, seat_id: uuid.UUID, by: uuid.UUID
) -> None:
    """Let who has this seat be in the chair, and whoever was no longer. Raises NotFound."""
    filled = [each for each in seats_of(session, committee.id) if each.state == "filled"]
    chosen = next((each for each in filled if each.id == seat_id), None)
    if chosen is None:
        raise NotFound
    for seat in filled:
        seat.is_chair = False
    session.flush()  # never two at once
    chosen.is_chair = True
    session.flush()
    event = ChairNamed(committee_id=committee.id)
    write_down(session, event, actor_id=by, subject_id=seat_id)


def is_active_on(seat: Seat, day: dt.date) -> bool:
    """Whether the seat counts on that day of the city's."""
    return seat.state == "filled" and seat.starts_on <= day <= seat.ends_on


def active_seats(session: Session, committee: Committee) -> list[Seat]:
    """The filled seats whose term runs today, without reserves sworn in for single items."""
    day = today(session, session.get_one(Cycle, committee.cycle_id))
    return [
        each
        for each in seats_of(session, committee.id)
        if is_active_on(each, day) and each.kind != "reserve"
    ]


def active_seat_of(session: Session, committee: Committee, citizen_id: uuid.UUID) -> Seat:
    """The citizen's seat in the committee. Raises NotAllowed."""
    mine = [each for each in active_seats(session, committee) if each.citizen_id == citizen_id]
    if not mine:
        raise NotAllowed
    return mine[0]
