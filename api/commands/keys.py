"""`flask keys init|check|mend|rotate|rewrap`: the keys outside the database."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from api import keys as keys_of_the_api
from api.commands.plainly import PlainGroup
from api.holders import open_keystore
from api.keys import missing_keys
from api.logins import stock_sealing_keys
from api.settings import Misconfigured
from mvote.ballotbox.keystore import HOLDERS, DirectoryKeystore, Holder
from mvote.ballotbox.log_keys import rotate_log_key
from mvote.wording import counted


@click.group(cls=PlainGroup)
def keys() -> None:
    """Make, check and replace the keys that lie outside the database."""


@keys.command()
@with_appcontext
def init() -> None:
    """Introduce every holder and make the keys that are missing. Safe to repeat.

    Where the counter's login and master key are at hand, its stock of sealing keys is filled too.
    """
    for holder, keystore in _keystores():
        if keystore is None:
            click.echo(f"{holder}: no master key here; run this where it is", err=True)
    api = _of_the_api()
    for name in keys_of_the_api.make_missing_keys(api) if api else ():
        click.echo(f"made {name}")
    try:
        made = stock_sealing_keys(current_app.extensions["settings"])
    except DBAPIError as error:  # keys may be made before the database is
        reason = type(error.orig).__name__
        click.echo(f"no sealing keys made ({reason}): the counter's worker will", err=True)
    else:
        if made:
            click.echo(f"made {counted(made, 'sealing key')}")


@keys.command()
@with_appcontext
def check() -> None:
    """See that every key is there and opens, in both copies; exit 1 with a list if not."""
    settings = current_app.extensions["settings"]
    wrong = [f"{holder}/{name}: missing" for holder, name in _missing()]
    readable = 0
    for holder, keystore in _keystores():
        if keystore is None:
            click.echo(f"{holder}: not checked, no master key here", err=True)
            continue
        flaws = keystore.flaws()
        readable += len(keystore.names("")) - len({flaw.name for flaw in flaws})
        for flaw in flaws:
            where = " in the copy" if flaw.root != settings.keystore else ""
            wrong.append(f"{holder}/{flaw.name}: {flaw.what}{where}")
    if settings.keystore_copy and not settings.keystore_copy.is_dir():
        wrong.append(f"the copy is away: {settings.keystore_copy}")
    click.echo(f"{counted(readable, 'key')} can be read")
    for line in wrong:
        click.echo(line, err=True)
    if wrong:
        sys.exit(1)


def _missing() -> list[tuple[Holder, str]]:
    keystore = _of_the_api()
    return [("api", name) for name in missing_keys(keystore)] if keystore else []


@keys.command()
@with_appcontext
def mend() -> None:
    """Make both copies of every key whole, as far as one of them opens."""
    for holder, keystore in _keystores():
        for name in keystore.mend() if keystore else ():
            click.echo(f"mended {holder}/{name}")


@keys.command()
@click.option(
    "--kind",
    type=click.Choice(["token", "presence", "room", "receipt", "log"]),
    default="token",
    show_default=True,
)
@with_appcontext
def rotate(kind: str) -> None:
    """Make a new key that signs access tokens, presence tokens, receipts of polls opened from now
    on, or logs.

    The key before is accepted until what it signed has expired. Running processes go on signing
    tokens of both kinds with it: restart them, all at once. A new receipt key or log key they find
    by themselves; the log key before signs beside it until the next change, so that witnesses have
    time to pin the new one.
    """
    if kind == "log":
        made = rotate_log_key(_keystore_of("shuffler"))
    else:
        made = keys_of_the_api.rotate(_keystore_of("api"), kind)
    needs_restart = kind in keys_of_the_api.KEPT
    click.echo(f"made {made}" + ("; restart the web server to use it" if needs_restart else ""))


def _keystore_of(wanted: Holder) -> DirectoryKeystore:
    keystore = _of_the_api() if wanted == "api" else dict(_keystores())[wanted]
    if keystore is None:
        raise click.ClickException(f"the {wanted}'s master key is not here")
    return keystore


@keys.command()
@click.option("--holder", "whose", type=click.Choice(HOLDERS), required=True)
@with_appcontext
def rewrap(whose: Holder) -> None:
    """Wrap every key of a holder anew, for a new master key; afterwards the old one opens nothing.

    The new key is given as X_MASTER_KEY, the old one as X_MASTER_KEY_OLD (X: the holder), to this
    command and, before, to every process of the holder. Safe to kill and to run again.
    """
    settings = current_app.extensions["settings"]
    if not settings.old_master_keys.get(whose):
        raise click.ClickException(
            f"give the new key as {whose.upper()}_MASTER_KEY and the one before as"
            f" {whose.upper()}_MASTER_KEY_OLD"
        )
    keystore = open_keystore(settings, whose)
    unreadable = keystore.rewrap()
    wrapped = len(keystore.names("")) - len(unreadable)
    click.echo(f"{counted(wrapped, 'key')} wrapped for the new master key")
    for name in unreadable:
        click.echo(f"{whose}/{name}: unreadable", err=True)
    if unreadable:
        sys.exit(1)


def _of_the_api() -> DirectoryKeystore | None:
    keystore: DirectoryKeystore | None = current_app.extensions.get("keystore")
    return keystore


def _keystores() -> Iterator[tuple[Holder, DirectoryKeystore | None]]:
    """Each holder's keystore, introduced; None where its master key is kept elsewhere."""
    settings = current_app.extensions["settings"]
    for holder in HOLDERS:
        try:
            yield holder, open_keystore(settings, holder)
        except Misconfigured:
            if settings.environment != "production" or settings.master_keys.get(holder):
                raise
            yield holder, None
