"""`flask token` for trying things out; `flask administrators add` for the first of them."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.commands.plainly import PlainCommand, PlainGroup
from api.db import transaction
from mvote.base import utc_now
from mvote.errors import InvalidRequest
from mvote.people.citizens import Citizen, Department
from mvote.people.declaring import declare
from mvote.people.granting import Post, add_department, grant
from mvote.people.phones import Phones, read_number
from mvote.people.registering import register, register_many

DEMO_DEPARTMENT = {"ko": "시범 운영과", "en": "Demo Department"}
MOST_TOKENS = 100_000


@click.command(cls=PlainCommand)
@click.option(
    "--role", type=click.Choice(["citizen", "officer", "administrator"]), default="citizen"
)
@click.option("--phone", help="The citizen with this number; without it, one who is new.")
@click.option("--area", help="The code of the area where the citizen lives.")
@click.option("--birth-year", type=int)
@click.option("--count", type=click.IntRange(1, MOST_TOKENS), default=1, help="So many citizens.")
@with_appcontext
def token(
    *, role: str, phone: str | None, area: str | None, birth_year: int | None, count: int
) -> None:
    """Print access tokens, one a line, of citizens with confirmed numbers. Not in production."""
    if current_app.extensions["settings"].environment == "production":
        raise click.ClickException("In production, tokens come from signing in only.")
    if phone and count > 1:
        raise click.UsageError("--phone names one citizen, so --count cannot be more.")
    declared = {"home_area": area, "birth_year": birth_year}
    values = {name: value for name, value in declared.items() if value is not None}
    with transaction() as session:
        citizens = _citizens(session, phone, count)
        for citizen_id in citizens:
            _equip(session, citizen_id, role, values)
    tokens, now = current_app.extensions["tokens"], utc_now()
    for citizen_id in citizens:
        click.echo(tokens.issue(citizen_id, now=now))


@click.group(cls=PlainGroup)
def administrators() -> None:
    """Who runs all this."""


@administrators.command()
@click.option("--phone", required=True, help="Their number; they sign in with it.")
@with_appcontext
def add(*, phone: str) -> None:
    """Let the citizen with this number be an administrator."""
    with transaction() as session:
        citizen_id = register(session, number=_number(phone), phones=_phones())
        grant(session, citizen_id=citizen_id, post=Post("administrator"))
    click.echo(f"{citizen_id} is an administrator")


def _citizens(session: Session, phone: str | None, count: int) -> list[uuid.UUID]:
    if phone:
        return [register(session, number=_number(phone), phones=_phones())]
    numbers = _unused_numbers(session, count)
    return register_many(session, numbers=numbers, phones=_phones())


def _unused_numbers(session: Session, count: int) -> list[str]:
    """Made-up Korean numbers that no account has: each token is of a different citizen."""
    found: dict[str, None] = {}
    while len(found) < count:
        number = f"+8210{secrets.randbelow(10**8):08d}"
        phone_hash = _phones().hash_of(number)
        if session.scalar(select(Citizen.id).where(Citizen.phone_hash == phone_hash)) is None:
            found[number] = None
    return list(found)


def _equip(session: Session, citizen_id: uuid.UUID, role: str, values: dict[str, Any]) -> None:
    """Give a citizen the role and the attributes that were asked for."""
    if role == "administrator":
        grant(session, citizen_id=citizen_id, post=Post("administrator"))
    if role == "officer":
        grant(session, citizen_id=citizen_id, post=Post("officer", _demo_department(session)))
    areas = current_app.extensions["areas"]
    try:
        declare(session, citizen_id=citizen_id, values=values, areas=areas, now=utc_now())
    except InvalidRequest as error:
        faults = [f"{fault.pointer.rpartition('/')[2]}: {fault.detail}" for fault in error.faults]
        raise click.ClickException("; ".join(faults)) from None


def _demo_department(session: Session) -> uuid.UUID:
    is_it = Department.name["en"].astext == DEMO_DEPARTMENT["en"]
    known = session.scalars(select(Department.id).where(is_it).limit(1)).first()
    return known or add_department(session, name=DEMO_DEPARTMENT, by=None).id


def citizen_with(session: Session, phone: str) -> Citizen | None:
    """Whoever has this number, if anybody."""
    phone_hash = _phones().hash_of(_number(phone))
    return session.scalars(select(Citizen).where(Citizen.phone_hash == phone_hash)).one_or_none()


def _number(phone: str) -> str:
    try:
        return read_number(phone, region=current_app.extensions["settings"].phone_region)
    except InvalidRequest as error:
        raise click.ClickException(error.faults[0].detail) from None


def _phones() -> Phones:
    phones: Phones | None = current_app.extensions.get("phones")
    if phones is None:
        raise click.ClickException("the api's master key is not here")
    return phones
