"""Flags tell no instant while voting runs, and nobody judges their own."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from mvote.people.anchors import become_one, hold_still
from mvote.people.citizens import Citizen
from mvote.people.granting import Post, grant
from tests.support.integrity import CIRCLE, kinds
from tests.support.world import GWANGHWAMUN, Person, World, position

pytestmark = pytest.mark.usefixtures("within_an_hour")


def flags(world: World, poll: dict[str, Any], who: Person) -> TestResponse:
    return world.client.get(f"/v1/polls/{poll['id']}/flags", headers=who.headers)


def flagged(world: World, poll: dict[str, Any], voter: Person) -> None:
    """Let *voter* vote with a position that says itself that it is made up."""
    here = position(**GWANGHWAMUN)
    assert world.cast(poll, voter, position=here, integrity={"mock": True}).status_code == 201
    assert kinds(world)


def seen(world: World, poll: dict[str, Any], who: Person) -> tuple[int, int]:
    """How many flags are counted, and listed."""
    answer = flags(world, poll, who).get_json()
    return sum(answer["by_kind"].values()), len(answer["items"])


def test_while_voting_runs_flags_of_past_days_are_shown_and_then_all(world: World) -> None:
    officer = world.officer()
    poll = world.open_poll(officer, presence=CIRCLE)
    for voter in world.citizens(2):
        flagged(world, poll, voter)
    assert seen(world, poll, officer) == (0, 0)
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("UPDATE flag SET day = day - 1 WHERE id = (SELECT id FROM flag LIMIT 1)")
    assert seen(world, poll, officer) == (1, 1)
    world.end_voting(poll)
    assert seen(world, poll, officer) == (2, 2)


def test_a_flag_has_the_day_that_it_is_in_the_city(world: World) -> None:
    poll = world.open_poll(presence=CIRCLE)
    flagged(world, poll, world.citizen())
    zone = world.settings.city_time_zone
    assert world.rows("SELECT day = (now() AT TIME ZONE %s)::date FROM flag", zone) == [(True,)]


def test_an_author_sees_no_flags_by_another_account_of_theirs(world: World) -> None:
    author, again = world.citizen(), world.officer()
    poll = world.open_poll(author, presence=CIRCLE)
    assert flags(world, poll, again).status_code == 200
    with Session(world.engines["api"]) as session, transaction(session):
        hold_still(session)
        become_one(session, session.get_one(Citizen, author.id), session.get_one(Citizen, again.id))
    refused = flags(world, poll, again)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "not-allowed")


def test_nobody_says_what_they_found_of_a_flag_of_their_own(world: World) -> None:
    officer, other = world.officer(), world.citizen()
    poll = world.open_poll(officer, presence=CIRCLE)
    [(department,)] = world.rows("SELECT department_id FROM poll")
    with Session(world.engines["api"]) as session, transaction(session):
        grant(session, citizen_id=other.id, post=Post("officer", department))
    flagged(world, poll, officer)
    world.end_voting(poll)
    [flag] = flags(world, poll, officer).get_json()["items"]
    url = f"/v1/polls/{poll['id']}/flags/{flag['id']}/finding"
    refused = world.client.put(url, json={"finding": "harmless"}, headers=officer.headers)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "not-allowed")
    assert world.rows("SELECT count(*) FROM flag WHERE finding IS NOT NULL") == [(0,)]
    assert world.rows("SELECT count(*) FROM journal WHERE kind = 'flag:looked-at'") == [(0,)]
    assert uuid.UUID(flag["id"])
    found = world.client.put(url, json={"finding": "harmless"}, headers=other.headers)
    assert found.status_code == 200
