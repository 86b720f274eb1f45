"""`flask keys init|check|rotate`: the keys outside the database."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from api.holders import open_keystore
from api.keys import make_missing_keys, missing_keys, rotate_token_key, unreadable_keys
from api.logins import stock_sealing_keys
from api.settings import Misconfigured
from mvote.ballotbox.keystore import HOLDERS, DirectoryKeystore, Holder


@click.group()
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
    for name in make_missing_keys(_of_the_api()):
        click.echo(f"made {name}")
    try:
        made = stock_sealing_keys(current_app.extensions["settings"])
    except DBAPIError as error:  # keys may be made before the database is
        reason = type(error.orig).__name__
        click.echo(f"no sealing keys made ({reason}): the counter's worker will", err=True)
    else:
        if made:
            click.echo(f"made {made} sealing keys")


@keys.command()
@with_appcontext
def check() -> None:
    """See that every key is there and opens; exit 1 with a list of those that do not."""
    wrong = [f"api/{name}: missing" for name in missing_keys(_of_the_api())]
    readable = 0
    for holder, keystore in _keystores():
        if keystore is None:
            click.echo(f"{holder}: not checked, no master key here", err=True)
            continue
        unreadable = unreadable_keys(keystore)
        readable += len(keystore.names("")) - len(unreadable)
        wrong += [f"{holder}/{name}: unreadable" for name in unreadable]
    click.echo(f"{readable} keys can be read")
    for line in wrong:
        click.echo(line, err=True)
    if wrong:
        sys.exit(1)


@keys.command()
@with_appcontext
def rotate() -> None:
    """Make a new key that signs access tokens; the one before is accepted until they expire.

    Running processes go on signing with the old key: restart them, all at once.
    """
    click.echo(f"made {rotate_token_key(_of_the_api())}; restart the web server to use it")


def _of_the_api() -> DirectoryKeystore:
    keystore: DirectoryKeystore = current_app.extensions["keystore"]
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
