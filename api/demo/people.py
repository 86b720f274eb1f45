"""The demo's people: officers of departments, a citizen with an idea, and all who vote.

Their numbers are of a block that is given to nobody (010-0000-…); `flask token --phone` speaks for
any of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.demo.ledger import DemoMade, made, note
from api.demo.poll_shapes import DemoPoll
from api.demo.polls import JONGNO, SENIOR_AGE
from geo.areas import Area
from mvote.base import utc_now
from mvote.errors import Text
from mvote.people.citizens import Citizen
from mvote.people.declaring import declare
from mvote.people.granting import Post, add_department, grant
from mvote.people.registering import register, register_many
from mvote.polls.drafting import Author

DEPARTMENTS: dict[str, Text] = {
    "parks": {"ko": "공원여가과", "en": "Parks and Leisure Division"},
    "seniors": {"ko": "어르신복지과", "en": "Senior Welfare Division"},
    "walking": {"ko": "보행자전거과", "en": "Walking and Cycling Division"},
    "libraries": {"ko": "도서관정책과", "en": "Library Policy Division"},
    "budget": {"ko": "시민참여과", "en": "Citizen Participation Division"},
}
AUTHORS = ["parks", "seniors", "walking", "libraries", "citizen", "budget"]
OFFICERS = 20
"""How far apart the numbers of a department's officers are."""
FIRST_VOTER = 1001
AGES = 30


def author(session: Session, key: str) -> Author:
    """Who asks: the officer of a department, or the citizen; made when first asked for."""
    if key in DEPARTMENTS:
        return Author.of(officer(session, key, 0))
    citizen_id = _register(session, 1 + AUTHORS.index(key))
    return Author.of(session.get_one(Citizen, citizen_id, populate_existing=True))


def officer(session: Session, key: str, place: int) -> Citizen:
    """The officer of a department in that *place*, from 0; made when first asked for."""
    citizen_id = _register(session, 1 + AUTHORS.index(key) + OFFICERS * place)
    found = session.get_one(Citizen, citizen_id, populate_existing=True)
    if not found.is_officer:
        post = Post("officer", _department(session, key))
        grant(session, citizen_id=citizen_id, post=post)
        session.flush()
        session.refresh(found)
    return found


def _department(session: Session, key: str) -> uuid.UUID:
    known = made(session).get(f"department:{key}")
    if known is not None:
        return known
    department = add_department(session, name=DEPARTMENTS[key], by=None)
    note(session, DemoMade(name=f"department:{key}", made=department.id))
    session.flush()
    return department.id


def _register(session: Session, place: int) -> uuid.UUID:
    return register(session, number=number(place), phones=current_app.extensions["phones"])


def voters(session: Session, poll: DemoPoll) -> list[uuid.UUID]:
    """Who votes in *poll*; in one for residents of an age, with the home and age it asks for."""
    ids = register_many(
        session, numbers=numbers(poll.ballots), phones=current_app.extensions["phones"]
    )
    if "areas" in poll.content.get("eligibility", {}):
        _let_live_in_jongno(session, ids)
    return ids


def _let_live_in_jongno(session: Session, ids: Sequence[uuid.UUID]) -> None:
    """Each of a neighbourhood of the district, each over the age."""
    now = utc_now()
    homes = session.scalars(
        select(Area.area_code).where(Area.parent_code == JONGNO).order_by(Area.area_code)
    ).all()
    for place, citizen_id in enumerate(ids):
        values = {
            "birth_year": now.year - SENIOR_AGE - 1 - place % AGES,
            "home_area": homes[place % len(homes)],
        }
        areas = current_app.extensions["areas"]
        declare(session, citizen_id=citizen_id, values=values, areas=areas, now=now)


def numbers(count: int) -> list[str]:
    """Those of the first voters."""
    return [number(FIRST_VOTER + place) for place in range(count)]


def number(place: int) -> str:
    """A number of the block that is given to nobody."""
    return f"+8210{place:08d}"
