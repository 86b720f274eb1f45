"""Acts in the log: each notice once, in its order, and the statement when it is published."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mvote.ballotbox.acts import log_notices, polls_with_unlogged_acts
from tests.support.ballots import cast_together, frozen, strangers
from tests.support.governing import both, spoil
from tests.support.world import World


def kinds(world: World, poll: dict[str, Any]) -> list[int]:
    rows = world.rows("SELECT kind FROM log_entry WHERE poll_id = %s ORDER BY idx", poll["id"])
    return [kind for (kind,) in rows]


def test_notices_are_logged_once_in_their_order_while_the_poll_runs(world: World) -> None:
    poll = world.open_poll()
    for said in ("하나", "둘"):
        both(world, poll, "notices", text=said)
    for _ in range(2):
        world.run_shuffler()
    logged = world.rows("SELECT data FROM log_entry WHERE kind = 3 ORDER BY idx")
    contents = world.rows("SELECT content FROM notice ORDER BY n")
    assert [hashlib.sha256(content).digest() for (content,) in contents] == [
        bytes(data) for (data,) in logged
    ]
    assert kinds(world, poll) == [0, 3, 3]


def test_the_log_takes_no_notice_that_was_not_published(world: World) -> None:
    poll = world.open_poll()
    both(world, poll, "notices", text="하나")
    world.run_shuffler()
    invented = text("INSERT INTO log_entry SELECT id, 2, 3, sha256('invented') FROM poll")
    with (
        Session(world.engines["shuffler"]) as session,
        pytest.raises(IntegrityError, match="notices that were published"),
    ):
        session.execute(invented)
    assert kinds(world, poll) == [0, 3]


def test_the_statement_is_logged_once_when_the_count_is_published(world: World) -> None:
    poll = world.open_poll(publish_from=2)
    cast_together(world, frozen(world, poll), strangers(3))
    world.finish(poll)
    for _ in range(2):
        world.run_shuffler()
    assert kinds(world, poll) == [0, 1, 1, 1, 4]
    [(statement, data)] = world.rows(
        "SELECT statement, data FROM result JOIN log_entry USING (poll_id) WHERE kind = 4"
    )
    assert hashlib.sha256(statement).digest() == bytes(data)


def test_the_hash_of_a_statement_that_is_not_published_is_not_told(world: World) -> None:
    """Of three ballots the held-back totals would soon be guessed from it."""
    poll = world.open_poll(publish_from=2)
    cast_together(world, frozen(world, poll), strangers(3))
    spoil(world, "DELETE FROM envelope WHERE id = (SELECT min(id::text)::uuid FROM envelope)")
    world.finish(poll)
    world.run_shuffler()
    assert world.rows("SELECT state FROM poll") == [("counted",)]
    assert kinds(world, poll) == [0, 1, 1]
    with Session(world.engines["shuffler"]) as session:
        told = session.execute(text("SELECT statement_hash(id) FROM poll")).scalar_one()
    assert told is None
    assert both(world, poll, "publish").status_code == 200
    world.run_shuffler()
    assert kinds(world, poll) == [0, 1, 1, 3, 4]


def test_who_writes_acts_down_does_not_wait_for_a_shuffle_that_is_under_way(world: World) -> None:
    poll = world.open_poll()
    both(world, poll, "notices", text="정정")
    poll_id = uuid.UUID(poll["id"])
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 2))")
    with Session(world.engines["shuffler"]) as first, Session(world.engines["shuffler"]) as second:
        first.execute(lock, {"id": poll["id"]})
        assert polls_with_unlogged_acts(second) == [poll_id]
        assert log_notices(second, poll_id) is None
    assert kinds(world, poll) == []
