"""What every table shares: the declarative base, names of constraints, time, ids, states."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import uuid_utils.compat
from sqlalchemy import CheckConstraint, DateTime, Dialect, MetaData, TypeDecorator, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session

Json = Any
"""A JSON document as Python holds it: dict, list, str, int, float, bool, None."""

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An instant: takes aware datetimes only, gives them back in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime is not an instant")
        return value

    def process_result_value(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> dt.datetime | None:
        return value.astimezone(dt.UTC) if value is not None else None


class Base(DeclarativeBase):
    """Plain SQLAlchemy: the web framework supplies engine and session, nothing else."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map = {dt.datetime: UtcDateTime(), dict[str, Any]: JSONB, list[str]: JSONB}  # noqa: RUF012


def state_check(column: str, states: Iterable[str]) -> CheckConstraint:
    """A named CHECK that *column* holds one of *states*: states are text, never an enum type."""
    listed = ", ".join(f"'{state}'" for state in states)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def new_id() -> uuid.UUID:
    """A time-ordered id (UUIDv7, RFC 9562) for things that are no part of a ballot's path."""
    return uuid_utils.compat.uuid7()


def random_id() -> uuid.UUID:
    """A random id (UUIDv4) for whatever must not tell when it was made."""
    return uuid.uuid4()


def utc_now() -> dt.datetime:
    """The process's clock, aware. Opening, casting and closing use the database's instead."""
    return dt.datetime.now(dt.UTC)


def database_time(session: Session) -> dt.datetime:
    """The clock that decides opening, casting and closing, as it stands at this statement."""
    now: dt.datetime = session.scalars(select(func.clock_timestamp())).one()
    return now


def instant(value: dt.datetime) -> str:
    """*value* as RFC 3339 in UTC, microseconds only if there are any."""
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def after_commit(session: Session, act: Callable[[], None]) -> None:
    """Do *act* once the transaction is durable; never, if it is rolled back."""
    session.info.setdefault("after_commit", []).append(act)


def run_after_commit(session: Session) -> None:
    """Do what waits for the commit that has just happened."""
    for act in session.info.pop("after_commit", []):
        act()


def forget_after_commit(session: Session) -> None:
    """Drop what waited for a commit that did not happen."""
    session.info.pop("after_commit", None)
