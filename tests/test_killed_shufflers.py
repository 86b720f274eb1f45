"""kill -9 of a shuffler, wherever it stands: each envelope becomes one entry, the tree is right.

A real process works with the real login; the test holds a lock on the table that the next stage
writes, so that it stands still inside its transaction, and kills it there.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from api.db import WORKER_OPTIONS, new_engine
from api.holders import open_keystore
from api.settings import Settings
from jobs import shuffler_round
from mvote.polls.definition import FrozenPoll
from tests.support.ballots import cast_together, frozen, strangers
from tests.support.boxes import check_log, waiting
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.support.world import World

K = 50
BALLOTS = 2 * K + 20
#: the table that the next stage writes, in the order of the stages
OPEN_STAGES = ("log_entry", "tree_tile", "checkpoint", "box", "envelope")
CLOSING_STAGES = (*OPEN_STAGES, "poll")


def work(settings: Settings, options: dict[str, Any]) -> None:
    """What the process does: one round."""
    engine = new_engine(settings.shuffler_url, **(WORKER_OPTIONS | options))
    shuffler_round(engine, open_keystore(settings, "shuffler"))


def kill_at(world: World, table: str, **options: Any) -> None:
    """Start a shuffler, stop it before it writes *table*, kill it, and let it be gone."""
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=work, args=[world.settings, options])
    with stopped_before(world, table):
        process.start()
        wait_until(lambda: bool(_blocked(world)))
        [(backend,)] = _blocked(world)
        process.kill()
        process.join(PATIENCE_SECONDS)
        # its server process would still end the statement: the worst is that it does not
        world.rows("SELECT pg_terminate_backend(%s)", backend)
    assert process.exitcode == -9
    wait_until(lambda: not world.rows("SELECT 1 FROM pg_stat_activity WHERE pid = %s", backend))


@contextmanager
def stopped_before(world: World, table: str) -> Iterator[None]:
    """Nobody can write *table*; it can be read."""
    with psycopg.connect(world.admin_url) as holder:
        holder.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE".encode())
        yield


def _blocked(world: World) -> list[tuple[Any, ...]]:
    return world.rows(
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database() AND usename = 'mvote_shuffler'"
    )


@pytest.fixture
def poll(world: World) -> FrozenPoll:
    return frozen(world, world.open_poll(publish_from=2))


@pytest.mark.parametrize("stage", OPEN_STAGES)
def test_a_shuffler_killed_while_the_poll_is_open_has_done_nothing_and_the_next_does_all(
    world: World, poll: FrozenPoll, stage: str
) -> None:
    trackers = cast_together(world, poll, strangers(BALLOTS))
    kill_at(world, stage)
    assert waiting(world, poll) == BALLOTS
    assert world.count("log_entry") == world.count("box") == world.count("tree_tile") == 0
    trackers += cast_together(world, poll, strangers(5))
    world.run_shuffler()
    assert waiting(world, poll) == K
    check_log(world, poll, trackers)


@pytest.mark.parametrize("stage", CLOSING_STAGES)
def test_a_shuffler_killed_in_the_last_shuffle_leaves_a_closing_poll_that_the_next_one_closes(
    world: World, poll: FrozenPoll, stage: str
) -> None:
    trackers = cast_together(world, poll, strangers(BALLOTS))
    world.run_shuffler()  # a batch before, so that a tree has begun
    world.end_voting({"id": str(poll.poll_id)})
    if stage == "poll":  # its lock would stop the closing, too
        _close(world, poll)
    kill_at(world, stage)
    assert world.rows("SELECT state FROM poll") == [("closing",)]
    assert waiting(world, poll) == K
    check_log(world, poll, trackers)
    world.run_shuffler()
    assert world.rows("SELECT state FROM poll") == [("closed",)]
    assert waiting(world, poll) == 0
    check_log(world, poll, trackers)
    world.run_counter()
    assert world.rows("SELECT state FROM poll") == [("published",)]


def test_a_shuffler_whose_statements_were_not_one_transaction_would_put_ballots_in_twice(
    world: World, poll: FrozenPoll
) -> None:
    """The sabotaged twin, killed between writing the box and removing the envelopes."""
    trackers = cast_together(world, poll, strangers(BALLOTS))
    kill_at(world, "envelope", isolation_level="AUTOCOMMIT")
    world.end_voting({"id": str(poll.poll_id)})
    world.run_shuffler()
    logged = Counter(
        bytes(data[:16]).hex()
        for (data,) in world.rows("SELECT data FROM log_entry WHERE kind = 1")
    )
    assert set(logged) == set(trackers)
    assert set(logged.values()) == {1, 2}


def _close(world: World, poll: FrozenPoll) -> None:
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SELECT close_poll(%s)", [poll.poll_id])
