"""Commands that end with one sentence on standard error where their surroundings fail them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from psycopg import errors
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from mvote.ballotbox.keystore import KeystoreAway

NOT_MIGRATED = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction)


class PlainCommand(click.Command):
    """A command without subcommands."""

    def invoke(self, ctx: click.Context) -> Any:
        with in_one_sentence():
            return super().invoke(ctx)


class PlainGroup(click.Group):
    """A command with subcommands."""

    def invoke(self, ctx: click.Context) -> Any:
        with in_one_sentence():
            return super().invoke(ctx)


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """What an operator can put right is said without a traceback; exit code 1."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise click.ClickException(f"The database cannot be used: {_reason(error)}") from None
    except NoConnectionFree:
        raise click.ClickException("The database has no connection free.") from None
    except ProgrammingError as error:
        if not isinstance(error.orig, NOT_MIGRATED):
            raise
        raise click.ClickException(
            "The database is not as this version needs it: `alembic upgrade head` (`make migrate`)"
        ) from None
    except KeystoreAway as error:
        raise click.ClickException(str(error)) from None


def _reason(error: DBAPIError) -> str:
    """The first line of what the driver says; it names server and login, never a password."""
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
