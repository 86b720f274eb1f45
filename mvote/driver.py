"""Statements for the database driver itself, without the layers above it: for what every cast asks.

A statement is still written with SQLAlchemy, where it is short; its text is made once.
"""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

Connection = psycopg.Connection[Any]
"""The driver's connection, each statement on which is a transaction of its own."""

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


def driver_sql(statement: ClauseElement) -> bytes:
    """The text of *statement* with parameters by name, as the driver wants them."""
    return str(statement.compile(dialect=_DIALECT)).encode()


def rows_of(connection: Connection, query: bytes, given: dict[str, Any]) -> list[tuple[Any, ...]]:
    """All rows of *query*, planned once for each connection."""
    rows: list[tuple[Any, ...]] = connection.execute(
        query, given, prepare=True, binary=True
    ).fetchall()
    return rows
