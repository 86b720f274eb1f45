"""Who sees flags, what they say of them, and that no flag touches a ballot."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.people.granting import Post, grant
from tests.support.integrity import CIRCLE
from tests.support.world import GWANGHWAMUN, Person, World, position

pytestmark = pytest.mark.usefixtures("within_an_hour")


@pytest.fixture
def officer(world: World) -> Person:
    return world.officer()


@pytest.fixture
def poll(world: World, officer: Person) -> dict[str, Any]:
    """A poll in which two voters were flagged, one of them for two reasons."""
    poll = world.open_poll(officer, presence=CIRCLE)
    one, other = world.citizens(2)
    world.cast(poll, one, position=position(**GWANGHWAMUN, age_s=90))
    for voter in (one, other):
        world.cast(poll, voter, position=position(**GWANGHWAMUN), integrity={"mock": True})
    world.wiring.watch.write_now()
    world.end_voting(poll)
    return poll


def flags(world: World, poll: dict[str, Any], who: Person, **query: Any) -> Any:
    url = f"/v1/polls/{poll['id']}/flags"
    return world.client.get(url, query_string=query, headers=who.headers)


def find(world: World, poll: dict[str, Any], who: Person, flag_id: str, **body: Any) -> Any:
    url = f"/v1/polls/{poll['id']}/flags/{flag_id}/finding"
    return world.client.put(url, json={"finding": "harmless"} | body, headers=who.headers)


def test_an_officer_sees_counts_and_flags_of_one_voter_together_without_a_name(
    world: World, officer: Person, poll: dict[str, Any]
) -> None:
    answer = flags(world, poll, officer).get_json()
    assert answer["by_kind"] == {
        "mock": 2, "stale": 1, "repeated-coordinates": 0, "impossible-travel": 0,
        "shared-device": 0,
    }  # fmt: skip
    assert len({flag["pseudonym"] for flag in answer["items"]}) == 2
    assert {len(flag["pseudonym"]) for flag in answer["items"]} == {12}
    assert {flag["finding"] for flag in answer["items"]} == {None}


def test_flags_come_in_pages(world: World, officer: Person, poll: dict[str, Any]) -> None:
    first = flags(world, poll, officer, limit=2).get_json()
    second = flags(world, poll, officer, limit=2, cursor=first["next_cursor"]).get_json()
    ids = [flag["id"] for flag in first["items"] + second["items"]]
    assert (len(ids), len(set(ids)), second["next_cursor"]) == (3, 3, None)


def test_a_finding_is_kept_with_who_and_when_and_journalled_each_time(
    world: World, officer: Person, poll: dict[str, Any]
) -> None:
    flag_id = flags(world, poll, officer).get_json()["items"][0]["id"]
    found = find(world, poll, officer, flag_id, finding="suspicious", note="같은 좌표").get_json()
    assert (found["finding"], found["note"]) == ("suspicious", "같은 좌표")
    assert found["found_by"] == str(officer.id)
    assert found["found_at"]
    assert find(world, poll, officer, flag_id).get_json()["note"] is None
    journal = world.rows(
        "SELECT actor_id, subject_id, facts FROM journal WHERE kind = 'flag:looked-at' ORDER BY id"
    )
    assert [facts["finding"] for _, _, facts in journal] == ["suspicious", "harmless"]
    assert {row[:2] for row in journal} == {(officer.id, uuid.UUID(poll["id"]))}


def test_strangers_other_departments_and_unknown_flags(
    world: World, officer: Person, poll: dict[str, Any]
) -> None:
    flag_id = flags(world, poll, officer).get_json()["items"][0]["id"]
    for who, status in ((world.citizen(), 403), (world.officer(), 403)):
        assert flags(world, poll, who).status_code == status
        assert find(world, poll, who, flag_id).status_code == status
    assert find(world, poll, officer, str(uuid.uuid4())).status_code == 404
    assert flags(world, {"id": str(uuid.uuid4())}, officer).status_code == 404
    assert world.client.get(f"/v1/polls/{poll['id']}/flags").status_code == 401
    assert world.rows("SELECT count(*) FROM flag WHERE finding IS NOT NULL") == [(0,)]
    assert world.rows("SELECT count(*) FROM journal WHERE kind = 'flag:looked-at'") == [(0,)]


def test_of_a_citizens_poll_every_officer_sees_flags_and_its_author_does_not(
    world: World, officer: Person
) -> None:
    author = world.citizen()
    poll = world.open_poll(author, presence=CIRCLE)
    assert flags(world, poll, officer).status_code == 200
    assert flags(world, poll, author).status_code == 403
    with Session(world.engines["api"]) as session, transaction(session):
        department = world.rows("SELECT id FROM department LIMIT 1")[0][0]
        grant(session, citizen_id=author.id, post=Post("officer", department))
    assert flags(world, poll, author).status_code == 403  # not as an officer either


@pytest.mark.parametrize("body", [{"finding": "guilty"}, {"finding": None}, {"note": "x" * 1001}])
def test_what_is_no_finding_is_refused(
    world: World, officer: Person, poll: dict[str, Any], body: dict[str, Any]
) -> None:
    flag_id = flags(world, poll, officer).get_json()["items"][0]["id"]
    assert find(world, poll, officer, flag_id, **body).status_code == 422
    assert world.rows("SELECT count(*) FROM flag WHERE finding IS NOT NULL") == [(0,)]


Casts = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["yes", "no"]), st.booleans(), st.booleans()),
    max_size=8,
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(casts=Casts)
def test_whatever_is_suspicious_the_box_and_the_totals_are_the_same(
    world: World, casts: list[tuple[int, str, bool, bool]]
) -> None:
    """The same casts, once with evidence that raises flags and once without."""
    world.stock_keys()
    voters = world.citizens(5)
    outcomes = []
    for is_suspicious in (True, False):
        poll = world.open_poll(presence=CIRCLE, publish_from=2)
        statuses = []
        for n, (who, choice, is_mock, is_repeated) in enumerate(casts):
            apart = 0 if is_suspicious and is_repeated else 1e-6 * (n + 1)
            there = position(GWANGHWAMUN["lat"] + apart, GWANGHWAMUN["lon"])
            said = {"mock": is_suspicious and is_mock}
            voter = voters[who]
            answer = world.cast(poll, voter, [choice], position=there, integrity=said)
            statuses.append((answer.status_code, answer.get_json().get("code")))
        world.wiring.watch.write_now()
        world.finish(poll)
        boxes = world.rows("SELECT count(*) FROM box WHERE poll_id = %s", uuid.UUID(poll["id"]))
        result = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
        outcomes.append((statuses, boxes, result["turnout"], _votes(result), result["accounting"]))
    assert outcomes[0] == outcomes[1]


def _votes(result: dict[str, Any]) -> list[tuple[str, int]]:
    return [(option["key"], option["votes"]) for option in result["options"]]
