"""The demo's committees: formed, applied for and drawn by lot, a chair named."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
import uuid
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from api.db import reading, transaction
from api.demo.budget import people
from api.demo.ledger import DemoMade, made, note
from api.wiring import wiring
from mvote.base import database_time, instant
from mvote.budget.applying import PSEUDONYM_KEY, apply_for_seat
from mvote.budget.committee import Committee
from mvote.budget.committee_errors import ApplicationsClosed
from mvote.budget.drawing.lots import commitment_to
from mvote.budget.forming import committee_of, form_committee
from mvote.budget.holding_draws import hold_draw, record_draw
from mvote.budget.planning import cycle_of
from mvote.budget.seat import CommitteeDraw
from mvote.budget.seating import name_chair, seats_of

SEATS, RESERVES = 9, 4
OPEN_FOR = (2, 10, 60)
"""Seconds for all applications: the next is tried if a machine is too slow for the one before."""
THEN = dt.timedelta(seconds=1)
BANDS: list[dict[str, Any]] = [
    {"value": "to-39", "min_age": None, "max_age": 39},
    {"value": "40-59", "min_age": 40, "max_age": 59},
    {"value": "from-60", "min_age": 60, "max_age": None},
]
NAME = {"ko": "시민참여예산위원회", "en": "Citizens' Budget Committee"}
SOURCE = (
    "The moment at which this value was to be known. A real draw names something that nobody"
    " can foresee, such as a lottery's numbers."
)
NO_INTERESTS: dict[str, Any] = {"organisations": [], "points": [], "text": None}


def _quota(category: str, value: str, least: int) -> dict[str, Any]:
    return {"name": value, "category": category, "values": [value], "min": least, "max": None}


TARGETS: dict[str, Any] = {
    "seats": SEATS,
    "reserves": RESERVES,
    "quotas": [
        *(_quota("gender", value, 4) for value in ("female", "male")),
        *(_quota("age", band["value"], 2) for band in BANDS),
    ],
}


def call_for(key: str, cycle_id: uuid.UUID) -> uuid.UUID:
    """A committee of the cycle for which all have applied; one that is not drawn yet."""
    for seconds in OPEN_FOR[:-1]:
        try:
            return _call_for(key, cycle_id, dt.timedelta(seconds=seconds))
        except ApplicationsClosed:
            continue
    return _call_for(key, cycle_id, dt.timedelta(seconds=OPEN_FOR[-1]))


def _call_for(key: str, cycle_id: uuid.UUID, period: dt.timedelta) -> uuid.UUID:
    """All in one transaction: a committee that only some could apply for is never there."""
    with transaction() as session:
        known = made(session).get(f"committee:{key}/{cycle_id}")
        if known is not None:
            return known
        committee = _form(session, cycle_id, period)
        for citizen_id in people.applicants(session):
            apply_for_seat(
                session,
                committee_id=committee.id,
                citizen_id=citizen_id,
                key=wiring().keystore.get(PSEUDONYM_KEY),
                declared={},
                interests=NO_INTERESTS,
                preferences=[],
            )
        note(session, DemoMade(name=f"committee:{key}/{cycle_id}", made=committee.id))
        return committee.id


def _form(session: Session, cycle_id: uuid.UUID, period: dt.timedelta) -> Committee:
    officer, _ = people.officers(session, people.BUDGET)
    now = database_time(session)
    facts = {
        "name": NAME, "kind": "plenary", "headings": [], "area_codes": [], "age_bands": BANDS,
        "commitment": commitment_to(_secret(cycle_id)),
        "public_source": SOURCE,
        "applications_close_at": now + period,
        "public_value_at": now + period + THEN,
    }  # fmt: skip
    cycle = cycle_of(session, cycle_id)
    areas = current_app.extensions["areas"]
    return form_committee(
        session, cycle=cycle, by=officer.id, facts=facts, targets=TARGETS, areas=areas
    )


def _secret(cycle_id: uuid.UUID) -> bytes:
    """Whoever goes on with a killed load must know it, too. A real one is random, and kept safe."""
    return hashlib.sha256(b"mvote demo" + cycle_id.bytes).digest()


def seat_by_lot(committee_id: uuid.UUID) -> None:
    """Hold the draw as soon as its public value is known, and name the first seat the chair."""
    with reading() as session:
        committee = committee_of(session, committee_id)
        if session.get(CommitteeDraw, committee_id) is not None:
            return
        assert committee.public_value_at is not None  # noqa: S101  # it is drawn by lot
        left = committee.public_value_at - database_time(session)
    time.sleep(max(0.0, left.total_seconds()))
    with reading() as session:
        officer, _ = people.officers(session, people.BUDGET)
        held = hold_draw(
            session,
            committee_id=committee_id,
            by=officer,
            secret=_secret(committee.cycle_id),
            public_value=instant(committee.public_value_at),
            targets=TARGETS,
        )
    with transaction() as session:
        committee = committee_of(session, committee_id)
        record_draw(session, committee=committee, held=held, by=officer.id)
        first = seats_of(session, committee_id)[0]
        name_chair(session, committee=committee, seat_id=first.id, by=officer.id)
