"""Waiting for a condition, never for time to pass; and patience with a busy machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
from flask import Flask

from api.db import ENGINE_OPTIONS

PATIENCE_SECONDS = 60
"""So long a test waits for what must come: a machine may stand still for a while."""
LOOK_EVERY_S = 0.005
"""So that whoever is waited for gets the processor."""
WEB_LIMITS: dict[str, Any] = {
    "pool_timeout": ENGINE_OPTIONS["pool_timeout"],
    "connect_args": dict(ENGINE_OPTIONS["connect_args"]),
}
"""How soon the web gives up on the database: for tests of just that."""


def be_patient() -> None:
    """Let everything in this process wait for the database as long as the tests do.

    The web gives up a lock after three seconds, rightly. A test that holds one while somebody waits
    for it would fail whenever the machine is busy for so long.
    """
    long = f"{PATIENCE_SECONDS}s"
    ENGINE_OPTIONS["pool_timeout"] = PATIENCE_SECONDS
    ENGINE_OPTIONS["connect_args"] = WEB_LIMITS["connect_args"] | {
        "connect_timeout": PATIENCE_SECONDS,
        "options": f"{WEB_LIMITS['connect_args']['options']} -c lock_timeout={long}"
        f" -c statement_timeout={long} -c idle_in_transaction_session_timeout={long}",
    }


def at_leisure(app: Flask) -> None:
    """Let nobody who casts give up soon, and nothing be written but when a test says so."""
    wiring = app.extensions["wiring"]
    wiring.box.slot._patience_s = PATIENCE_SECONDS
    wiring.watch._pause_s = 3600


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once *condition* holds; fail if it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("the condition was never met")
        time.sleep(LOOK_EVERY_S)


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
