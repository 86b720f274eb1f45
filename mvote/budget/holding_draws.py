"""Holding a committee's draw: what is published before, the draw itself, and who sits after it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mvote.base import database_time, instant
from mvote.budget.applying import has_closed, pool_of
from mvote.budget.committee import Application, Committee
from mvote.budget.committee_errors import AlreadyDrawn, DrawNotDue
from mvote.budget.cycle import Cycle
from mvote.budget.drawing.draw import Drawn, check
from mvote.budget.drawing.published import (
    Draw,
    files_before,
    hold_and_publish,
    only_what_counts,
    rule_from,
)
from mvote.budget.forming import Targets, committee_of, rule_of, targets_of, whole
from mvote.budget.seat import CommitteeDraw, DrawFile, Reserve, Seat
from mvote.errors import Fault, InvalidRequest, NotAllowed, NotFound, stands_for
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.wording import say

stands_for("pk_committee_draw", AlreadyDrawn)
stands_for("draw_is_due", lambda: DrawNotDue(due_at=None))
NOBODY_BEFORE: Mapping[str, uuid.UUID] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class DrawHeld(Event):
    kind: ClassVar[str] = "committee:drawn"
    members: int
    reserves: int


@dataclass(frozen=True, kw_only=True)
class AppointmentEnded(Event):
    """Whoever sat there was given a seat by lot."""

    kind: ClassVar[str] = "seat:appointment_ended"
    committee_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class Held:
    """A draw that was computed and is not yet written down."""

    draw: Draw
    drawn: Drawn
    files: dict[str, bytes]


def check_draw(
    session: Session, *, committee_id: uuid.UUID, by: Citizen, targets: Targets | None
) -> int:
    """See that the pool could meet the targets, those published or others; the pool's size.

    It needs no seed and changes nothing. Raises NotFound, NotAllowed, QuotasImpossible.
    """
    _check_is_officers(session, committee_of(session, committee_id), by)
    rule = rule_of(session, committee_id) if targets is None else rule_from(whole(targets))
    if rule is None:
        raise DrawNotDue(due_at=None)
    pool = only_what_counts(pool_of(session, committee_id), rule)
    check(rule, pool)
    return len(pool)


def hold_draw(
    session: Session,
    *,
    committee_id: uuid.UUID,
    by: Citizen,
    secret: bytes,
    public_value: str,
    targets: Targets,
) -> Held:
    """Draw by the published targets, which the caller repeats. Writes nothing: see `record_draw`.

    It may take seconds, so it needs no transaction: what it reads changes no more. Raises NotFound,
    NotAllowed, DrawNotDue, AlreadyDrawn, InvalidRequest, SecretNotCommitted, QuotasImpossible.
    """
    committee = committee_of(session, committee_id)
    _check_is_officers(session, committee, by)
    due_at = committee.public_value_at
    if committee.commitment is None or due_at is None or due_at > database_time(session):
        raise DrawNotDue(due_at=instant(due_at) if due_at else None)
    if session.get(CommitteeDraw, committee_id) is not None:
        raise AlreadyDrawn
    published = targets_of(session, committee_id)[-1]
    if whole(targets) != published.document:
        raise InvalidRequest(Fault(
            "/targets", say("They are not the published ones.")
        ))  # fmt: skip
    given = Draw(
        rule=rule_from(published.document),
        pool=pool_of(session, committee_id),
        secret=secret,
        commitment=committee.commitment,
        public_source=committee.public_source or "",
        public_value=public_value,
    )
    drawn, files = hold_and_publish(given)
    return Held(draw=given, drawn=drawn, files=files)


def _check_is_officers(session: Session, committee: Committee, by: Citizen) -> None:
    if session.get_one(Cycle, committee.cycle_id).department_id not in by.department_ids:
        raise NotAllowed


def record_draw(session: Session, *, committee: Committee, held: Held, by: uuid.UUID) -> None:
    """Write a draw down: its files, the seats of its members, its reserves in their order.

    Raises AlreadyDrawn, DrawNotDue.
    """
    now = database_time(session)
    session.add(CommitteeDraw(
        committee_id=committee.id, secret=held.draw.secret, public_value=held.draw.public_value,
        held_by=by, held_at=now,
    ))  # fmt: skip
    session.flush()  # whatever follows refers to it, and the database checks it first
    session.add_all(
        DrawFile(committee_id=committee.id, name=name, content=content)
        for name, content in held.files.items()
    )
    session.flush()  # the database compares seats and reserves with what is published
    seat_drawn(session, committee, held.drawn.members)
    session.add_all(
        Reserve(committee_id=committee.id, position=n, pseudonym=pseudonym)
        for n, pseudonym in enumerate(held.drawn.reserves, 1)
    )
    session.flush()
    event = DrawHeld(members=len(held.drawn.members), reserves=len(held.drawn.reserves))
    write_down(session, event, actor_id=by, subject_id=committee.id)


def seat_drawn(
    session: Session,
    committee: Committee,
    pseudonyms: tuple[str, ...],
    *,
    after: Mapping[str, uuid.UUID] = NOBODY_BEFORE,
) -> None:
    """Give seats to people of the pool; whose account is gone gets one that is vacant at once.

    Whoever was appointed to another seat leaves that: nobody has two, and the lot is not set aside.
    *after*: the vacant seat that each of them follows, where they do.
    """
    of_them = select(Application.pseudonym, Application.citizen_id).where(
        Application.committee_id == committee.id, Application.pseudonym.in_(pseudonyms)
    )
    citizens = dict(session.execute(of_them).all())
    now = database_time(session)
    _end_appointments(session, committee, [each for each in citizens.values() if each], now)
    for number, pseudonym in enumerate(pseudonyms, last_number(session, committee.id) + 1):
        is_there = citizens[pseudonym] is not None
        session.add(Seat(
            committee_id=committee.id, number=number, kind="citizen", has_vote=True,
            citizen_id=citizens[pseudonym], pseudonym=pseudonym, filled_at=now,
            starts_on=committee.starts_on, ends_on=committee.ends_on,
            state="filled" if is_there else "vacant", vacated_at=None if is_there else now,
            predecessor_id=after.get(pseudonym),
        ))  # fmt: skip
    session.flush()


def last_number(session: Session, committee_id: uuid.UUID) -> int:
    """The number of the committee's last seat; 0 before the first."""
    last = select(func.coalesce(func.max(Seat.number), 0)).where(Seat.committee_id == committee_id)
    return int(session.scalars(last).one() or 0)


def _end_appointments(
    session: Session, committee: Committee, citizens: Sequence[uuid.UUID], now: dt.datetime
) -> None:
    theirs = select(Seat).where(
        Seat.committee_id == committee.id, Seat.citizen_id.in_(citizens), Seat.state == "filled"
    )
    for seat in session.scalars(theirs).all():
        seat.state, seat.vacated_at = "vacant", now
        event = AppointmentEnded(committee_id=committee.id)
        write_down(session, event, actor_id=None, subject_id=seat.id)
    session.flush()  # never two seats at once


def draw_file(session: Session, committee_id: uuid.UUID, name: str) -> bytes:
    """One of the files of a draw; those that come before it from the close of applications on.

    Raises NotFound, too while the pool still changes.
    """
    kept = session.get(DrawFile, (committee_id, name))
    if kept is not None:
        return kept.content
    committee = committee_of(session, committee_id)
    rule = rule_of(session, committee_id)
    if rule is None or not has_closed(committee, database_time(session)):
        raise NotFound
    files = files_before(
        rule,
        pool_of(session, committee_id),
        commitment=committee.commitment or b"",
        public_source=committee.public_source or "",
    )
    if name not in files:
        raise NotFound
    return files[name]


def draw_file_names(session: Session, committee: Committee) -> list[str]:
    """The files of the draw that are public now."""
    kept = select(DrawFile.name).where(DrawFile.committee_id == committee.id)
    names = list(session.scalars(kept.order_by(DrawFile.name)))
    if not names and has_closed(committee, database_time(session)):
        return ["commitment.json", "pool.json", "rule.json"]
    return names
