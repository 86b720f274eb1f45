"""A log of a million entries: what an append and a proof cost, and what the tree takes up."""

from __future__ import annotations

import os
import random
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from flask import Flask
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox import log
from mvote.ballotbox.log import BALLOT_ENTRY
from ops.bench.polls import open_a_poll
from ops.bench.stage import Installation

AT_ONCE = 100_000
BATCH = 50
TIMES = 200
SWEPT = "VACUUM log_entry, tree_tile, checkpoint"


@dataclass
class Cost:
    """What one kind of work took, each time."""

    ms: list[float] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def figures(self, name: str) -> dict[str, float]:
        """The median of the milliseconds and the most rows read."""
        return {
            f"log_{name}_ms": statistics.median(self.ms),
            f"log_{name}_rows": float(max(self.rows)),
        }


def measure_log(here: Installation, app: Flask, entries: int) -> dict[str, float]:
    """Fill the log of an open poll with so many made-up ballots, then append and prove."""
    poll_id = open_a_poll(here, app)
    filling = time.perf_counter()
    for start in range(0, entries, AT_ONCE):
        _append(here.engine("shuffler"), poll_id, min(AT_ONCE, entries - start))
    filled_s = time.perf_counter() - filling
    taken = _bytes_taken(here)
    engine = here.engine("shuffler")
    draw = random.Random(1)  # noqa: S311

    def place() -> int:
        return draw.randrange(1, entries)

    return {
        "log_fill_per_s": entries / filled_s,
        "log_tile_bytes": taken["tree_tile"] / entries,
        "log_tracker_index_bytes": taken["ix_log_entry_tracker"] / entries,
        **_cost(engine, lambda _: _append(engine, poll_id, BATCH)).figures("append_50"),
        **_cost(
            engine,
            lambda session: log.inclusion(session, poll_id, index=place(), size=entries),
        ).figures("inclusion"),
        **_cost(
            engine, lambda session: log.consistency(session, poll_id, old=place(), new=entries)
        ).figures("consistency"),
    }


def _append(engine: Engine, poll_id: uuid.UUID, count: int) -> None:
    made_up = sorted(os.urandom(48) for _ in range(count))
    with Session(engine) as session, transaction(session):
        log.append(session, log_id=poll_id, entries=[(BALLOT_ENTRY, data) for data in made_up])


def _cost(engine: Engine, act: Callable[[Session], object]) -> Cost:
    cost = Cost()
    with Session(engine) as session:
        act(session)  # with plans and pages at hand
        for _ in range(TIMES):
            with _rows_read(engine) as rows:
                begun = time.perf_counter()
                act(session)
                cost.ms.append((time.perf_counter() - begun) * 1000)
            cost.rows.append(sum(rows))
    return cost


@contextmanager
def _rows_read(engine: Engine) -> Iterator[list[int]]:
    """How many rows each SELECT has given."""
    rows: list[int] = []

    def note(*arguments: object) -> None:
        cursor, statement = arguments[1], str(arguments[2])
        if statement.startswith("SELECT"):
            rows.append(cursor.rowcount)  # type: ignore[attr-defined]

    event.listen(engine, "after_cursor_execute", note)
    yield rows
    event.remove(engine, "after_cursor_execute", note)


def _bytes_taken(here: Installation) -> dict[str, int]:
    """Tiles with their key, and the index of trackers."""
    with psycopg.connect(here.admin_url, autocommit=True) as connection:
        connection.execute(SWEPT)
        return dict(
            connection.execute(
                "SELECT t, pg_total_relation_size(t::regclass)"
                " FROM unnest(ARRAY['tree_tile', 'ix_log_entry_tracker']) AS t"
            ).fetchall()
        )
