"""Extending: the end moves later, only while voting lasts, and all that follows from it moves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest
from psycopg.errors import RestrictViolation
from werkzeug.test import TestResponse

from mvote.base import instant, utc_now
from tests.support.waiting import wait_until
from tests.support.world import CITY_HALL, Person, World

CIRCLE = {"rule": "area", "area": {"center": CITY_HALL, "radius_m": 900}}


def ahead(**time: float) -> str:
    return instant(utc_now() + dt.timedelta(**time))


def extend(world: World, poll: dict[str, Any], by: Person, closes_at: str) -> TestResponse:
    path = f"/v1/polls/{poll['id']}/extend"
    return world.client.post(path, json={"closes_at": closes_at}, headers=by.headers)


def both(world: World, poll: dict[str, Any], closes_at: str) -> TestResponse:
    assert extend(world, poll, world.officer(), closes_at).status_code == 202
    return extend(world, poll, world.officer(), closes_at)


def shown(world: World, poll: dict[str, Any]) -> dict[str, Any]:
    return dict(world.client.get(f"/v1/polls/{poll['id']}").get_json())


def test_the_poll_shows_the_new_end_and_the_definition_keeps_the_old(world: World) -> None:
    poll, new_end = world.open_poll(), ahead(hours=5)
    tag = world.client.get(f"/v1/polls/{poll['id']}").headers["ETag"]
    done = both(world, poll, new_end)
    assert (done.status_code, done.get_json()["closes_at"]) == (200, new_end)
    frozen = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
    assert frozen["closes_at"] == poll["closes_at"]
    fresh = world.client.get(f"/v1/polls/{poll['id']}", headers={"If-None-Match": tag})
    assert (fresh.status_code, fresh.get_json()["closes_at"]) == (200, new_end)


def test_the_notice_says_both_ends(world: World) -> None:
    poll, new_end = world.open_poll(), ahead(hours=5)
    both(world, poll, new_end)
    [notice] = world.client.get(f"/v1/polls/{poll['id']}/notices").get_json()["items"]
    said = notice["content"]
    assert notice["kind"] == "extension"
    for name, end in (("closes_at", new_end), ("closes_at_before", poll["closes_at"])):
        assert dt.datetime.fromisoformat(said[name]) == dt.datetime.fromisoformat(end)


def test_the_same_instant_in_another_time_zone_is_the_same_request(world: World) -> None:
    poll, new_end = world.open_poll(), utc_now() + dt.timedelta(hours=5)
    seoul = new_end.astimezone(dt.timezone(dt.timedelta(hours=9))).isoformat()
    assert extend(world, poll, world.officer(), seoul).status_code == 202
    assert extend(world, poll, world.officer(), instant(new_end)).status_code == 200


def test_another_end_is_another_request(world: World) -> None:
    poll = world.open_poll()
    assert extend(world, poll, world.officer(), ahead(hours=5)).status_code == 202
    assert extend(world, poll, world.officer(), ahead(hours=6)).status_code == 202
    assert shown(world, poll)["closes_at"] == poll["closes_at"]


@pytest.mark.parametrize("end", [{"minutes": 59}, {"hours": -1}, {"days": 367}])
def test_an_end_that_is_no_extension_or_too_late_is_refused_by_its_place(
    world: World, end: dict[str, float]
) -> None:
    poll = world.open_poll()
    refused = extend(world, poll, world.officer(), ahead(**end))
    assert (refused.status_code, refused.get_json()["code"]) == (422, "invalid-request")
    assert [fault["pointer"] for fault in refused.get_json()["errors"]] == ["/closes_at"]
    assert (world.count("approval"), world.count("notice")) == (0, 0)


def test_a_poll_whose_time_is_over_is_not_extended_even_before_a_worker_closes_it(
    world: World,
) -> None:
    poll, new_end = world.open_poll(), ahead(hours=5)
    extend(world, poll, world.officer(), new_end)
    world.end_voting(poll)
    refused = extend(world, poll, world.officer(), new_end)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "impossible-transition")
    assert refused.get_json()["state"] == "closing"
    assert world.count("notice") == 0
    world.run_shuffler()
    assert shown(world, poll)["status"] == "closed"


def test_casting_listing_and_eligibility_follow_the_new_end(world: World) -> None:
    """The old end passes; the poll takes ballots, is listed as open, and no worker closes it."""
    poll = world.open_poll(closes_at=ahead(seconds=1.5))
    voter = world.citizen()
    world.client.post(f"/v1/polls/{poll['id']}/eligibility", json={}, headers=voter.headers)
    both(world, poll, ahead(hours=1))
    wait_until(lambda: ahead() > poll["closes_at"])
    asked = world.client.post(f"/v1/polls/{poll['id']}/eligibility", json={}, headers=voter.headers)
    assert asked.get_json()["may_vote"]
    assert world.cast(poll, voter).status_code == 201
    world.run_shuffler()
    open_now = world.client.get("/v1/polls?status=open").get_json()["items"]
    assert [each["id"] for each in open_now] == [poll["id"]]
    available = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()["available_at"]
    assert available == shown(world, poll)["closes_at"]


def test_an_extended_poll_is_found_nearby_until_the_new_end(world: World) -> None:
    poll, new_end = world.open_poll(presence=CIRCLE), ahead(hours=5)
    both(world, poll, new_end)
    [(live, until)] = world.rows("SELECT live, live_until FROM poll_place")
    assert (live, instant(until)) == (True, new_end)


def test_who_gave_up_an_account_is_remembered_until_the_new_end(world: World) -> None:
    """Else they could come back and vote a second time in what was extended."""
    poll, voter = world.open_poll(), world.citizen()
    world.cast(poll, voter)
    world.client.delete("/v1/me", headers=voter.headers)
    new_end = utc_now() + dt.timedelta(hours=5)
    both(world, poll, instant(new_end))
    assert world.rows("SELECT until FROM tombstone") == [(new_end,)]


@pytest.mark.parametrize(
    "change",
    [
        "closes_at = closes_at - interval '1 minute'",
        "closes_at = closes_at + interval '400 days'",
        "closes_at = closes_at + interval '1 day', opens_at = opens_at - interval '1 day'",
        "closes_at = closes_at + interval '1 day', state = 'closing', closed_at = now()",
    ],
)
def test_the_database_moves_no_end_but_as_an_extension_does(world: World, change: str) -> None:
    world.open_poll()
    before = world.rows("SELECT * FROM poll")
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET ROLE mvote_owner")
        with pytest.raises(RestrictViolation, match=r"only later|does not change"):
            connection.execute(f"UPDATE poll SET {change}".encode())  # noqa: S608
    assert world.rows("SELECT * FROM poll") == before


def test_the_web_login_moves_no_end_at_all(world: World) -> None:
    world.open_poll()
    before = world.rows("SELECT * FROM poll")
    with (
        psycopg.connect(world.settings.api_url.replace("+psycopg", "")) as connection,
        pytest.raises(RestrictViolation, match="does not change"),
    ):
        connection.execute("UPDATE poll SET closes_at = closes_at + interval '1 day'")
    assert world.rows("SELECT * FROM poll") == before


def test_a_poll_that_has_ended_moves_its_end_no_more_even_for_the_owner(world: World) -> None:
    poll = world.open_poll()
    world.end_voting(poll)
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET ROLE mvote_owner")
        with pytest.raises(RestrictViolation, match="only while voting has not ended"):
            connection.execute("UPDATE poll SET closes_at = closes_at + interval '1 day'")


def test_a_scheduled_poll_is_extended_as_well(world: World) -> None:
    poll = world.open_poll(opens_at=ahead(minutes=30))
    assert both(world, poll, ahead(hours=5)).get_json()["status"] == "scheduled"


def test_what_was_left_behind_counts_longer_unless_it_counts_no_more(world: World) -> None:
    poll, new_end = world.open_poll(), utc_now() + dt.timedelta(hours=5)
    ended = utc_now() - dt.timedelta(days=1)
    ends = {b"e" * 32: ended, b"l" * 32: dt.datetime.fromisoformat(poll["closes_at"])}
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        for bearer, until in ends.items():
            connection.execute(
                "INSERT INTO tombstone (bearer_hash, since, anchor, until) VALUES (%s, %s, %s, %s)",
                [bearer, ended, b"a" * 32, until],
            )
        assert both(world, poll, instant(new_end)).status_code == 200
        found = connection.execute("SELECT bearer_hash, until FROM tombstone").fetchall()
    assert dict(found) == {b"e" * 32: ended, b"l" * 32: new_end}
