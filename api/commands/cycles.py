"""`flask cycles import`: what takes more work than a request may take."""

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
from api.db import transaction
from mvote.budget.importing import keep_election, read_election
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


def _administrator(session: Session, phone: str) -> uuid.UUID:
    citizen = citizen_with(session, phone)
    if citizen is None or not citizen.is_administrator:
        raise click.ClickException("No administrator has this number.")
    return citizen.id
