"""What citizens say of themselves, and what officers confirm of it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from mvote.errors import Fault, InvalidRequest, NotAllowed
from mvote.journal import Event, write_down
from mvote.people.anchors import accounts_of_one
from mvote.people.attributes import AREA_NAMES, GENDERS, NAMES, Attribute
from mvote.people.citizens import Citizen, Consent
from mvote.wording import Message, say

EARLIEST_BIRTH_YEAR = 1900
LONGEST_OCCUPATION = 60


class Areas(Protocol):
    """What people asks of the places."""

    def lineage(self, session: Session, area_code: str) -> list[str] | None:
        """The code and those of all areas that contain the area; None if there is no such area."""


@dataclass(frozen=True, kw_only=True)
class AttributesDeclared(Event):
    """Names only: what was said of a citizen does not outlive the account."""

    kind = "attributes:declared"
    names: list[str]


@dataclass(frozen=True, kw_only=True)
class AttributesVerified(Event):
    kind = "attributes:verified"
    names: list[str]
    how: str | None


Lineages = dict[str, list[str]]
Row = dict[str, Any]


def declare(
    session: Session,
    *,
    citizen_id: uuid.UUID,
    values: Mapping[str, Any],
    areas: Areas,
    now: dt.datetime,
) -> None:
    """Set what a citizen says of themselves; None removes. A changed value is no longer verified.

    *values*: by attribute name. Raises InvalidRequest with all that is wrong.
    """
    lineages = _checked(session, values, areas, now)
    known = _known(session, citizen_id)
    changed = {name: value for name, value in values.items() if known.get(name) != value}
    for name, value in changed.items():
        if value is None:
            is_it = (Attribute.citizen_id == citizen_id, Attribute.name == name)
            session.execute(delete(Attribute).where(*is_it))
        else:
            _set(session, _row(citizen_id, name, value, lineages, now))
    if changed:
        event = AttributesDeclared(names=sorted(changed))
        write_down(session, event, actor_id=citizen_id, subject_id=citizen_id)


def verify(
    session: Session,
    *,
    citizen_id: uuid.UUID,
    values: Mapping[str, Any],
    how: str | None,
    by: Citizen,
    areas: Areas,
    now: dt.datetime,
) -> None:
    """Set attributes of a citizen as an officer has seen them proved, *how* (a document, …).

    Raises NotAllowed for an officer's own attributes, in whichever account, InvalidRequest with all
    that is wrong.
    """
    if citizen_id in accounts_of_one(session, by.id):
        raise NotAllowed(say("Nobody verifies their own attributes."))
    lineages = _checked(session, values, areas, now)
    verified = {"verified_by": by.id, "verified_at": now, "verified_how": how}
    for name, value in values.items():
        _set(session, _row(citizen_id, name, value, lineages, now) | verified)
    event = AttributesVerified(names=sorted(values), how=how)
    write_down(session, event, actor_id=by.id, subject_id=citizen_id)


def take_over(
    session: Session,
    *,
    citizen_id: uuid.UUID,
    values: Mapping[str, Any],
    issuer: str,
    areas: Areas,
    now: dt.datetime,
) -> None:
    """Set attributes as an identity provider vouches for them; what makes no sense is left out."""
    good: dict[str, Any] = {}
    lineages: Lineages = {}
    for name, value in values.items():
        try:
            lineages |= _checked(session, {name: value}, areas, now)
        except InvalidRequest:
            continue
        good[name] = value
    verified = {"verified_issuer": issuer, "verified_at": now}
    for name, value in good.items():
        _set(session, _row(citizen_id, name, value, lineages, now) | verified)
    if good:
        event = AttributesVerified(names=sorted(good), how=issuer)
        write_down(session, event, actor_id=None, subject_id=citizen_id)


def consent(
    session: Session,
    *,
    citizen_id: uuid.UUID,
    given: Mapping[str, bool],
    versions: Mapping[str, str | None],
    now: dt.datetime,
) -> None:
    """Give or withdraw consent by purpose; what is so already keeps its date.

    *versions*: of the texts that were shown. Consent to another text ends that to the one before.
    """
    in_force = {
        found.purpose: found
        for found in session.scalars(
            select(Consent).where(Consent.citizen_id == citizen_id, Consent.withdrawn_at.is_(None))
        )
    }
    wanted = {purpose for purpose, is_given in given.items() if is_given}
    for purpose in given.keys() & in_force.keys():
        version = versions.get(purpose)
        if purpose not in wanted or version not in (None, in_force[purpose].text_version):
            in_force.pop(purpose).withdrawn_at = now
    session.flush()  # of two consents to one purpose only one is in force
    for purpose in sorted(wanted - in_force.keys()):
        version = versions.get(purpose)
        session.add(
            Consent(citizen_id=citizen_id, purpose=purpose, text_version=version, given_at=now)
        )


def _checked(
    session: Session, values: Mapping[str, Any], areas: Areas, now: dt.datetime
) -> Lineages:
    """The lineages of the areas in *values*. Raises InvalidRequest with every fault."""
    lineages = {
        name: areas.lineage(session, values[name])
        for name in AREA_NAMES
        if values.get(name) is not None
    }
    faults = [
        Fault(f"/attributes/{name}", wrong)
        for name, value in values.items()
        if value is not None and (wrong := _fault(name, value, lineages, now))
    ]
    if faults:
        raise InvalidRequest(*faults)
    return {name: lineage for name, lineage in lineages.items() if lineage}


def _fault(
    name: str, value: Any, lineages: Mapping[str, list[str] | None], now: dt.datetime
) -> Message | None:
    """What is wrong with one value, if anything."""
    if name not in NAMES:
        return say("There is no such attribute.")
    if name in AREA_NAMES and not lineages[name]:
        return say("There is no area with this code.")
    if name == "birth_year" and not EARLIEST_BIRTH_YEAR <= value <= now.year:
        return say(
            "Between {first} and {last}.", first=str(EARLIEST_BIRTH_YEAR), last=str(now.year)
        )
    if name == "gender" and value not in GENDERS:
        return say("One of {choices}.", choices=GENDERS)
    if name == "occupation" and len(value) > LONGEST_OCCUPATION:
        return say("At most {most} characters.", most=LONGEST_OCCUPATION)
    return None


def _row(citizen_id: uuid.UUID, name: str, value: Any, lineages: Lineages, now: dt.datetime) -> Row:
    """An attribute as declared, verified by nobody."""
    return {
        "citizen_id": citizen_id,
        "name": name,
        "value": value,
        "lineage": lineages.get(name, []),
        "set_at": now,
        "verified_by": None,
        "verified_issuer": None,
        "verified_at": None,
        "verified_how": None,
    }


def _set(session: Session, row: Row) -> None:
    """Write an attribute over whatever stood there."""
    session.execute(
        upsert(Attribute)
        .values(row)
        .on_conflict_do_update(index_elements=[Attribute.citizen_id, Attribute.name], set_=row)
    )


def _known(session: Session, citizen_id: uuid.UUID) -> dict[str, Any]:
    found = session.execute(
        select(Attribute.name, Attribute.value).where(Attribute.citizen_id == citizen_id)
    )
    return dict(found.all())
