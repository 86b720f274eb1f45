"""Closing: nothing late gets in, nothing acknowledged is lost, and a dead worker delays nothing."""

from __future__ import annotations

import threading
import uuid

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox.shuffling import close_poll
from mvote.ballotbox.slot import SlotRow
from tests.support.ballots import ballot, cast_alone, frozen, rows_for
from tests.support.waiting import PATIENCE_SECONDS, is_blocked, wait_until, wait_until_blocked
from tests.support.world import World

WRITERS = 16
ROUNDS = 50
ROWS_EACH = 20


def test_closing_against_16_writers_loses_no_acknowledged_ballot_and_lets_none_in_late(
    world: World,
) -> None:
    poll = frozen(world, world.open_poll())
    papers = [ballot(world, poll, voter) for voter in world.citizens(WRITERS * ROWS_EACH)]
    rows = rows_for(world, poll, papers)
    for _ in range(ROUNDS):
        _one_race(world, poll.poll_id, rows)


def _one_race(world: World, poll_id: uuid.UUID, rows: list[SlotRow]) -> None:
    """Writers cast while the poll closes; what is in the box at closing is all there will be."""
    _reopen(world, poll_id)
    acknowledged: list[bytes] = []
    begun = threading.Barrier(WRITERS + 1)

    def write(mine: list[SlotRow]) -> None:
        begun.wait(PATIENCE_SECONDS)
        acknowledged.extend(
            row.tags.voter_tag
            for row in mine
            if cast_alone(world.engines["api"], poll_id, row) == "recorded"
        )

    parts = [rows[start::WRITERS] for start in range(WRITERS)]
    threads = [threading.Thread(target=write, args=[part]) for part in parts]
    for thread in threads:
        thread.start()
    begun.wait(PATIENCE_SECONDS)
    wait_until(lambda: len(acknowledged) >= WRITERS)
    _end_now(world, poll_id)
    with Session(world.engines["shuffler"]) as session, transaction(session):
        assert close_poll(session, poll_id)
    at_closing = world.count("envelope")
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    stored = {bytes(tag) for (tag,) in world.rows("SELECT voter_tag FROM participation")}
    assert stored == set(acknowledged)
    assert at_closing == world.count("envelope") == len(acknowledged)


def _reopen(world: World, poll_id: uuid.UUID) -> None:
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM participation")
        connection.execute("DELETE FROM envelope")
        connection.execute(
            "UPDATE poll SET state = 'open', closed_at = NULL,"
            " closes_at = clock_timestamp() + interval '1 hour' WHERE id = %s",
            [poll_id],
        )


def _end_now(world: World, poll_id: uuid.UUID) -> None:
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE poll SET closes_at = clock_timestamp() WHERE id = %s", [poll_id])


def _close_while_a_cast_is_in_flight(world: World, function: str) -> tuple[bool, int, int]:
    """Whether closing waited, how many envelopes it found, how many there were in the end."""
    poll = frozen(world, world.open_poll())
    [row] = rows_for(world, poll, [ballot(world, poll, world.citizen())])
    closed = threading.Event()
    found: list[int] = []

    def close() -> None:
        with Session(world.engines["shuffler"]) as session, transaction(session):
            close_poll(session, poll.poll_id)
        found.append(world.count("envelope"))
        closed.set()

    with psycopg.connect(world.admin_url) as caster:
        arguments = [[value] for value in (row.tags.voter_tag, row.tags.key_tag,
                     row.tags.ballot_tag, True, row.envelope_id, row.outer, None)]  # fmt: skip
        call = "SELECT {}(%s, %s, %s, %s, %s::bool[], %s::uuid[], %s, %s::bytea[])"
        caster.execute(call.format(function).encode(), [poll.poll_id, *arguments])
        _end_now(world, poll.poll_id)
        closer = threading.Thread(target=close)
        closer.start()
        wait_until(lambda: closed.is_set() or is_blocked(world.admin_url, "close_poll"))
        waited = not closed.is_set()
        caster.commit()
    closer.join(PATIENCE_SECONDS)
    return waited, found[0], world.count("envelope")


def test_closing_waits_for_a_cast_in_flight_and_finds_its_ballot(world: World) -> None:
    assert _close_while_a_cast_is_in_flight(world, "cast_ballots") == (True, 1, 1)


def test_without_the_shared_lock_a_ballot_would_arrive_after_the_close(
    world: World, owner: Session
) -> None:
    """The sabotaged twin: the slot without its lock."""
    definition = owner.execute(
        text("SELECT pg_get_functiondef('cast_ballots'::regproc)")
    ).scalar_one()
    twin = definition.replace("public.cast_ballots", "public.cast_unlocked", 1).replace(
        "PERFORM pg_advisory_xact_lock_shared(poll_lock(p_poll_id));", ""
    )
    owner.connection().exec_driver_sql(twin.replace("%", "%%"))
    owner.commit()
    try:
        assert _close_while_a_cast_is_in_flight(world, "cast_unlocked") == (False, 0, 1)
    finally:
        owner.execute(text("DROP FUNCTION cast_unlocked"))
        owner.commit()


def test_a_cast_that_waits_until_the_time_is_over_is_refused(world: World) -> None:
    """The clock is read after the wait: the start of the transaction would be too early."""
    poll = frozen(world, world.open_poll())
    [row] = rows_for(world, poll, [ballot(world, poll, world.citizen())])
    outcome: list[str] = []
    with psycopg.connect(world.admin_url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(poll_lock(%s))", [poll.poll_id])
        waiter = threading.Thread(
            target=lambda: outcome.append(cast_alone(world.engines["api"], poll.poll_id, row))
        )
        waiter.start()
        wait_until_blocked(world.admin_url, "cast_ballots")
        _end_now(world, poll.poll_id)
        holder.commit()
        waiter.join(PATIENCE_SECONDS)
    assert outcome == ["not-open"]
    assert world.count("participation") == 0


def test_a_poll_cancelled_before_voting_takes_no_ballot_that_came_in_meanwhile(
    world: World,
) -> None:
    """Cancelling holds the poll's lock, so a cast waits, and then sees that it is cancelled."""
    poll = frozen(world, world.open_poll())
    [row] = rows_for(world, poll, [ballot(world, poll, world.citizen())])
    outcome: list[str] = []
    with psycopg.connect(world.admin_url) as canceller:
        canceller.execute("SET session_replication_role = replica")
        canceller.execute("UPDATE poll SET opens_at = clock_timestamp() + interval '9 minutes'")
        canceller.execute("SET session_replication_role = origin")
        canceller.commit()
        canceller.execute("UPDATE poll SET state = 'cancelled', cancelled_at = clock_timestamp()")
        waiter = threading.Thread(
            target=lambda: outcome.append(cast_alone(world.engines["api"], poll.poll_id, row))
        )
        waiter.start()
        wait_until_blocked(world.admin_url, "cast_ballots")
        canceller.commit()
        waiter.join(PATIENCE_SECONDS)
    assert outcome == ["not-open"]
    assert world.count("participation") == world.count("envelope") == 0


def test_a_poll_whose_time_is_over_takes_no_ballot_even_if_no_worker_lives(world: World) -> None:
    poll, voter = world.open_poll(), world.citizen()
    world.end_voting(poll)
    late = world.cast(poll, voter)
    assert (late.status_code, late.get_json()["code"]) == (409, "poll-not-open")
    assert world.count("participation") == world.count("envelope") == 0
    shown = world.client.get(f"/v1/polls/{poll['id']}").get_json()
    assert shown["status"] == "closing"


def test_a_poll_that_is_not_due_is_not_closed(world: World) -> None:
    poll = world.open_poll()
    with Session(world.engines["shuffler"]) as session, transaction(session):
        assert not close_poll(session, uuid.UUID(poll["id"]))
    assert world.client.get(f"/v1/polls/{poll['id']}").get_json()["status"] == "open"
