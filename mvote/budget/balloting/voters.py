"""Who may vote for a source: those whom its rule describes, or those who sit in the committee."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.body_names import bodies_at_work
from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.definition import Source
from mvote.budget.seat import Seat
from mvote.errors import Fault, InvalidRequest
from mvote.people.anchors import firsts_at, remember_until
from mvote.people.citizens import Citizen
from mvote.people.phones import Phones, read_number
from mvote.people.voters import voters_of
from mvote.wording import say


def eligibility_of(source: Source) -> dict[str, Any]:
    """The rules as a poll's definition has them; by a roll, nothing else is asked."""
    if source.roll is not None:
        return {"roll": True}
    rules = source.eligibility
    if rules is None:
        return {}
    where: dict[str, Any] = {"areas": list(rules.areas)} if rules.areas else {"anywhere": True}
    said = {
        "min_age": rules.min_age,
        "max_age": rules.max_age,
        "genders": list(rules.genders),
        "excluded": list(rules.excluded),
        "verified_only": rules.verified_only,
    }
    asked = {name: value for name, value in said.items() if value not in (None, [], False)}
    return where | {"area_basis": list(rules.area_basis)} | asked


def anchors_of_seats(session: Session, cycle: Cycle, opens_at: dt.datetime) -> set[bytes]:
    """The anchors of all who hold a voting seat of the cycle on the day on which voting begins.

    Whoever sits in several bodies votes once. A body that only judges appeals is not asked.

    It is what is known when the poll is frozen: who leaves a seat later stays on the roll.
    """
    day = opens_at.astimezone(ZoneInfo(cycle.time_zone)).date()
    sitting = (
        select(Seat.citizen_id)
        .join(Committee, Committee.id == Seat.committee_id)
        .where(
            Committee.cycle_id == cycle.id,
            Committee.kind.in_(bodies_at_work(cycle.definition)),
            Seat.state == "filled",
            Seat.has_vote,
            Seat.starts_on <= day,
            Seat.ends_on >= day,
            Seat.citizen_id.is_not(None),
        )
        .distinct()
    )
    return anchors_at(session, session.scalars(sitting).all(), opens_at)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Those whom a city names by their confirmed numbers: delegates, alumni of a school."""

    numbers: Sequence[str]
    phones: Phones

    @classmethod
    def of(cls, texts: Sequence[str], *, phones: Phones, region: str) -> Listed:
        """The list as it was sent. Raises InvalidRequest with every entry that is wrong."""
        numbers: list[str] = []
        faults: list[Fault] = []
        for n, said in enumerate(texts):
            try:
                number = read_number(said, region=region)
            except InvalidRequest as error:
                faults += [Fault(f"/roll/{n}", each.detail) for each in error.faults]
                continue
            if number in numbers:
                faults.append(Fault(f"/roll/{n}", say("This number is on the list before.")))
            numbers.append(number)
        if faults:
            raise InvalidRequest(*faults)
        return cls(numbers=numbers, phones=phones)

    def anchors(
        self, session: Session, opens_at: dt.datetime, closes_at: dt.datetime
    ) -> tuple[set[bytes], int]:
        """Their anchors: of who has no account yet, the one that it will begin with, whenever they
        register before *closes_at*.

        A number whose own anchor counts for somebody else by now stands for nobody: its present
        holder has to register first. How many these are comes second; not which, for that would
        tell who had an account.
        """
        hashes = {self.phones.hash_of(number): number for number in self.numbers}
        with_account = select(Citizen.phone_hash, Citizen.id)
        found = session.execute(with_account.where(Citizen.phone_hash.in_(hashes))).all()
        known = {phone_hash: id_ for phone_hash, id_ in found if phone_hash}
        new = hashes.keys() - known.keys()
        first = {each: self.phones.anchor_of(hashes[each]) for each in new}
        remember_until(session, list(new), closes_at)
        begun = firsts_at(session, first, opens_at)
        anchors = anchors_at(session, list(known.values()), opens_at) | set(begun.values())
        return anchors, len(new) - len(begun)


def anchors_at(
    session: Session, citizen_ids: Sequence[uuid.UUID | None], opens_at: dt.datetime
) -> set[bytes]:
    """What the ballots of these citizens are counted once by, in a poll that opens then."""
    wanted = [(citizen_id, opens_at) for citizen_id in citizen_ids if citizen_id]
    found = voters_of(session, wanted) if wanted else []
    return {voter.anchor for voter in found if voter and voter.anchor}
