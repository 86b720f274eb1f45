"""Shuffling while a poll is open: sorted batches, and k stay behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.db import transaction
from api.holders import open_keystore
from mvote.ballotbox.keystore import DirectoryKeystore
from mvote.ballotbox.lookout import QUICK_S, REST, Lookout
from mvote.ballotbox.poll_keys import key_name
from mvote.ballotbox.shuffling import Batch, close_poll, shuffle
from mvote.polls.definition import FrozenPoll
from tests.support.ballots import cast_together, frozen, strangers
from tests.support.boxes import batches_in, check_log, waiting
from tests.support.world import World

K = 50


@pytest.fixture
def poll(world: World) -> FrozenPoll:
    return frozen(world, world.open_poll(publish_from=2))


@pytest.fixture
def keystore(world: World) -> DirectoryKeystore:
    """The shuffler's."""
    return open_keystore(world.settings, "shuffler")


Once = Callable[..., Batch | None]


@pytest.fixture
def once(world: World, poll: FrozenPoll, keystore: DirectoryKeystore) -> Once:
    """Shuffles one batch of the poll."""

    def run(**more: Any) -> Batch | None:
        with Session(world.engines["shuffler"]) as session, transaction(session):
            return shuffle(session, keystore, poll.poll_id, **more)

    return run


def test_nothing_is_shuffled_before_twice_k_wait(world: World, poll: FrozenPoll) -> None:
    trackers = cast_together(world, poll, strangers(2 * K - 1))
    world.run_shuffler()
    assert world.count("log_entry") == world.count("box") == 0
    check_log(world, poll, trackers)


def test_of_twice_k_and_more_all_but_k_are_shuffled_and_the_rest_with_the_closing(
    world: World, poll: FrozenPoll
) -> None:
    trackers = cast_together(world, poll, strangers(2 * K + 7))
    world.run_shuffler()
    assert waiting(world, poll) == K
    check_log(world, poll, trackers)
    trackers += cast_together(world, poll, strangers(30))
    world.run_shuffler()
    assert waiting(world, poll) == K + 30
    world.close({"id": str(poll.poll_id)})
    check_log(world, poll, trackers)
    assert waiting(world, poll) == 0
    assert [len(batch) for batch in batches_in(world, poll.poll_id)] == [1 + K + 7, K + 30]


def test_a_poll_with_a_larger_k_waits_for_twice_that(world: World) -> None:
    poll = frozen(world, world.open_poll(k=60))
    trackers = cast_together(world, poll, strangers(119))
    world.run_shuffler()
    assert waiting(world, poll) == 119
    trackers += cast_together(world, poll, strangers(1))
    world.run_shuffler()
    assert waiting(world, poll) == 60
    check_log(world, poll, trackers)


ORDERS = {
    "ids": "SELECT id FROM envelope ORDER BY id",
    "places": "SELECT id FROM envelope ORDER BY ctid",
}


def test_which_k_stay_is_drawn_and_not_told_by_any_order(world: World, poll: FrozenPoll) -> None:
    """Of 100 in a row, 50 drawn at random are never the first, the last, or a run of 50."""
    cast_together(world, poll, strangers(2 * K))
    orders = {name: world.rows(query) for name, query in ORDERS.items()}
    world.run_shuffler()
    stayed = set(world.rows("SELECT id FROM envelope"))
    for order in orders.values():
        switches = sum(
            (one in stayed) != (other in stayed)
            for one, other in zip(order, order[1:] + order[:1], strict=True)
        )
        assert switches > 20  # in the mean 50; a run would have 2


def test_a_great_poll_is_shuffled_in_batches_of_bounded_and_even_size(
    world: World, poll: FrozenPoll, once: Once
) -> None:
    trackers = cast_together(world, poll, strangers(2 * K + 41))
    assert once(largest=40) == Batch(ballots=40, waiting=101)  # open: the next may follow
    check_log(world, poll, trackers)
    world.end_voting({"id": str(poll.poll_id)})
    with Session(world.engines["shuffler"]) as session, transaction(session):
        close_poll(session, poll.poll_id)
    sizes = [
        batch.ballots
        for batch in iter(lambda: once(largest=40), Batch(ballots=0, waiting=0))
        if batch
    ]
    assert sizes == [34, 34, 33]
    assert world.rows("SELECT state FROM poll") == [("closed",)]
    check_log(world, poll, trackers)


def test_an_unreadable_envelope_of_an_open_poll_is_put_aside_and_holds_nothing_up(
    world: World, poll: FrozenPoll
) -> None:
    trackers = cast_together(world, poll, strangers(2 * K))
    _as_superuser(
        world, 'UPDATE envelope SET "outer" = set_byte("outer", 40, get_byte("outer", 40) # 1)'
        " WHERE id = (SELECT min(id::text)::uuid FROM envelope)",
    )  # fmt: skip
    world.close({"id": str(poll.poll_id)})
    assert world.count("quarantined_envelope") == 1
    assert world.count("box") == len(trackers) - 1
    assert waiting(world, poll) == 0


def test_what_waits_in_a_voided_poll_still_reaches_the_log_and_the_link_key_lives_until_then(
    world: World, poll: FrozenPoll, keystore: DirectoryKeystore
) -> None:
    trackers = cast_together(world, poll, strangers(3))
    _as_superuser(world, "UPDATE poll SET state = 'voided', closed_at = clock_timestamp()")
    name = key_name(poll.poll_id, "L")
    with Session(world.engines["shuffler"]) as session:
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 2))"),
                        {"id": str(poll.poll_id)})  # fmt: skip
        world.run_shuffler()  # another one is at it: this one shuffles nothing
    assert name in keystore.names("poll/")
    world.run_shuffler()
    check_log(world, poll, trackers)
    assert waiting(world, poll) == 0
    assert name not in keystore.names("poll/")
    assert world.rows("SELECT state FROM poll") == [("voided",)]


def test_looking_for_work_rests_after_it_took_long(world: World) -> None:
    ticks = iter([0.0, 2 * QUICK_S, 2 * QUICK_S, 1.0, 100.0, 100.0, 100.0])
    lookout = Lookout(clock=lambda: next(ticks))
    poll = frozen(world, world.open_poll())
    cast_together(world, poll, strangers(2 * K))
    with Session(world.engines["shuffler"]) as session:
        assert lookout.look(session).to_shuffle == [poll.poll_id]
        assert lookout.look(session).to_shuffle == ()  # at 1.0 s, before 2 × QUICK_S × REST
        assert lookout.look(session).to_shuffle == [poll.poll_id]
    assert 2 * QUICK_S * REST > 1.0


def _as_superuser(world: World, statement: str) -> None:
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement.encode())
