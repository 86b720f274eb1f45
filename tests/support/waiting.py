"""Waiting for a condition of the database, never for time to pass."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

PATIENCE_SECONDS = 20.0


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once *condition* holds; fail if it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("the condition was never met")


def wait_until_blocked(admin_url: str, fragment: str) -> None:
    """Return once a statement that contains *fragment* waits for a lock."""
    wait_until(lambda: is_blocked(admin_url, fragment))


def is_blocked(admin_url: str, fragment: str) -> bool:
    """Whether a statement that contains *fragment* waits for a lock at this moment."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        waiting = connection.execute(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database() AND query LIKE %s",
            [f"%{fragment}%"],
        )
        return waiting.fetchone() is not None
