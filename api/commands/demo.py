"""`flask demo load|show|reset`: something to try, on real Seoul. Not in production."""

from __future__ import annotations

import json

import click
from flask import current_app
from flask.cli import with_appcontext

from api.commands.areas import owner_session
from api.commands.plainly import PlainGroup
from api.db import reading, transaction
from api.demo import loading, removing, showing
from api.demo.budget.showing import who_reviews
from api.demo.errors import DemoIncomplete
from api.demo.ledger import was_begun
from api.demo.screens import new_screen
from api.settings import Settings
from mvote.base import utc_now
from mvote.errors import DomainError
from mvote.polls.errors import NotReadyToOpen


@click.group(cls=PlainGroup)
def demo() -> None:
    """Sites, polls and ballots of a demo on real Seoul."""


@demo.command()
@with_appcontext
def load() -> None:
    """Load what is missing of the demo. Safe to repeat: what is there stays as it is.

    Polls that have ended since are followed by new ones.
    """
    settings = _outside_production()
    try:
        if not loading.load(say=click.echo, as_owner=lambda: owner_session(settings)):
            click.echo("the demo is loaded already")
    except NotReadyToOpen as error:
        reasons = ", ".join(each["title"]["en"] for each in error.facts["hindrances"])
        raise click.ClickException(f"A poll could not be opened: {reasons}") from None
    except (DomainError, DemoIncomplete) as error:
        raise click.ClickException(str(error)) from None


@demo.command()
@with_appcontext
def show() -> None:
    """Print what to try, as JSON: the polls' addresses, a site code's, a place to stand."""
    with reading() as session:
        found = showing.what_to_try(session)
    if not found:
        raise click.ClickException("There is no demo here yet: flask --app wsgi demo load")
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


@demo.command()
@click.option("--shell", is_flag=True, help="As shell variables.")
@with_appcontext
def tokens(*, shell: bool) -> None:
    """Print tokens of the demo's people by role, as JSON: two reviewers, their chair, an officer of
    the department that runs the cycles, somebody on a list; and what opens the private room."""
    _outside_production()
    with transaction() as session:
        people, room = who_reviews(session), showing.room_to_try(session)
        people |= {"on_the_list": showing.on_the_list(session)} if room else {}
    issuer, now = current_app.extensions["tokens"], utc_now()
    issued = {role: issuer.issue(who, now=now) for role, who in people.items()} | room
    lines = [f"{role.upper()}={token}" for role, token in issued.items()]
    click.echo("\n".join(lines) if shell else json.dumps(issued))


@demo.command()
@with_appcontext
def screen() -> None:
    """Print an address to open on a tablet: the screen in the demo's library, with a new key."""
    _outside_production()
    with transaction() as session:
        address = new_screen(session)
    if address is None:
        raise click.ClickException("There is no demo here with an open poll at its libraries.")
    click.echo(address)


@demo.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def reset(*, yes: bool) -> None:
    """Empty the whole database that holds the demo, its own and everything else.

    Nothing of the demo can be removed by itself, because ballots and journal are append-only.
    """
    settings = _outside_production()
    if not settings.owner_url:
        raise click.ClickException("Only the database's owner can empty it: set DATABASE_URL.")
    with owner_session(settings) as session:
        if not was_begun(session):
            raise click.ClickException("No demo was ever loaded here. Nothing was removed.")
        if not yes:
            click.confirm(f"Remove {removing.what_would_go(session)}?", abort=True)
        removing.empty(session, settings)
    click.echo("the database is empty; restart what runs on it, then: flask --app wsgi demo load")


def _outside_production() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    if settings.environment == "production":
        raise click.ClickException("There is no demo in production.")
    return settings
