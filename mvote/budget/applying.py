"""Applying for a seat: what counts for quotas comes from the account, the rest is declared."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.base import database_time, instant
from mvote.budget.committee import Application, Committee
from mvote.budget.committee_errors import ApplicationsClosed, NotAnApplicant
from mvote.budget.cycle import Cycle
from mvote.budget.drawing.quotas import Person
from mvote.budget.forming import committee_of
from mvote.budget.proposal_rules import Facts, basis_of, facts_of, rule_not_met
from mvote.errors import Fault, InvalidRequest, NotFound, stands_for
from mvote.journal import Event, write_down
from mvote.people.attributes import Attribute
from mvote.wording import say

PSEUDONYM_KEY = "pseudonym"
"""The keystore's name for what makes pseudonyms."""
OF_APPLICANTS = b"mvote/pseudonym/1"
OF_APPOINTED = b"mvote/pseudonym/appointed/1"
"""Whom a city appoints is often known; what the same person told as an applicant must not be."""
AS_THEY_ARE = ("gender", "occupation")
DERIVED = (*AS_THEY_ARE, "area", "age")
"""Categories that come from the account alone: nobody declares them with the application."""
DERIVES = say("It is read from the account.")
Categories = dict[str, list[str]]

stands_for("application_in_time", lambda: ApplicationsClosed(closed_at=None))


@dataclass(frozen=True, kw_only=True)
class Applied(Event):
    """Whose it is stands nowhere in public; the journal keeps it with the act."""

    kind: ClassVar[str] = "application:made"
    pseudonym: str


@dataclass(frozen=True, kw_only=True)
class ApplicationWithdrawn(Event):
    kind: ClassVar[str] = "application:withdrawn"
    pseudonym: str


def pseudonym_of(
    key: bytes, *, committee_id: uuid.UUID, citizen_id: uuid.UUID, label: bytes = OF_APPLICANTS
) -> str:
    """HMAC-SHA256 with *key* of label, committee and citizen, its first 16 bytes in hex.

    The same person has another pseudonym in every committee.
    """
    content = label + committee_id.bytes + citizen_id.bytes
    return hmac.new(key, content, hashlib.sha256).hexdigest()[:32]


def apply_for_seat(
    session: Session,
    *,
    committee_id: uuid.UUID,
    citizen_id: uuid.UUID,
    key: bytes,
    declared: Categories,
    interests: dict[str, Any],
    preferences: Sequence[str],
) -> Application:
    """Apply, or apply anew with what is known and declared now, until applications close.

    Raises NotFound, ApplicationsClosed, NotAnApplicant, InvalidRequest.
    """
    committee = _open_committee(session, committee_id)
    cycle = session.get_one(Cycle, committee.cycle_id)
    facts = facts_of(session, citizen_id)
    rule = rule_not_met(cycle, facts)
    if rule is not None:
        raise NotAnApplicant(rule)
    taken = sorted(set(declared) & set(DERIVED))
    if taken:
        raise InvalidRequest(*(Fault(f"/declared/{name}", DERIVES) for name in taken))
    pseudonym = pseudonym_of(key, committee_id=committee_id, citizen_id=citizen_id)
    known = _application(session, committee_id, pseudonym)
    application = known or Application(
        committee_id=committee_id, citizen_id=citizen_id, pseudonym=pseudonym
    )
    derived, application.verified = _derived(committee, cycle, facts)
    application.categories = declared | derived
    application.interests, application.preferences = interests, list(preferences)
    application.withdrawn_at = None
    session.add(application)
    session.flush()
    write_down(session, Applied(pseudonym=pseudonym), actor_id=citizen_id, subject_id=committee_id)
    return application


def _open_committee(session: Session, committee_id: uuid.UUID) -> Committee:
    one_at_a_time(session, committee_id)
    committee = committee_of(session, committee_id)
    closes_at = committee.applications_close_at
    if closes_at is None or closes_at <= database_time(session):
        raise ApplicationsClosed(closed_at=instant(closes_at) if closes_at else None)
    return committee


def _derived(committee: Committee, cycle: Cycle, facts: Facts) -> tuple[Categories, list[str]]:
    """The categories that the account tells, and which of them an officer verified."""
    basis = basis_of(cycle, facts)
    found: dict[str, tuple[Attribute, list[str]]] = {
        name: (facts[name], [str(facts[name].value)]) for name in AS_THEY_ARE if name in facts
    }
    if basis is not None:
        found["area"] = (basis, sorted(basis.lineage))
    if "birth_year" in facts and committee.applications_close_at is not None:
        year = committee.applications_close_at.astimezone(ZoneInfo(cycle.time_zone)).year
        age = year - int(facts["birth_year"].value)
        found["age"] = (facts["birth_year"], _bands(committee, age))
    categories = {name: values for name, (_, values) in found.items()}
    return categories, sorted(name for name, (fact, _) in found.items() if fact.verified_at)


def _bands(committee: Committee, age: int) -> list[str]:
    """The names of the bands that *age* in years lies in."""
    return [
        band["value"]
        for band in committee.age_bands
        if (band["min_age"] is None or band["min_age"] <= age)
        and (band["max_age"] is None or age <= band["max_age"])
    ]


def _application(session: Session, committee_id: uuid.UUID, pseudonym: str) -> Application | None:
    of_it = select(Application).where(
        Application.committee_id == committee_id, Application.pseudonym == pseudonym
    )
    return session.scalars(of_it.execution_options(populate_existing=True)).one_or_none()


def own_application(
    session: Session, *, committee_id: uuid.UUID, citizen_id: uuid.UUID
) -> Application:
    """The citizen's application. Raises NotFound."""
    mine = select(Application).where(
        Application.committee_id == committee_id, Application.citizen_id == citizen_id
    )
    found = session.scalars(mine).one_or_none()
    if found is None:
        raise NotFound
    return found


def withdraw_application(
    session: Session, *, committee_id: uuid.UUID, citizen_id: uuid.UUID
) -> None:
    """Apply no longer, until applications close. Raises NotFound, ApplicationsClosed."""
    _open_committee(session, committee_id)
    application = own_application(session, committee_id=committee_id, citizen_id=citizen_id)
    application.withdrawn_at = database_time(session)
    session.flush()
    event = ApplicationWithdrawn(pseudonym=application.pseudonym)
    write_down(session, event, actor_id=citizen_id, subject_id=committee_id)


def pool_of(session: Session, committee_id: uuid.UUID) -> list[Person]:
    """Everybody who applied and did not withdraw, by pseudonym. Fixed once applications close."""
    of_it = (
        select(Application.pseudonym, Application.categories)
        .where(Application.committee_id == committee_id, Application.withdrawn_at.is_(None))
        .order_by(Application.pseudonym)
    )
    return [
        Person(pseudonym=name, categories={key: tuple(held) for key, held in categories.items()})
        for name, categories in session.execute(of_it)
    ]


def applicants_counted(session: Session, committee_id: uuid.UUID) -> int:
    """How many have applied and not withdrawn."""
    counted = select(func.count()).select_from(Application)
    there = (Application.committee_id == committee_id, Application.withdrawn_at.is_(None))
    return session.scalars(counted.where(*there)).one()


def has_closed(committee: Committee, now: dt.datetime) -> bool:
    """Whether its pool is fixed."""
    closes_at = committee.applications_close_at
    return closes_at is not None and closes_at <= now
