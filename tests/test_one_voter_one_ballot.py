"""One voter, one ballot: whatever arrives at once, again, or late."""

from __future__ import annotations

import threading
import uuid

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox.slot import SlotRow, cast_ballots
from tests.support.ballots import (
    SingleSlot,
    at_once,
    ballot,
    cast_alone,
    frozen,
    outcome_of,
    rows_for,
    with_slot,
)
from tests.support.waiting import PATIENCE_SECONDS, wait_until_blocked
from tests.support.world import World, new_key

ROUNDS = 20
CASTS = 500


def test_of_500_parallel_casts_by_one_voter_exactly_one_is_recorded_in_each_of_20_rounds(
    world: World,
) -> None:
    poll = frozen(world, world.open_poll())
    slot = with_slot(world.wiring.box, SingleSlot(world.engines["api"]))
    for voter in world.citizens(ROUNDS):
        papers = [ballot(world, poll, voter) for _ in range(CASTS)]
        outcomes = at_once(lambda paper: outcome_of(slot, poll, paper), papers)
        refused = [outcome for outcome in outcomes if outcome == "already-voted"]
        assert len(refused) == CASTS - 1
    assert world.count("participation") == world.count("envelope") == ROUNDS


def test_of_500_parallel_casts_through_the_gathering_writer_exactly_one_is_recorded(
    world: World,
) -> None:
    poll = frozen(world, world.open_poll())
    for voter in world.citizens(ROUNDS):
        papers = [ballot(world, poll, voter) for _ in range(CASTS)]
        outcomes = at_once(lambda p: outcome_of(world.wiring.box, poll, p), papers, threads=50)
        assert sum(outcome != "already-voted" for outcome in outcomes) == 1
    assert world.count("participation") == world.count("envelope") == ROUNDS


def test_of_500_casts_by_one_voter_inside_one_batch_exactly_one_is_recorded(world: World) -> None:
    poll = frozen(world, world.open_poll())
    voter = world.citizen()
    rows = rows_for(world, poll, [ballot(world, poll, voter) for _ in range(CASTS)])
    with Session(world.engines["api"]) as session, transaction(session):
        outcomes = cast_ballots(session, poll.poll_id, rows)
    assert sorted(set(outcomes)) == ["already-voted", "recorded"]
    assert outcomes.count("recorded") == 1
    assert world.count("participation") == world.count("envelope") == 1


def test_checking_before_inserting_without_a_key_would_let_two_ballots_through(
    world: World, owner: Session
) -> None:
    """The sabotaged twin: what the primary key decides is lost when a program decides it."""
    owner.execute(text("CREATE TABLE twin (voter_tag bytea)"))
    owner.commit()
    checked = threading.Barrier(2)

    def check_then_insert(number: int) -> bool:
        with Session(world.engines["owner"]) as session, transaction(session):
            known = session.execute(text("SELECT 1 FROM twin WHERE voter_tag = 'x'")).first()
            checked.wait(PATIENCE_SECONDS)
            if known is None:
                session.execute(text("INSERT INTO twin VALUES ('x')"))
            return known is None

    try:
        assert at_once(check_then_insert, [1, 2], threads=2) == [True, True]
        assert world.count("twin") == 2
    finally:
        owner.execute(text("DROP TABLE twin"))
        owner.commit()


def test_600_retries_with_one_key_give_600_identical_receipts_and_one_ballot(
    world: World,
) -> None:
    poll = frozen(world, world.open_poll())
    voter, key = world.citizen(), new_key()
    papers = [ballot(world, poll, voter, key=key) for _ in range(600)]
    receipts = at_once(lambda paper: outcome_of(world.wiring.box, poll, paper), papers)
    assert len(set(receipts)) == 1
    assert world.count("participation") == world.count("envelope") == 1


def test_a_retry_after_closing_gets_the_same_receipt_while_the_request_key_lives(
    world: World,
) -> None:
    poll, voter, key = world.open_poll(), world.citizen(), new_key()
    first = world.cast(poll, voter, key=key)
    world.finish(poll)
    again = world.cast(poll, voter, key=key)
    assert again.status_code == 201
    assert again.get_data() == first.get_data()


def test_once_the_request_key_is_destroyed_every_cast_is_answered_with_poll_not_open(
    world: World,
) -> None:
    poll, voter, key = world.open_poll(), world.citizen(), new_key()
    world.cast(poll, voter, key=key)
    world.finish(poll)
    name = f"poll/{poll['id'].replace('-', '')}/R"
    assert world.wiring.keystore.destroy(name)
    world.wiring.box.keys.forget(frozen(world, poll).poll_id)
    late = world.cast(poll, voter, key=key)
    assert (late.status_code, late.get_json()["code"]) == (409, "poll-not-open")


def test_two_voters_with_the_same_key_are_both_counted(world: World) -> None:
    poll, key = world.open_poll(publish_from=2), new_key()
    receipts = [world.cast(poll, voter, key=key).get_json() for voter in world.citizens(2)]
    assert receipts[0]["tracker"] != receipts[1]["tracker"]
    world.finish(poll)
    result = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    assert result["turnout"]["ballots"] == 2


def test_the_same_key_with_another_ballot_is_refused_and_the_first_one_stays(
    world: World,
) -> None:
    poll, voter, key = world.open_poll(), world.citizen(), new_key()
    assert world.cast(poll, voter, ["yes"], key=key).status_code == 201
    second = world.cast(poll, voter, ["no"], key=key)
    assert (second.status_code, second.get_json()["code"]) == (422, "idempotency-key-reused")
    assert world.count("envelope") == 1


def test_a_second_ballot_with_another_key_is_refused_as_already_voted(world: World) -> None:
    poll, voter = world.open_poll(), world.citizen()
    world.cast(poll, voter)
    second = world.cast(poll, voter, ["no"])
    assert (second.status_code, second.get_json()["code"]) == (409, "already-voted")
    assert world.count("envelope") == 1


@pytest.mark.parametrize(
    ("admitted", "expected"),
    [((False, True), ["already-voted", "recorded"]), ((False, False), ["refused", "refused"])],
)
def test_in_a_batch_an_admitted_row_stands_for_the_voter_before_one_that_is_not(
    world: World, admitted: tuple[bool, bool], expected: list[str]
) -> None:
    poll = frozen(world, world.open_poll())
    voter = world.citizen()
    rows = rows_for(world, poll, [ballot(world, poll, voter) for _ in range(2)])
    marked = [
        SlotRow(tags=r.tags, admitted=a, envelope_id=r.envelope_id, outer=r.outer)
        for r, a in zip(rows, admitted, strict=True)
    ]
    with Session(world.engines["api"]) as session, transaction(session):
        assert cast_ballots(session, poll.poll_id, marked) == expected
    assert world.count("envelope") == expected.count("recorded")


def test_batches_of_the_same_voters_in_opposite_order_do_not_wait_for_each_other(
    world: World,
) -> None:
    poll = frozen(world, world.open_poll())
    voters = world.citizens(200)
    rows = rows_for(world, poll, [ballot(world, poll, voter) for voter in voters])
    again = rows_for(world, poll, [ballot(world, poll, voter) for voter in voters])

    def write(batch: list[SlotRow]) -> list[str]:
        with Session(world.engines["api"]) as session, transaction(session):
            return list(cast_ballots(session, poll.poll_id, batch))

    parts = [rows, again[::-1], rows[::-1], again]
    outcomes = [outcome for part in at_once(write, parts, threads=4) for outcome in part]
    assert outcomes.count("recorded") == world.count("envelope") == len(voters)


def test_the_slot_refuses_to_work_under_any_isolation_but_read_committed(world: World) -> None:
    poll = frozen(world, world.open_poll())
    [row] = rows_for(world, poll, [ballot(world, poll, world.citizen())])
    engine = world.engines["api"].execution_options(isolation_level="REPEATABLE READ")
    with pytest.raises(Exception, match="READ COMMITTED only"):
        cast_alone(engine, poll.poll_id, row)
    assert world.count("participation") == 0


def test_a_cast_that_waits_while_the_poll_closes_is_refused(world: World) -> None:
    poll = frozen(world, world.open_poll())
    for voter in world.citizens(10):
        [row] = rows_for(world, poll, [ballot(world, poll, voter)])
        assert _cast_that_waits_for_the_close(world, poll.poll_id, row) == "not-open"
    assert world.count("participation") == world.count("envelope") == 0


def _cast_that_waits_for_the_close(world: World, poll_id: uuid.UUID, row: SlotRow) -> str:
    outcome: list[str] = []
    with psycopg.connect(world.admin_url) as closer:
        closer.execute("SET session_replication_role = replica")
        closer.execute("UPDATE poll SET state = 'open', closed_at = NULL")
        closer.commit()
        closer.execute("SELECT pg_advisory_xact_lock(poll_lock(%s))", [poll_id])
        closer.execute("UPDATE poll SET state = 'closing', closed_at = clock_timestamp()")
        waiter = threading.Thread(
            target=lambda: outcome.append(cast_alone(world.engines["api"], poll_id, row))
        )
        waiter.start()
        wait_until_blocked(world.admin_url, "cast_ballots")
        closer.commit()
        waiter.join(PATIENCE_SECONDS)
    return outcome[0]


def test_lock_and_check_in_one_statement_would_accept_a_cast_after_the_close(
    world: World, owner: Session
) -> None:
    """The sabotaged twin: one statement's snapshot is older than the lock it waits for."""
    poll = frozen(world, world.open_poll())
    seen: list[str] = []
    twin = text("SELECT state FROM poll, pg_advisory_xact_lock_shared(poll_lock(id)) WHERE id = :p")

    def check_in_one_statement() -> None:
        with Session(world.engines["owner"]) as session:
            seen.append(session.execute(twin, {"p": poll.poll_id}).scalar_one())

    with psycopg.connect(world.admin_url) as closer:
        closer.execute("SET session_replication_role = replica")
        closer.execute("SELECT pg_advisory_xact_lock(poll_lock(%s))", [poll.poll_id])
        closer.execute("UPDATE poll SET state = 'closing', closed_at = clock_timestamp()")
        waiter = threading.Thread(target=check_in_one_statement)
        waiter.start()
        wait_until_blocked(world.admin_url, "pg_advisory_xact_lock_shared")
        closer.commit()
        waiter.join(PATIENCE_SECONDS)
    assert seen == ["open"]
