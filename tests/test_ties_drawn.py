"""A tie stays a tie until two officers draw a lot that was bound before anybody voted."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.support.governing import asked, both, call, notices
from tests.support.racing import race
from tests.support.world import World
from verifier.mvote_verify import main as verify


def tied(world: World, **content: Any) -> dict[str, Any]:
    """A published poll in which each option has one ballot."""
    poll = world.open_poll(publish_from=2, **content)
    for voter, choice in zip(world.citizens(2), ("yes", "no"), strict=True):
        assert world.cast(poll, voter, [choice]).status_code == 201
    world.finish(poll)
    return poll


def result_of(world: World, poll: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    return found


def definition_of(world: World, poll: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
    return found


def test_a_tie_is_shown_and_nothing_is_drawn_by_itself(world: World) -> None:
    result = result_of(world, tied(world))
    assert (result["winners"], result["draw"]) == (["yes", "no"], None)


def test_two_officers_draw_by_the_secret_that_the_definition_bound(world: World) -> None:
    poll = tied(world)
    assert both(world, poll, "draw").status_code == 200
    result = result_of(world, poll)
    drawn, statement = result["draw"], result["statement"]
    assert result["winners"] == ["yes", "no"]  # it stays one
    secret = bytes.fromhex(drawn["secret"])
    assert hashlib.sha256(secret).hexdigest() == definition_of(world, poll)["lot"]
    content = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert drawn["public_value"] == hashlib.sha256(content.encode()).hexdigest()
    seed = hashlib.sha256(b"mvote/seed/1" + secret + drawn["public_value"].encode()).digest()
    assert drawn["seed"] == seed.hex()
    lots = {
        key: hashlib.sha256(b"mvote/lot/1" + seed + key.encode()).digest()
        for key in statement["totals"]
    }
    assert drawn["order"] == sorted(lots, key=lots.__getitem__)
    assert drawn["winner"] == drawn["order"][0]
    [notice] = notices(world, poll)
    assert (notice["kind"], notice["content"]["winner"]) == ("draw", drawn["winner"])


def test_the_draw_stands_in_the_log_and_a_stranger_repeats_it(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poll = tied(world)
    both(world, poll, "draw")
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(world.make_bundle(poll))
    assert verify([str(bundle)]) == 0
    winner = result_of(world, poll)["draw"]["winner"]
    assert f"{winner} was drawn by lot among 2 tied winners" in capsys.readouterr().out


def test_one_officer_draws_nothing(world: World) -> None:
    poll = tied(world)
    officer = world.officer()
    for _ in range(2):
        assert call(world, poll, "draw", officer).status_code == 202
    assert (result_of(world, poll)["draw"], world.count("notice")) == (None, 0)
    refused = call(world, poll, "draw", world.citizen())
    assert (refused.status_code, refused.get_json()["code"]) == (403, "not-allowed")


def test_a_lot_is_drawn_once(world: World) -> None:
    poll = tied(world)
    both(world, poll, "draw")
    again = call(world, poll, "draw", world.officer())
    assert (again.status_code, again.get_json()["code"]) == (409, "no-tie")
    assert world.count("notice") == 1


def test_no_lot_is_drawn_where_one_option_won(world: World) -> None:
    poll = world.open_poll(publish_from=2)
    for voter in world.citizens(2):
        world.cast(poll, voter, ["yes"])
    early = call(world, poll, "draw", world.officer())
    assert (early.status_code, early.get_json()["code"]) == (409, "results-not-available")
    world.finish(poll)
    refused = call(world, poll, "draw", world.officer())
    assert (refused.status_code, refused.get_json()["code"]) == (409, "no-tie")
    assert refused.get_json()["winners"] == ["yes"]
    assert world.count("approval") == world.count("notice") == 0


def test_officers_who_draw_at_once_draw_one_lot(world: World) -> None:
    poll = tied(world)
    deed = asked(world, poll, "draw")
    results = race(world.engines["api"], 4, deed)
    assert results.count(True) == 1
    assert world.count("notice") == 1


@pytest.mark.parametrize("statement", ["SELECT secret FROM poll_lot", "DELETE FROM poll_lot"])
def test_no_login_sees_or_changes_the_secret(world: World, statement: str) -> None:
    poll = world.open_poll()
    assert definition_of(world, poll)["lot"]
    for role in ("api", "shuffler", "counter", "auditor"):
        with Session(world.engines[role]) as session, pytest.raises(DBAPIError, match="denied"):
            session.execute(text(statement))


def test_a_frozen_poll_gets_no_other_lot(world: World) -> None:
    poll = world.open_poll()
    with Session(world.engines["api"]) as session, pytest.raises(DBAPIError, match="before it is"):
        session.execute(text("SELECT commit_lot(:id)"), {"id": poll["id"]})
    with psycopg.connect(world.admin_url) as connection, pytest.raises(psycopg.Error):
        connection.execute("UPDATE poll_lot SET secret = sha256(secret)")


def test_the_database_draws_no_lot_without_a_second_officer_or_a_tie(world: World) -> None:
    poll = tied(world)
    bound = {"id": poll["id"], "by": world.officer().id}
    with Session(world.engines["api"]) as session, pytest.raises(DBAPIError):
        session.execute(text("SELECT draw_tie(:id, NULL, :by)"), bound)
    assert world.count("notice") == 0
