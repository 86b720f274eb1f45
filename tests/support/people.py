"""Citizens, officers and administrators, ready to call."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from mvote.base import utc_now
from mvote.people.granting import Post, add_department, grant
from mvote.people.registering import register

_numbers = itertools.count(10_000_000)
DEPARTMENT = {"ko": "교통과", "en": "Transport"}


def a_number() -> str:
    """A mobile number that no other citizen of this test run has."""
    return f"+8210{next(_numbers):08d}"


@dataclass(frozen=True)
class Person:
    """A citizen with a number and a fresh access token."""

    id: uuid.UUID
    number: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def a_citizen(app: Flask, session: Session, *, number: str | None = None) -> Person:
    """A citizen; what the session holds is committed."""
    number = number or a_number()
    citizen_id = register(session, number=number, phones=app.extensions["phones"])
    session.commit()
    return Person(citizen_id, number, app.extensions["tokens"].issue(citizen_id, now=utc_now()))


def an_officer(app: Flask, session: Session, *, department: uuid.UUID | None = None) -> Person:
    """An officer of the *department*, or of a new one."""
    person = a_citizen(app, session)
    of = department or add_department(session, name=DEPARTMENT, by=None).id
    grant(session, citizen_id=person.id, post=Post("officer", of))
    session.commit()
    return person


def an_administrator(app: Flask, session: Session) -> Person:
    """An administrator."""
    person = a_citizen(app, session)
    grant(session, citizen_id=person.id, post=Post("administrator"))
    session.commit()
    return person


class KnownAreas:
    """Areas as people need them: each a code, and behind it those of the areas around it."""

    def __init__(self, *lineages: list[str]) -> None:
        self._lineages = {lineage[0]: lineage for lineage in lineages}

    def lineage(self, session: Session, area_code: str) -> list[str] | None:
        return self._lineages.get(area_code)


def problem(response: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    return response.status_code, response.get_json()["code"]
