"""Whoever takes part in the demo's cycles: officers, authors, applicants, voters."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import current_app
from sqlalchemy.orm import Session

from api.demo import people
from api.demo.ledger import DemoMade, made, note
from api.demo.sites import GU
from mvote.base import utc_now
from mvote.people.citizens import Citizen
from mvote.people.declaring import declare
from mvote.people.registering import register_many

BUDGET = "budget"
"""The department that runs the cycles."""
HOMES = tuple(GU)
AUTHORS, APPLICANTS, CITIZENS = (201, 8), (401, 28), (5001, 40)
"""First number, and how many."""
OLDEST, AGES = 1948, 59


def officers(session: Session, department: str) -> tuple[Citizen, Citizen]:
    """Two of a department: one finds, the other confirms."""
    first = people.officer(session, department, 0)
    return first, people.officer(session, department, 1)


def authors(session: Session) -> list[uuid.UUID]:
    """Who proposes."""
    return _residents(session, *AUTHORS)


def applicants(session: Session) -> list[uuid.UUID]:
    """Who applies for a seat in a committee."""
    return _residents(session, *APPLICANTS)


def citizens(session: Session) -> list[uuid.UUID]:
    """Who supports proposals and votes on projects."""
    return _residents(session, *CITIZENS)


def _residents(session: Session, first: int, count: int) -> list[uuid.UUID]:
    numbers = [people.number(first + place) for place in range(count)]
    ids = register_many(session, numbers=numbers, phones=current_app.extensions["phones"])
    name = f"residents:{first}"
    if name not in made(session):
        _declare(session, ids)
        note(session, DemoMade(name=name, made=ids[0]))
    return ids


def _declare(session: Session, ids: Sequence[uuid.UUID]) -> None:
    """Homes in all districts in turn, both genders, all ages: as a draw's quotas want them."""
    for place, citizen_id in enumerate(ids):
        values = {
            "home_area": HOMES[place % len(HOMES)],
            "gender": ("female", "male")[place % 2],
            "birth_year": OLDEST + place * 7 % AGES,
        }
        areas = current_app.extensions["areas"]
        declare(session, citizen_id=citizen_id, values=values, areas=areas, now=utc_now())
