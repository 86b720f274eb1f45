"""Logs in tests: batches without voters, what was signed, and a restore to an earlier state."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox.log import BALLOT_ENTRY, TreeHead, append
from tests.support.world import World

CITY = str(uuid.UUID(int=0))
TABLES = ("log_entry", "tree_tile", "checkpoint", "cosignature", "log_key")
Restore = Callable[[], None]


def grow(world: World, poll: dict[str, Any], ballots: int = 2) -> TreeHead:
    """A batch is shuffled into the poll's log; its checkpoint is not signed yet."""
    entries = [(BALLOT_ENTRY, os.urandom(48)) for _ in range(ballots)]
    with Session(world.engines["shuffler"]) as session, transaction(session):
        return append(session, log_id=uuid.UUID(poll["id"]), entries=entries)


def notes_of(world: World, log_id: str) -> list[str]:
    """The signed checkpoints of a log, by size."""
    rows = world.rows(
        "SELECT note FROM checkpoint WHERE poll_id = %s AND note IS NOT NULL ORDER BY size", log_id
    )
    return [note for (note,) in rows]


def unsigned(world: World) -> int:
    """How many checkpoints are not signed."""
    return int(world.rows("SELECT count(*) FROM checkpoint WHERE note IS NULL")[0][0])


def city_entries(world: World) -> list[bytes]:
    """What the city's log names: poll id ‖ size ‖ root."""
    rows = world.rows("SELECT data FROM log_entry WHERE poll_id = %s ORDER BY idx", CITY)
    return [bytes(data) for (data,) in rows]


def place_of(poll_id: str, size: int) -> bytes:
    """How the city's log names a poll's log of so many entries."""
    return uuid.UUID(poll_id).bytes + size.to_bytes(8, "big")


def as_superuser(world: World, *statements: str) -> None:
    """What somebody with a superuser's password could do."""
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement.encode())


@contextmanager
def kept(world: World) -> Iterator[Restore]:
    """Keeps the logs as they are now; the function given puts them back."""
    copies = {name: f"kept_{uuid.uuid4().hex}" for name in TABLES}
    as_superuser(world, *(f"CREATE TABLE {copy} AS TABLE {name}" for name, copy in copies.items()))

    def restore() -> None:
        for name, copy in copies.items():
            as_superuser(world, f"DELETE FROM {name}", f"INSERT INTO {name} TABLE {copy}")  # noqa: S608

    try:
        yield restore
    finally:
        as_superuser(world, *(f"DROP TABLE {copy}" for copy in copies.values()))
