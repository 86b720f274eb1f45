"""Who sits: leaving a seat, moving up from the reserves, appointed seats, the chair."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.applying import OF_APPOINTED, pool_of, pseudonym_of
from mvote.budget.committee import Application, Committee
from mvote.budget.committee_errors import AlreadySeated
from mvote.budget.cycle import Cycle
from mvote.budget.drawing.draw import move_up
from mvote.budget.drawing.errors import QuotasImpossible
from mvote.budget.drawing.published import only_what_counts
from mvote.budget.drawing.quotas import Person
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


def after_vacating(
    session: Session, *, committee: Committee, seat: Seat, by: uuid.UUID, reason: Text | None
) -> None:
    """What follows a seat that has just fallen vacant: the next reserve moves up if the quotas
    still hold.

    A reserve who leaves what they were sworn in for is none any more: else they would be sworn in
    again with the next item.
    """
    event = SeatVacated(committee_id=committee.id, reason=reason)
    write_down(session, event, actor_id=by, subject_id=seat.id)
    if seat.kind == "reserve":
        _decline(session, _reserves(Reserve.pseudonym == seat.pseudonym), by)
    fill_vacant_seats(session, committee=committee, by=by)


def leave(session: Session, *, committee: Committee, citizen_id: uuid.UUID) -> None:
    """Give up one's own seat, or one's place among the reserves. Raises NotFound."""
    own = select(Seat).where(
        Seat.committee_id == committee.id, Seat.citizen_id == citizen_id, Seat.state == "filled"
    )
    seat = session.scalars(own.with_for_update()).one_or_none()
    if seat is not None:
        seat.state, seat.vacated_at = "vacant", database_time(session)
        session.flush()
        after_vacating(session, committee=committee, seat=seat, by=citizen_id, reason=None)
        return
    mine = _reserves(Application.citizen_id == citizen_id, Reserve.committee_id == committee.id)
    if not _decline(session, mine, citizen_id):
        raise NotFound


def _reserves(*conditions: ColumnElement[bool]) -> Select[Reserve]:
    """Those who wait and of whom that is true, locked."""
    applied = (
        Application.committee_id == Reserve.committee_id,
        Application.pseudonym == Reserve.pseudonym,
    )
    waiting = select(Reserve).join(Application, and_(*applied))
    waiting = waiting.where(Reserve.state == "waiting", *conditions)
    return waiting.with_for_update(of=Reserve).execution_options(populate_existing=True)


def _decline(session: Session, reserves: Select[Reserve], by: uuid.UUID) -> bool:
    """Let them wait no longer, in whichever committee of the cycle they do; whether there were any.

    A pseudonym is that of one person in one committee.
    """
    found = session.scalars(reserves).all()
    for reserve in found:
        reserve.state = "declined"
        session.flush()
        event = ReserveDeclined(pseudonym=reserve.pseudonym)
        write_down(session, event, actor_id=by, subject_id=reserve.committee_id)
    return bool(found)


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
    pool = pool_of(session, committee.id)
    with suppress(QuotasImpossible):
        names = [each.pseudonym for each in waiting]
        moved = move_up(rule, pool, sitting=sitting, reserves=names)
    for reserve in waiting:
        if reserve.pseudonym in moved:
            reserve.state = "moved_up"
    _end_reserve_seats(session, committee.id, moved)
    after = _predecessors(session, committee.id, only_what_counts(pool, rule), moved)
    seat_drawn(session, committee, moved, after=after)
    for pseudonym in moved:
        event = SeatFilled(committee_id=committee.id, pseudonym=pseudonym)
        write_down(session, event, actor_id=by, subject_id=committee.id)
    return moved


def _predecessors(
    session: Session, committee_id: uuid.UUID, counted: Sequence[Person], moved: Sequence[str]
) -> dict[str, uuid.UUID]:
    """Whose seat each takes who moves up: of those nobody has followed yet the first that was left
    by a person who counts for the same quotas; if there is none, the first of all."""
    drawn = [each for each in seats_of(session, committee_id) if each.kind == "citizen"]
    followed = {each.predecessor_id for each in drawn}
    left = [each for each in drawn if each.state == "vacant" and each.id not in followed]
    left.sort(key=lambda seat: (seat.vacated_at, seat.number))
    counts_for = {each.pseudonym: each.categories for each in counted}
    found: dict[str, uuid.UUID] = {}
    for pseudonym in moved:
        alike = [each for each in left if counts_for[each.pseudonym] == counts_for[pseudonym]]
        before = (alike or left)[0]
        left.remove(before)
        found[pseudonym] = before.id
    return found


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
