"""What is noted of a position depends on what came of it: nobody is flagged who did nothing new."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from mvote.base import utc_now
from mvote.polls.integrity.checking import NOTHING_SAID
from mvote.polls.presence import Position
from tests.support.integrity import CIRCLE, code_at, kinds, see, site_of
from tests.support.world import GWANGHWAMUN, World, new_key, position

pytestmark = pytest.mark.usefixtures("within_an_hour")

HERE = GWANGHWAMUN
SEOUL, BUSAN = (37.57, 126.98), (35.18, 129.08)


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    return world.open_poll(presence=CIRCLE)


def test_whoever_only_asks_for_their_receipt_again_is_not_flagged(
    world: World, poll: dict[str, Any]
) -> None:
    voter, key = world.citizen(), new_key()
    first = world.cast(poll, voter, key=key, position=position(**HERE))
    late = position(**HERE, age_s=75)
    again = world.cast(poll, voter, key=key, position=late, integrity={"mock": True})
    assert (again.status_code, again.get_data()) == (201, first.get_data())
    twice = world.cast(poll, voter, position=late, integrity={"mock": True})
    assert (twice.status_code, twice.get_json()["code"]) == (409, "already-voted")
    assert kinds(world) == []
    assert world.count("place_seen") == 1


def test_nothing_is_noted_where_nobody_may_vote_or_not_this_one(
    world: World, poll: dict[str, Any]
) -> None:
    officer, voter = world.officer(), world.citizen()
    closed = world.open_poll(officer, presence={"rule": "site"})
    code = code_at(world, site_of(world, officer), closed, officer)
    roll = world.open_poll(presence=CIRCLE, eligibility={"min_age": 90})
    body: dict[str, Any] = {"position": position(**HERE, age_s=75), "integrity": {"mock": True}}
    assert world.cast(roll, voter, **body).get_json()["code"] == "not-eligible"
    for ended in (poll, closed):
        world.end_voting(ended)
    assert world.cast(poll, voter, **body).get_json()["code"] == "poll-not-open"
    scanned = world.client.post(f"/v1/codes/{code}/scans", json=body, headers=voter.headers)
    assert scanned.status_code >= 400
    assert kinds(world) == []
    assert world.count("place_seen") == 0


def test_of_one_voter_twenty_places_are_remembered_and_a_crowd_is_noticed_all_the_same(
    world: World, poll: dict[str, Any]
) -> None:
    watch, now = world.wiring.watch, utc_now()
    for other in (b"b", b"c"):
        see(watch, poll, other * 32, SEOUL, now)
    for batch in range(3):
        for n in range(10):
            see(watch, poll, b"a" * 32, (SEOUL[0], SEOUL[1] + 1e-6 * (10 * batch + n + 1)), now)
        assert kinds(world) == []
    assert world.count("place_seen") == 2 + 20
    see(watch, poll, b"a" * 32, SEOUL, now)
    assert kinds(world) == [("repeated-coordinates", 1)]
    assert world.count("place_seen") == 2 + 20


def test_an_old_position_is_no_end_of_a_fast_way(world: World, poll: dict[str, Any]) -> None:
    watch, anchor = world.wiring.watch, b"a" * 32
    now = utc_now().replace(second=59)
    see(watch, poll, anchor, SEOUL, now)
    old = Position(
        lat=BUSAN[0], lon=BUSAN[1], accuracy_m=9, captured_at=now - dt.timedelta(hours=3)
    )
    watch.see(uuid.UUID(poll["id"]), anchor, old, said=NOTHING_SAID, now=now)
    assert kinds(world) == [("stale", 1)]
    [sealed] = world.rows("SELECT count(*) FROM last_fix")
    assert sealed == (1,)
