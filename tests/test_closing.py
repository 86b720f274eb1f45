"""Closing: nothing late gets in, nothing acknowledged is lost, and a dead worker delays nothing."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from api.holders import open_keystore
from mvote.ballotbox.shuffling import close_poll, shuffle_last
from mvote.ballotbox.slot import SlotRow
from tests.support.ballots import ballot, cast_alone, frozen, rows_for
from tests.support.waiting import wait_until
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
    """Writers cast while the poll closes."""
    _reopen(world, poll_id)
    acknowledged: list[bytes] = []
    begun = threading.Barrier(WRITERS + 1)
    state_was_closing = threading.Event()
    late: list[bytes] = []

    def write(mine: list[SlotRow]) -> None:
        begun.wait(10)
        for row in mine:
            after_closing = state_was_closing.is_set()
            if cast_alone(world.engines["api"], poll_id, row) == "recorded":
                acknowledged.append(row.tags.voter_tag)
                if after_closing:
                    late.append(row.tags.voter_tag)

    parts = [rows[start::WRITERS] for start in range(WRITERS)]
    threads = [threading.Thread(target=write, args=[part]) for part in parts]
    for thread in threads:
        thread.start()
    begun.wait(10)
    wait_until(lambda: len(acknowledged) >= WRITERS)
    _end_now(world, poll_id)
    with Session(world.engines["shuffler"]) as session, transaction(session):
        assert close_poll(session, poll_id)
    state_was_closing.set()
    for thread in threads:
        thread.join(20)
    stored = {bytes(tag) for (tag,) in world.rows("SELECT voter_tag FROM participation")}
    assert stored == set(acknowledged)
    assert world.count("envelope") == len(acknowledged)
    assert not late


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


def test_after_the_final_shuffle_box_and_log_agree_and_no_envelope_is_left(world: World) -> None:
    poll = world.open_poll()
    trackers = sorted(world.cast(poll, voter).get_json()["tracker"] for voter in world.citizens(9))
    world.close(poll)
    assert world.count("envelope") == 0
    logged = world.rows("SELECT idx, kind, data FROM log_entry ORDER BY idx")
    assert [idx for idx, _, _ in logged] == list(range(10))
    assert logged[0][1:] == (0, bytes.fromhex(poll["definition_hash"]))
    assert [bytes(data[:16]).hex() for _, kind, data in logged if kind == 1] == trackers
    assert [idx for (idx,) in world.rows("SELECT idx FROM box ORDER BY idx")] == list(range(1, 10))


def test_the_commitment_in_the_log_is_the_one_in_the_receipt(world: World) -> None:
    poll, voter = world.open_poll(), world.citizen()
    receipt = world.cast(poll, voter).get_json()
    world.close(poll)
    [(data,)] = world.rows("SELECT data FROM log_entry WHERE kind = 1")
    assert bytes(data).hex() == receipt["tracker"] + receipt["envelope_hash"]


def test_a_shuffle_that_is_killed_half_way_leaves_everything_and_the_next_one_completes(
    world: World,
) -> None:
    poll = world.open_poll()
    for voter in world.citizens(5):
        world.cast(poll, voter)
    world.end_voting(poll)
    poll_id = uuid.UUID(poll["id"])
    keystore = open_keystore(world.settings, "shuffler")
    with Session(world.engines["shuffler"]) as session, transaction(session):
        close_poll(session, poll_id)
    with Session(world.engines["shuffler"]) as session:
        shuffle_last(session, keystore, poll_id)
        session.rollback()
    assert (world.count("envelope"), world.count("box"), world.count("log_entry")) == (5, 0, 0)
    world.run_shuffler()
    assert (world.count("envelope"), world.count("box"), world.count("log_entry")) == (0, 5, 6)


def test_an_envelope_that_does_not_open_is_quarantined_and_blocks_publication(
    world: World,
) -> None:
    poll = world.open_poll()
    for voter in world.citizens(6):
        world.cast(poll, voter)
    _tamper(
        world, 'UPDATE envelope SET "outer" = set_byte("outer", 40, get_byte("outer", 40) # 1)', 1
    )
    world.finish(poll)
    answer = world.client.get(f"/v1/polls/{poll['id']}/results")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "results-not-available")
    figures: dict[str, Any] = answer.get_json()["accounting"]
    assert (figures["participations"], figures["records"], figures["quarantined"]) == (6, 5, 1)
    assert figures["accounting_holds"] is False
    assert world.client.get(f"/v1/polls/{poll['id']}").get_json()["status"] == "counted"


LOST_ENVELOPE = "DELETE FROM envelope WHERE id = (SELECT min(id::text)::uuid FROM envelope)"
CHANGED_BALLOT = "UPDATE box SET sealed = set_byte(sealed, 60, get_byte(sealed, 60) # 1)"
CHANGED_ENTRY = (
    "UPDATE log_entry SET data = set_byte(data, 20, get_byte(data, 20) # 1) WHERE idx > 0"
)
LOST_BALLOT = "DELETE FROM box WHERE idx = 1"
INVENTED_VOTER = (
    "INSERT INTO participation SELECT poll_id, '\\x00000000000000000000000000000000',"
    " key_tag, ballot_tag FROM participation LIMIT 1"
)


@pytest.mark.parametrize(
    ("tampering", "figure"),
    [
        (LOST_ENVELOPE, "entries"),
        (CHANGED_BALLOT, "unopenable"),
        (CHANGED_ENTRY, "unopenable"),
        (LOST_BALLOT, "unopenable"),
        (INVENTED_VOTER, "participations"),
    ],
)
def test_a_tampered_box_is_never_published(world: World, tampering: str, figure: str) -> None:
    poll = world.open_poll(publish_from=2)
    for voter in world.citizens(3):
        world.cast(poll, voter)
    if "envelope" in tampering:
        _tamper(world, tampering, 1)
        world.close(poll)
    else:
        world.close(poll)
        _tamper(world, tampering)
    world.run_counter()
    answer = world.client.get(f"/v1/polls/{poll['id']}/results")
    assert answer.status_code == 409
    figures = answer.get_json()["accounting"]
    assert figures["accounting_holds"] is False
    wrong = {"entries": 2, "participations": 4}.get(figure)
    assert figures[figure] == wrong if wrong else figures[figure] >= 1


def _tamper(world: World, statement: str, rows: int | None = None) -> None:
    """What somebody with a superuser's password could do."""
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        if rows and statement.startswith("UPDATE envelope"):
            statement += " WHERE id = (SELECT min(id::text)::uuid FROM envelope)"
        connection.execute(statement.encode())
