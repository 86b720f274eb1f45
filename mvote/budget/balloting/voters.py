"""Who may vote for a source: those whom its rule describes, or those who sit in the committee."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.definition import Source
from mvote.budget.seat import Seat
from mvote.people.voters import voters_of

BODIES = ("subcommittee", "plenary")
"""Whoever sits in one of these votes once. The appeal body judges the judges, and is not asked."""


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

    It is what is known when the poll is frozen: who leaves a seat later stays on the roll.
    """
    day = opens_at.astimezone(ZoneInfo(cycle.time_zone)).date()
    sitting = (
        select(Seat.citizen_id)
        .join(Committee, Committee.id == Seat.committee_id)
        .where(
            Committee.cycle_id == cycle.id,
            Committee.kind.in_(BODIES),
            Seat.state == "filled",
            Seat.has_vote,
            Seat.starts_on <= day,
            Seat.ends_on >= day,
            Seat.citizen_id.is_not(None),
        )
        .distinct()
    )
    return anchors_at(session, list(session.scalars(sitting)), opens_at)


def anchors_at(
    session: Session, citizen_ids: list[uuid.UUID | None], opens_at: dt.datetime
) -> set[bytes]:
    """What the ballots of these citizens are counted once by, in a poll that opens then."""
    wanted = [(citizen_id, opens_at) for citizen_id in citizen_ids if citizen_id]
    found = voters_of(session, wanted) if wanted else []
    return {voter.anchor for voter in found if voter}
