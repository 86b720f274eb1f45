"""Seating members in subcommittees: by preference, then by heading or district, then by lot."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import rfc8785
from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.base import database_time
from mvote.budget.body_names import divided_into, may_be_divided
from mvote.budget.committee import Application, Committee
from mvote.budget.committee_errors import NothingToDivide
from mvote.budget.cycle import Cycle
from mvote.budget.drawing.lots import seed_of
from mvote.budget.forming import committee_of, committees_of
from mvote.budget.proposal_rules import lineage_of
from mvote.budget.seat import CommitteeDraw, Seat
from mvote.budget.seating import active_seat_of, active_seats, next_number, seats_of
from mvote.budget.subcommittees.dividing import Wishes, divide
from mvote.budget.subcommittees.division import Division, SubcommitteePreference
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest
from mvote.journal import Event, write_down
from mvote.wording import say

FORMAT = "mvote/division/1"
SEED = b"mvote/division/1"


@dataclass(frozen=True, kw_only=True)
class SubcommitteesPreferred(Event):
    kind: ClassVar[str] = "seat:preferred"
    committee_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class CommitteeDivided(Event):
    kind: ClassVar[str] = "committee:divided"
    n: int
    seated: int


def prefer(
    session: Session,
    *,
    committee_id: uuid.UUID,
    citizen_id: uuid.UUID,
    committees: Sequence[uuid.UUID],
) -> SubcommitteePreference:
    """Say which subcommittees one would rather sit in, until one does.

    Raises NotFound, NotAllowed, InvalidRequest, ImpossibleTransition.
    """
    one_at_a_time(session, committee_id)
    committee = committee_of(session, committee_id)
    seat = active_seat_of(session, committee, citizen_id)
    known = {each.id for each in subcommittees_of(session, committee)}
    faults = [
        Fault(
            f"/subcommittees/{n}",
            say("There is no such subcommittee."),
        )
        for n, each in enumerate(committees)
        if each not in known or each in committees[:n]
    ]
    if faults:
        raise InvalidRequest(*faults)
    if _kept(session, committee, [seat]):
        raise ImpossibleTransition(state="divided", verb="prefer")
    stated = session.get(SubcommitteePreference, seat.id, populate_existing=True)
    stated = stated or SubcommitteePreference(seat_id=seat.id)
    stated.committees, stated.stated_at = list(committees), database_time(session)
    session.add(stated)
    session.flush()
    event = SubcommitteesPreferred(committee_id=committee_id)
    write_down(session, event, actor_id=citizen_id, subject_id=seat.id)
    return stated


def subcommittees_of(session: Session, committee: Committee) -> list[Committee]:
    """The subcommittees of its cycle that are not drawn by lot themselves, the oldest first."""
    kind = divided_into(session.get_one(Cycle, committee.cycle_id).definition)
    return [
        each
        for each in committees_of(session, committee.cycle_id)
        if each.kind == kind and each.commitment is None
    ]


def seat_in_subcommittees(session: Session, *, committee: Committee, by: uuid.UUID) -> Division:
    """Give every member a seat in one subcommittee; who has one keeps it.

    *committee* is held by the caller (`own_committee`). Raises ImpossibleTransition,
    NothingToDivide.
    """
    cycle = session.get_one(Cycle, committee.cycle_id)
    if not may_be_divided(cycle.definition, committee.kind):
        raise ImpossibleTransition(state=committee.kind, verb="divide")
    places = subcommittees_of(session, committee)
    members = active_seats(session, committee)
    kept = _kept(session, committee, members)
    newcomers = [seat for seat in members if seat.id not in kept]
    if not places or not newcomers:
        raise NothingToDivide
    seed, wishes = _seed(session, committee), _wishes(session, committee, members, places)
    found = divide(
        {seat.pseudonym: wishes[seat.id] for seat in members},
        [str(each.id) for each in places],
        seed=seed,
        kept={seat.pseudonym: str(kept[seat.id]) for seat in members if seat.id in kept},
    )
    for seat in newcomers:
        _give_seat(session, uuid.UUID(found[seat.pseudonym]), seat)
    document = {
        "format": FORMAT,
        "seed": seed.hex(),
        "subcommittees": sorted(str(each.id) for each in places),
        "members": [
            {"number": seat.number, "pseudonym": seat.pseudonym,
             "wishes": [list(tier) for tier in wishes[seat.id]],
             "kept": seat.id in kept, "subcommittee": found[seat.pseudonym]}
            for seat in members
        ],
    }  # fmt: skip
    return _write(session, committee, document, seated=len(newcomers), by=by)


def _write(
    session: Session, committee: Committee, document: dict[str, Any], *, seated: int, by: uuid.UUID
) -> Division:
    n = len(divisions_of(session, committee.id)) + 1
    division = Division(
        committee_id=committee.id, n=n, content=rfc8785.dumps(document), held_by=by,
        held_at=database_time(session),
    )  # fmt: skip
    session.add(division)
    session.flush()
    event = CommitteeDivided(n=n, seated=seated)
    write_down(session, event, actor_id=by, subject_id=committee.id)
    return division


def divisions_of(session: Session, committee_id: uuid.UUID) -> Sequence[Division]:
    """All divisions, in their order."""
    of_it = select(Division).where(Division.committee_id == committee_id).order_by(Division.n)
    return session.scalars(of_it).all()


def _kept(
    session: Session, committee: Committee, members: Sequence[Seat]
) -> dict[uuid.UUID, uuid.UUID]:
    """Who of *members* sits in a subcommittee already, by whatever way: seat → subcommittee."""
    sits = {
        seat.citizen_id: each.id
        for each in subcommittees_of(session, committee)
        for seat in seats_of(session, each.id)
        if seat.state == "filled" and seat.kind != "reserve"
    }
    return {seat.id: sits[seat.citizen_id] for seat in members if seat.citizen_id in sits}


def _seed(session: Session, committee: Committee) -> bytes:
    """The draw's, for another use; where nobody was drawn, the committee's id.

    Members may know it when they state what they prefer: their lots do not depend on that.
    """
    held = session.get(CommitteeDraw, committee.id)
    if held is None:
        return hashlib.sha256(SEED + committee.id.bytes).digest()
    drawn = seed_of(
        held.secret, commitment=committee.commitment or b"", public_value=held.public_value
    )
    return hashlib.sha256(SEED + drawn).digest()


def _wishes(
    session: Session, committee: Committee, members: Sequence[Seat], places: Sequence[Committee]
) -> dict[uuid.UUID, Wishes]:
    """For each member what they asked for; then by the headings they named when they applied; then
    by their district."""
    stated = _stated(session, members)
    applied = _applications(session, committee)
    cycle = session.get_one(Cycle, committee.cycle_id)
    return {
        seat.id: (
            [str(each) for each in stated.get(seat.id, ())],
            _by_heading(cycle, applied.get(seat.pseudonym), places),
            _by_district(applied.get(seat.pseudonym), places),
        )
        for seat in members
    }


def _stated(session: Session, members: Sequence[Seat]) -> dict[uuid.UUID, list[uuid.UUID]]:
    of_them = select(SubcommitteePreference).where(
        SubcommitteePreference.seat_id.in_([seat.id for seat in members])
    )
    return {each.seat_id: each.committees for each in session.scalars(of_them)}


def _applications(session: Session, committee: Committee) -> dict[str, Application]:
    of_it = select(Application).where(Application.committee_id == committee.id)
    return {each.pseudonym: each for each in session.scalars(of_it)}


def _by_heading(
    cycle: Cycle, applied: Application | None, places: Sequence[Committee]
) -> list[str]:
    """The subcommittees for each heading that the member named, in that order."""
    headings = cycle.definition.get("headings") or ()
    named = applied.preferences if applied else []
    return [
        str(place.id)
        for heading in named
        for place in places
        if set(place.headings) & set(lineage_of(headings, heading))
    ]


def _by_district(applied: Application | None, places: Sequence[Committee]) -> list[str]:
    """The subcommittees for the districts that the member belongs to."""
    areas = set(applied.categories.get("area", ())) if applied else set()
    return [str(place.id) for place in places if set(place.area_codes) & areas]


def _give_seat(session: Session, committee_id: uuid.UUID, member: Seat) -> None:
    """A seat like the one in the committee, which it follows."""
    session.add(Seat(
        committee_id=committee_id, number=next_number(session, committee_id), kind=member.kind,
        has_vote=member.has_vote, citizen_id=member.citizen_id, pseudonym=member.pseudonym,
        starts_on=member.starts_on, ends_on=member.ends_on, plenary_seat_id=member.id,
        filled_at=database_time(session),
    ))  # fmt: skip
    session.flush()  # the next one has the next number
