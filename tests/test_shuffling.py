"""Shuffling and the accounting: all envelopes into box and log, and nothing wrong is published."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.db import transaction
from api.holders import open_keystore
from jobs import counter_round, shuffler_round
from mvote.ballotbox.poll_keys import key_name
from mvote.ballotbox.shuffling import Batch, close_poll, shuffle
from mvote.ballotbox.stock import sealing_key_name
from tests.support.ballots import frozen
from tests.support.world import World


def test_a_shuffler_without_the_link_key_changes_nothing_and_stops_no_other_poll(
    world: World,
) -> None:
    officer = world.officer()
    stuck, healthy = world.open_poll(officer), world.open_poll(officer)
    for poll in (stuck, healthy):
        world.cast(poll, world.citizen())
        world.end_voting(poll)
    shuffler = open_keystore(world.settings, "shuffler")
    name = key_name(uuid.UUID(stuck["id"]), "L")
    path = world.settings.keystore / "shuffler" / f"{name}.key"
    aside = path.rename(path.with_suffix(".aside"))  # its disk is away
    shuffler_round(world.engines["shuffler"], shuffler)
    states = dict(world.rows("SELECT id::text, state FROM poll"))
    assert (states[stuck["id"]], states[healthy["id"]]) == ("closing", "closed")
    assert world.count("quarantined_envelope") == 0
    aside.rename(path)
    shuffler_round(world.engines["shuffler"], shuffler)
    assert world.rows("SELECT state FROM poll WHERE id = %s", stuck["id"]) == [("closed",)]


def test_a_counter_that_cannot_count_one_poll_counts_the_others(world: World) -> None:
    officer = world.officer()
    stuck, healthy = world.open_poll(officer), world.open_poll(officer)
    for poll in (stuck, healthy):
        world.close(poll)
    counter = open_keystore(world.settings, "counter")
    public_key = bytes(frozen(world, stuck).sealing_key)
    counter.destroy(sealing_key_name(public_key))
    counter_round(world.engines["counter"], counter)
    states = dict(world.rows("SELECT id::text, state FROM poll"))
    assert (states[stuck["id"]], states[healthy["id"]]) == ("closed", "published")


def test_two_shufflers_at_one_poll_do_not_meet(world: World) -> None:
    poll = world.open_poll()
    world.cast(poll, world.citizen())
    world.end_voting(poll)
    shuffler = open_keystore(world.settings, "shuffler")
    poll_id = uuid.UUID(poll["id"])
    with Session(world.engines["shuffler"]) as session, transaction(session):
        close_poll(session, poll_id)
    with Session(world.engines["shuffler"]) as first, Session(world.engines["shuffler"]) as second:
        assert shuffle(first, shuffler, poll_id) == Batch(ballots=1, waiting=0)
        assert shuffle(second, shuffler, poll_id) is None
        first.commit()
    assert world.count("box") == 1


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
        shuffle(session, keystore, poll_id)
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
    assert world.rows("SELECT length(vectors) / 8 FROM record") == [(5,)]
    for view in ("published_result", "published_record"):  # not even the login that would show it
        with Session(world.engines["api"]) as session:
            assert session.execute(text(f"SELECT * FROM {view}")).all() == []  # noqa: S608
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
