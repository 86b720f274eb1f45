"""`flask box export|key`: what observers need to open the box themselves, from the counter."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from api.commands.plainly import PlainGroup
from api.logins import Login, login_of
from mvote.ballotbox.boxes import write_box
from mvote.ballotbox.keystore import KeyMissing
from mvote.ballotbox.stock import sealing_key_name
from mvote.polls.definition import read_definition
from mvote.polls.poll import Poll, PollDefinition
from mvote.wording import counted

AFTER_VOTING = ("closed", "counted", "published", "voided")
FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=PlainGroup)
def box() -> None:
    """What observers need to recount: the sealed ballots and, apart from them, the key."""


@box.command()
@click.option("--poll", "poll_id", type=click.UUID, required=True)
@click.argument("file", type=FILE)
@with_appcontext
def export(*, poll_id: uuid.UUID, file: Path) -> None:
    """Write the sealed ballots of a poll that is over into FILE, in the order of the log."""
    with _counter() as counter, counter.transaction() as session:
        state = session.scalar(select(Poll.state).where(Poll.id == poll_id))
        if state not in AFTER_VOTING:
            raise click.ClickException("There is no such poll, or voting is not over.")
        with file.open("wb") as out:
            places = write_box(session, poll_id, out)
    click.echo(f"{counted(places, 'sealed ballot')} in {file}")


@box.command()
@click.option("--poll", "poll_id", type=click.UUID, required=True)
@click.argument("file", type=FILE)
@with_appcontext
def key(*, poll_id: uuid.UUID, file: Path) -> None:
    """Write the private key of a published poll into FILE, for observers who recount.

    Whoever has it and the sealed ballots can read every ballot, though not whose it is.
    """
    with _counter() as counter, counter.transaction() as session:
        wanted = select(PollDefinition.canonical).join(Poll, Poll.id == PollDefinition.poll_id)
        content = session.scalar(wanted.where(Poll.id == poll_id, Poll.state == "published"))
        if content is None:
            raise click.ClickException("There is no such poll, or it is not published.")
        name = sealing_key_name(read_definition(content).sealing_key)
        try:
            secret = counter.keystore.get(name)
        except KeyMissing:
            raise click.ClickException("The counter does not have this key (any more).") from None
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secret.hex() + "\n")
    click.echo(f"the poll's private key is in {file}: give it to observers only")


@contextmanager
def _counter() -> Iterator[Login]:
    with login_of(current_app.extensions["settings"], "counter") as counter:
        if counter is None:
            raise click.ClickException("Only where the counter's login and master key are.")
        yield counter
