"""Shuffling beside casting and closing: nobody waits for it, and nothing is lost or doubled."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from api.holders import open_keystore
from jobs import shuffler_round
from mvote.ballotbox.keystore import DirectoryKeystore
from mvote.ballotbox.shuffling import Batch, close_poll, shuffle
from mvote.polls.definition import FrozenPoll
from tests.support.ballots import cast_together, frozen, strangers
from tests.support.boxes import batches_out, check_log, waiting
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.support.world import World

K = 50


@pytest.fixture
def poll(world: World) -> FrozenPoll:
    return frozen(world, world.open_poll(publish_from=2))


@pytest.fixture
def keystore(world: World) -> DirectoryKeystore:
    """The shuffler's."""
    return open_keystore(world.settings, "shuffler")


def test_casting_does_not_wait_for_a_shuffle_and_the_shuffle_takes_only_what_it_saw(
    world: World, poll: FrozenPoll, keystore: DirectoryKeystore
) -> None:
    trackers = cast_together(world, poll, strangers(2 * K))
    with Session(world.engines["shuffler"]) as session, transaction(session):
        assert shuffle(session, keystore, poll.poll_id) == Batch(ballots=K, waiting=0)
        trackers += cast_together(world, poll, strangers(5))  # the batch is not committed yet
    assert waiting(world, poll) == K + 5
    check_log(world, poll, trackers)


def test_closing_does_not_wait_for_a_shuffle_either(
    world: World, poll: FrozenPoll, keystore: DirectoryKeystore
) -> None:
    trackers = cast_together(world, poll, strangers(2 * K))
    with Session(world.engines["shuffler"]) as session, transaction(session):
        shuffle(session, keystore, poll.poll_id)
        world.end_voting({"id": str(poll.poll_id)})
        with Session(world.engines["shuffler"]) as other, transaction(other):
            assert close_poll(other, poll.poll_id)
    world.run_shuffler()
    check_log(world, poll, trackers)
    assert world.rows("SELECT state FROM poll") == [("closed",)]


def test_casting_from_four_sides_while_two_shufflers_are_at_work_loses_and_doubles_nothing(
    world: World, poll: FrozenPoll, keystore: DirectoryKeystore
) -> None:
    trackers: list[str] = []
    a_batch_is_out = threading.Event()  # without it, all could be cast before a shuffler's turn
    done = threading.Event()

    def cast() -> None:
        for _ in range(6):
            trackers.extend(cast_together(world, poll, strangers(25)))
        assert a_batch_is_out.wait(PATIENCE_SECONDS)
        for _ in range(6):
            trackers.extend(cast_together(world, poll, strangers(25)))

    def work() -> None:
        while not done.is_set():
            shuffler_round(world.engines["shuffler"], keystore)
            if batches_out(world, poll):
                a_batch_is_out.set()

    casters = [threading.Thread(target=cast) for _ in range(4)]
    workers = [threading.Thread(target=work) for _ in range(2)]
    for thread in (*casters, *workers):
        thread.start()
    try:
        for thread in casters:
            thread.join()
        assert len(trackers) == 1200
        wait_until(lambda: batches_out(world, poll) > 1)
    finally:
        done.set()  # or this process would never end
    for thread in workers:
        thread.join(PATIENCE_SECONDS)
    check_log(world, poll, trackers)
    world.close({"id": str(poll.poll_id)})
    check_log(world, poll, trackers)
    assert waiting(world, poll) == 0
