"""Moving balloting while polls are frozen: their ends follow the plan, their beginnings do not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.base import instant, utc_now
from mvote.people.citizens import Tombstone
from tests.support.balloting import Balloting, field
from tests.support.budgets import phase
from tests.support.proposals import refused
from tests.support.world import World

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def year(world: World) -> Balloting:
    """2015, of which both polls can be opened."""
    return furnished(Balloting(world, 2015))


def furnished(year: Balloting) -> Balloting:
    """The year with projects and a committee."""
    year.projects(8, heading=field)
    year.seats(year.citizens(3))
    return year


def ends(world: World, poll: dict[str, Any]) -> dt.datetime:
    answer = world.client.get(f"/v1/polls/{poll['id']}").get_json()
    return dt.datetime.fromisoformat(answer["closes_at"])


def move(world: World, year: Balloting, **dates: dt.datetime) -> Any:
    """Two officers move the phase of balloting; the answer to the first that is refused."""
    body: dict[str, Any] = {name: instant(at) for name, at in dates.items()}
    first = phase(world, year.cycle, world.officer(), kind="balloting", **body)
    if first.status_code != 202:
        return first
    return phase(world, year.cycle, world.officer(), kind="balloting", **body)


def balloting_ends(year: Balloting) -> dt.datetime:
    [found] = [each for each in year.cycle["phases"] if each["kind"] == "balloting"]
    return dt.datetime.fromisoformat(found["closes_at"])


def deciding_follows(world: World, year: Balloting, at: dt.datetime) -> None:
    """Let there be room behind balloting: two officers move deciding."""
    body = {"kind": "deciding", "opens_at": instant(at)}
    assert phase(world, year.cycle, world.officer(), **body).status_code == 202
    assert phase(world, year.cycle, world.officer(), **body).status_code == 200


def test_a_later_end_of_balloting_extends_the_polls_that_end_with_it_and_no_others(
    world: World, year: Balloting
) -> None:
    citizens, committee = year.open("citizens"), year.open("committee")
    later = balloting_ends(year) + HOUR
    own_end = ends(world, committee)
    deciding_follows(world, year, later)
    answer = move(world, year, closes_at=later)
    assert answer.status_code == 200
    assert ends(world, citizens) == later
    assert ends(world, committee) == own_end
    [notice] = world.client.get(f"/v1/polls/{citizens['id']}/notices").get_json()["items"]
    assert notice["kind"] == "extension"
    assert dt.datetime.fromisoformat(notice["content"]["closes_at"]) == later
    assert world.client.get(f"/v1/polls/{committee['id']}/notices").get_json()["items"] == []


def test_a_later_end_lets_what_was_left_behind_count_longer_unless_it_counts_no_more(
    world: World, year: Balloting
) -> None:
    poll = year.open("citizens")
    ended, later = utc_now() - 24 * HOUR, balloting_ends(year) + HOUR
    terms = {b"e" * 32: ended, b"l" * 32: ends(world, poll)}
    with Session(world.engines["owner"]) as session, transaction(session):
        for bearer, until in terms.items():
            left = {"bearer_hash": bearer, "anchor": b"a" * 32, "since": ended, "until": until}
            session.add(Tombstone(**left))
    deciding_follows(world, year, later)
    assert move(world, year, closes_at=later).status_code == 200
    found = world.rows("SELECT bearer_hash, until FROM tombstone")
    assert dict(found) == {b"e" * 32: ended, b"l" * 32: later}


def test_an_earlier_end_contradicts_a_frozen_poll_and_nothing_moves(
    world: World, year: Balloting
) -> None:
    poll = year.open("citizens")
    before, asked = ends(world, poll), world.count("approval")
    answer = move(world, year, closes_at=before - 12 * HOUR)
    assert answer.status_code == 422
    assert world.count("approval") == asked
    assert ends(world, poll) == before


def test_the_database_itself_lets_no_frozen_poll_end_earlier(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past what Python checks: the function moves all, or nothing."""
    year = Balloting(world, 2015)
    year.definition["contests"][0]["sources"][1].pop("opens_at")
    year.definition["contests"][0]["sources"][1].pop("closes_at")
    furnished(year)
    poll = year.open("citizens")
    before = ends(world, poll)
    monkeypatch.setattr("mvote.budget.moving.polls_in_the_way", lambda *_, **__: [])
    answer = move(world, year, closes_at=before - HOUR)
    assert refused(answer) == (422, "invalid-request")
    assert answer.get_json()["errors"][0]["code"] == "poll-frozen"
    assert (ends(world, poll), balloting_ends(year)) == (before, before)
    monkeypatch.undo()
    early = move(world, year, closes_at=before - 2 * HOUR)
    assert early.get_json()["errors"][0]["pointer"] == "/contests/0/sources/0"


def test_balloting_does_not_begin_sooner_than_a_scheduled_poll_says(
    world: World, year: Balloting
) -> None:
    source = {"opens_at": instant(balloting_ends(year) - 5 * HOUR)}
    poll = year.open("committee")
    definition = world.client.get(f"/v1/cycles/{year.cycle['id']}")
    contests = definition.get_json()["contests"]
    contests[0]["sources"][1] |= source
    headers = year.officer.headers | {"If-Match": definition.headers["ETag"]}
    path = f"/v1/cycles/{year.cycle['id']}"
    answer = world.client.patch(path, json={"contests": contests}, headers=headers)
    assert refused(answer) == (422, "invalid-request")
    assert answer.get_json()["errors"] == [
        {
            "pointer": "/contests/0/sources/1",
            "detail": "투표가 이미 확정되어 시작은 옮길 수 없고 마감은 늦출 수만 있습니다."
            " 일찍 끝내려면 먼저 투표를 조기 마감해 주세요.",
            "code": "poll-frozen",
        }
    ]
    assert world.client.get(f"/v1/polls/{poll['id']}").get_json()["opens_at"] == poll["opens_at"]


def test_a_poll_is_extended_within_the_phase_and_not_beyond(world: World) -> None:
    year = Balloting(world, 2015)
    source = year.definition["contests"][0]["sources"][1]
    source["closes_at"] = instant(balloting_ends_of(year.definition) - 2 * HOUR)
    furnished(year)
    poll = year.open("committee")
    for by, status in ((HOUR, 200), (5 * HOUR, 422)):
        body = {"closes_at": instant(ends(world, poll) + by)}
        path = f"/v1/polls/{poll['id']}/extend"
        first = world.client.post(path, json=body, headers=world.officer().headers)
        assert first.status_code == 202
        second = world.client.post(path, json=body, headers=world.officer().headers)
        assert second.status_code == status
    assert second.get_json()["errors"][0]["pointer"] == "/closes_at"
    assert ends(world, poll) == balloting_ends(year) - HOUR


def balloting_ends_of(definition: dict[str, Any]) -> dt.datetime:
    [found] = [each for each in definition["phases"] if each["kind"] == "balloting"]
    return dt.datetime.fromisoformat(found["closes_at"])


def test_a_second_poll_of_a_source_is_refused_by_the_database_whoever_writes(
    world: World, year: Balloting
) -> None:
    year.open("citizens")
    copy = (
        "INSERT INTO contest_poll SELECT cycle_id, contest, source, n + 1, gen_random_uuid()"
        " FROM contest_poll"
    )
    with (
        psycopg.connect(world.admin_url) as connection,
        pytest.raises(psycopg.errors.RestrictViolation, match="given up"),
    ):
        connection.execute(copy)
    for change in ("UPDATE contest_poll SET n = 2", "DELETE FROM contest_poll"):
        with (
            psycopg.connect(world.admin_url) as connection,
            pytest.raises(psycopg.errors.RestrictViolation, match="insert-only"),
        ):
            connection.execute(change)
