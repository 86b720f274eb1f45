"""The one way to the database: the engine, the session, and `transaction()`, the only commit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

import orjson
import psycopg
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from mvote.base import Base, forget_after_commit, run_after_commit
from mvote.driver import Connection
from mvote.errors import error_of_constraint

db = SQLAlchemy(metadata=Base.metadata)

SHARD_SUFFIX = re.compile(r"_\d{6,}$")
"""Citus names the constraint of a shard after the table's, with the shard's number behind."""

CONNECT_S = 5
"""So long a server may take to let somebody in; the driver alone would wait for 130 s."""
ENGINE_OPTIONS: dict[str, Any] = {
    "hide_parameters": True,  # an error message must never print a phone number or a ballot
    "isolation_level": "READ COMMITTED",  # the slot reads the state after its lock
    "pool_size": 20,
    "max_overflow": 0,  # beyond the pool, each use would log in anew: more than a cast costs
    "pool_timeout": 5,
    "pool_pre_ping": False,
    "json_deserializer": orjson.loads,
    # what is answered as recorded is on disk, whatever the server's default
    "connect_args": {"options": "-c timezone=UTC -c synchronous_commit=on -c lock_timeout=3s"
                                " -c default_transaction_isolation=read\\ committed"
                                " -c statement_timeout=10s"
                                " -c idle_in_transaction_session_timeout=15s",
                     "connect_timeout": CONNECT_S},
}  # fmt: skip
WORKER_OPTIONS: dict[str, Any] = {
    "pool_size": 2,  # the counter says how far it is while its count is one transaction
    "pool_pre_ping": True,
    # unsealing a great poll takes minutes between two statements
    "connect_args": {"options": "-c timezone=UTC -c synchronous_commit=on"},
}


def new_engine(url: str, **options: Any) -> Engine:
    """An engine with this project's options, for whoever runs outside a web request."""
    chosen = {key: value for key, value in (ENGINE_OPTIONS | options).items() if value is not None}
    chosen["connect_args"] = {"connect_timeout": CONNECT_S} | chosen["connect_args"]
    return create_engine(url, **chosen)


@contextmanager
def transaction(session: Session | None = None) -> Iterator[Session]:
    """Commit what happens inside, or nothing of it.

    A violated constraint becomes the domain error that stands for it. What was registered with
    `after_commit` (a text message, a signal) leaves the process only once all is durable. Inside
    another transaction of the same session it is a part of that one.
    """
    session = session or db.session()
    if session.info.get("under_way"):
        yield session
        return
    session.info["under_way"] = True
    try:
        yield session
        session.commit()
    except BaseException as error:
        session.rollback()
        forget_after_commit(session)
        if isinstance(error, IntegrityError):
            raise _domain_error(error) from error
        raise
    finally:
        session.info["under_way"] = False
    run_after_commit(session)


@contextmanager
def transaction_on(engine: Engine) -> Iterator[Session]:
    """A `transaction` in a session of its own, whose connection goes back at the end."""
    with Session(engine) as session, transaction(session):
        yield session


@contextmanager
def reading(engine: Engine | None = None) -> Iterator[Session]:
    """A session that only reads, each statement on its own: no transaction is held open, and the
    connection goes back at the end, before anything is waited for."""
    with Session(_without_transactions(engine or db.engine)) as session:
        yield session


@contextmanager
def driving(engine: Engine) -> Iterator[Connection]:
    """The driver's own connection, for what every cast asks: nothing stands in between.

    Each statement is a transaction of its own. An error is SQLAlchemy's as everywhere; it says
    with `connection_invalidated` that no answer came, so that the statement may have been carried
    out. Then all connections of the pool are replaced, which were made to the same server.
    """
    try:
        pooled = engine.raw_connection()
    except psycopg.Error as error:  # nobody has made it SQLAlchemy's at this depth
        raise DBAPIError.instance(None, None, error, psycopg.Error) from error
    connection: Connection = cast("Connection", pooled.driver_connection)
    is_as_before = False
    try:
        connection.autocommit = True
        yield connection
        connection.autocommit = False
        is_as_before = True
    except psycopg.Error as error:
        is_lost = connection.closed or connection.broken
        if is_lost:
            engine.dispose()
        raise DBAPIError.instance(
            None, None, error, psycopg.Error, connection_invalidated=is_lost
        ) from error
    finally:
        if not is_as_before:  # whoever got it next would believe to be in a transaction
            pooled.invalidate()
        pooled.close()


@lru_cache
def _without_transactions(engine: Engine) -> Engine:
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _domain_error(error: IntegrityError) -> Exception:
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
    return error_of_constraint(name) or error_of_constraint(SHARD_SUFFIX.sub("", name)) or error
