"""`flask trustees challenge|import|list|open`: keys that no server holds before the opening."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from api.commands.plainly import PlainGroup
from api.db import reading, transaction
from api.logins import Login, login_of
from mvote.ballotbox.asking import Table, hidden_line, shown_line
from mvote.ballotbox.ceremony import STOPPED
from mvote.ballotbox.ceremony_record import CeremonyRecord, NoRecord, read_record
from mvote.ballotbox.drill import DrillFailed, groups_of
from mvote.ballotbox.durably import write_once
from mvote.ballotbox.keystore import DirectoryKeystore, KeyMissing, KeystoreAway
from mvote.ballotbox.share_problems import ShareProblem
from mvote.ballotbox.trustees import (
    AlreadyImported,
    NothingToOpen,
    TrusteeKey,
    ceremony_to_open,
    challenge_trustees,
    import_drilled_key,
    open_box,
)
from mvote.languages import at_once
from mvote.wording import counted

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
REFUSALS = (
    AlreadyImported, DrillFailed, FileExistsError, KeystoreAway, NoRecord, NothingToOpen,
    ShareProblem,
)  # fmt: skip


@click.group(cls=PlainGroup)
def trustees() -> None:
    """Keys that only trustees together can use: the drill, and the opening of the box.

    They are made offline: `python -m mvote.ballotbox.ceremony make`. See docs/keys.md.
    """


@trustees.command()
@click.argument("record", type=FILE)
@click.option("--out", type=click.Path(path_type=Path), default=Path("challenge.json"))
@with_appcontext
def challenge(record: Path, out: Path) -> None:
    """Make a challenge to the trustees of the ceremony in RECORD, to be answered offline."""
    with _refused_clearly():
        ceremony = read_record(record.read_bytes())
        write_once(out, challenge_trustees(_keystore(), ceremony).content)
    click.echo(f"{out}: python -m mvote.ballotbox.ceremony drill --challenge {out.name}")


@trustees.command("import")
@click.argument("record", type=FILE)
@click.argument("answer", type=FILE)
@with_appcontext
def import_key(record: Path, answer: Path) -> None:
    """Take the key of the ceremony in RECORD whose trustees have answered the challenge."""
    with _refused_clearly():
        ceremony, keystore = read_record(record.read_bytes()), _keystore()
        with transaction() as session:
            done = import_drilled_key(
                session, keystore, record=ceremony, answer=answer.read_bytes()
            )
        keystore.destroy(done)
    groups = counted(len(list(groups_of(ceremony))), "group")
    click.echo(f"{groups} of trustees proved the key {ceremony.public_key.hex()}")


@trustees.command("list")
@with_appcontext
def list_keys() -> None:
    """The keys whose trustees have passed the drill, and the polls they serve."""
    with reading() as session:
        for key in session.scalars(select(TrusteeKey).order_by(TrusteeKey.drilled_at)):
            use = f"poll {key.poll_id}" if key.poll_id else "free"
            names = ", ".join(key.ceremony.names)
            click.echo(f"{key.public_key.hex()} {use}: {key.ceremony.threshold} of {names}")


@trustees.command("open")
@click.option("--poll", "poll_id", type=click.UUID, required=True)
@click.option("--show", is_flag=True, help="Show the words while they are typed.")
@with_appcontext
def open_ballot_box(poll_id: uuid.UUID, *, show: bool) -> None:
    """Ask trustees for their shares, and give the counter the key: it counts, and destroys it.

    On the counter's machine. Nothing that is typed is shown, logged or kept.
    """
    with _refused_clearly(), _counter() as counter:
        record = _ceremony(counter, poll_id)
        table = Table(ask=shown_line if show else hidden_line, tell=_tell)
        open_box(counter.keystore, record, table.shares_of_enough(record))
    click.echo("the counter has the key: it counts now, and destroys it")


def _ceremony(counter: Login, poll_id: uuid.UUID) -> CeremonyRecord:
    with counter.transaction() as session:
        return ceremony_to_open(session, poll_id)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _keystore() -> DirectoryKeystore:
    keystore: DirectoryKeystore | None = current_app.extensions.get("keystore")
    if keystore is None:
        raise click.ClickException("the api's master key is not here")
    return keystore


@contextmanager
def _counter() -> Iterator[Login]:
    with login_of(current_app.extensions["settings"], "counter") as counter:
        if counter is None:
            raise click.ClickException("the counter's login or master key is not here")
        yield counter


@contextmanager
def _refused_clearly() -> Iterator[None]:
    """A refusal is a sentence, not a traceback."""
    try:
        yield
    except KeyMissing:
        raise click.ClickException("the key was destroyed: the poll was counted") from None
    except REFUSALS as error:
        raise click.ClickException(str(error)) from None
    except EOFError:
        raise click.ClickException(at_once(STOPPED)) from None
