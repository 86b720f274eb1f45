"""What there is to try in the demo's cycles, and who tries it."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.demo.budget import people, plans
from api.demo.budget.reviewing import readers_in, yours_to_read
from api.demo.ledger import made
from api.wiring import wiring
from mvote.budget.committee import Committee
from mvote.budget.phases import phase_now
from mvote.budget.seat import Seat


def cycles_to_try(session: Session) -> dict[str, Any]:
    """Address and phase of each of the demo's cycles that is there, by key."""
    known = made(session)
    ids = {each.key: known.get(f"cycle:{each.key}") for each in plans.CYCLES}
    return {
        key: {
            "id": str(cycle_id),
            "phase": phase_now(session, cycle_id),
            "url": f"{wiring().settings.public_url}/v1/cycles/{cycle_id}",
        }
        for key, cycle_id in ids.items()
        if cycle_id
    }


def who_reviews(session: Session) -> dict[str, uuid.UUID]:
    """Citizens by role: two who are to read the same proposal, their chair, an officer; {} without
    a demo."""
    cycle_id = made(session).get(f"cycle:{plans.REVIEWED.key}")
    if cycle_id is None:
        return {}
    found = {"department_officer": people.officers(session, people.BUDGET)[0].id}
    readers = yours_to_read(readers_in(session, cycle_id))
    named = zip(("reviewer_a", "reviewer_b"), (each.citizen_id for each in readers), strict=False)
    chair = session.scalars(
        select(Seat.citizen_id)
        .join(Committee, Committee.id == Seat.committee_id)
        .where(Committee.cycle_id == cycle_id, Seat.is_chair, Seat.state == "filled")
    ).first()
    return found | dict(named) | ({"chair": chair} if chair else {})
