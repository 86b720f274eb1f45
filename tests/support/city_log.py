"""A log of a test's own, which needs no poll: the city's."""

from __future__ import annotations

import secrets

import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox import log
from mvote.ballotbox.log import CHECKPOINT_ENTRY, CITY, TreeHead


class CityLog:
    """A log of one's own, and beside it the leaves that it ought to have."""

    def __init__(self, engine: Engine, admin_url: str) -> None:
        self.engine, self.admin_url = engine, admin_url
        self.leaves: list[bytes] = []

    def append(self, count: int) -> TreeHead:
        entries = [(CHECKPOINT_ENTRY, secrets.token_bytes(56)) for _ in range(count)]
        with Session(self.engine) as session, transaction(session):
            head = log.append(session, log_id=CITY, entries=entries)
        self.leaves += [log.leaf_of(*entry) for entry in entries]
        return head

    def clear(self) -> None:
        self.as_superuser("DELETE FROM checkpoint", "DELETE FROM tree_tile")
        self.as_superuser("DELETE FROM log_entry")
        self.leaves = []

    def as_superuser(self, *statements: str) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            for statement in statements:
                connection.execute(statement.encode())
