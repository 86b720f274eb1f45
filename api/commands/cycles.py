"""`flask cycles allocate|import`: what takes more work than a request may take."""

from __future__ import annotations

import uuid
from pathlib import Path
from tempfile import TemporaryFile

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from api.commands.people import citizen_with
from api.commands.plainly import PlainGroup
from api.db import reading, transaction
from mvote.budget.allocations import contests_of
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.allocating import work_out, write_allocation
from mvote.budget.importing import keep_election, read_election
from mvote.budget.planning import cycle_of
from mvote.errors import DomainError


@click.group(cls=PlainGroup)
def cycles() -> None:
    """Allocations that take long."""


@cycles.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--phone", required=True, help="The number of the administrator who imports it.")
@with_appcontext
def import_(*, file: Path, phone: str) -> None:
    """Import a .pb file and allocate it, however much work that is."""
    with transaction() as session:
        importer = _administrator(session, phone)
    with file.open("rb") as stream, TemporaryFile() as packed:
        try:
            found = read_election(stream, packed=packed, most_steps=None)
        except DomainError as error:
            raise click.ClickException(str(error)) from None
        zone = current_app.extensions["settings"].city_time_zone
        with transaction() as session:
            cycle = keep_election(session, found=found, author_id=importer, time_zone=zone)
            cycle_id = cycle.id
    click.echo(f"{cycle_id} was imported and allocated")


@cycles.command()
@click.argument("cycle_id", type=click.UUID)
@click.option("--contest", help="Its key; needed where the cycle has several.")
@with_appcontext
def allocate(*, cycle_id: uuid.UUID, contest: str | None) -> None:
    """Allocate a contest by its frozen rule, however much work that is."""
    try:
        with reading() as session:
            cycle = cycle_of(session, cycle_id)
            key = _only_contest(cycle, contest)
            found = work_out(session, cycle=cycle, contest=key, most_steps=None)
        with transaction() as session:
            write_allocation(session, cycle=cycle_of(session, cycle_id), found=found, by=None)
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    funded = found.document["binding"]["funded"]
    click.echo(f"{key}: {len(funded)} projects are funded, if the plenary confirms it")


def _only_contest(cycle: Cycle, contest: str | None) -> str:
    keys = contests_of(cycle)
    if contest is None and len(keys) != 1:
        raise click.UsageError(f"--contest is one of: {', '.join(keys)}")
    return contest or keys[0]


def _administrator(session: Session, phone: str) -> uuid.UUID:
    citizen = citizen_with(session, phone)
    if citizen is None or not citizen.is_administrator:
        raise click.ClickException("No administrator has this number.")
    return citizen.id
