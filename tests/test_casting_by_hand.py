"""Casting by hand is casting as the contract has it: taken alike, refused alike, answered alike."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask, request_started
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from api.limits import PER_SECOND, meter
from api.polls import by_hand
from api.polls.ballot_schemas import BallotRequest
from api.polls.by_hand import Unusual, read_body
from tests.support.census import census
from tests.support.world import CITY_HALL, GWANGHWAMUN, Person, World, new_key, position

CIRCLE = {"rule": "area", "area": {"center": GWANGHWAMUN, "radius_m": 500}}
BY_FLASK = {"Content-Type": "application/json; charset=utf-8"}
BY_HAND = {"Content-Type": "application/json"}
SCHEMA = BallotRequest()


@pytest.fixture
def seen_by_flask(app: Flask) -> Iterator[list[str]]:
    """The paths of the requests that Flask gets to see."""
    paths: list[str] = []

    def note(_: Flask, **__: Any) -> None:
        paths.append("seen")

    with request_started.connected_to(note, app):
        yield paths


def send(
    world: World, poll: dict[str, Any], voter: Person, body: Any, **headers: str
) -> TestResponse:
    """A cast with exactly this body and these headers."""
    content = body if isinstance(body, str) else json.dumps(body)
    given = {"Idempotency-Key": new_key()} | voter.headers | BY_HAND | headers
    return world.client.post(f"/v1/polls/{poll['id']}/ballots", data=content, headers=given)


def both_ways(
    world: World, poll: dict[str, Any], voter: Person, body: Any, **headers: str
) -> tuple[TestResponse, TestResponse]:
    """The same cast, once as it comes from apps, and once so that Flask reads it."""
    key = {"Idempotency-Key": new_key()} | headers
    return send(world, poll, voter, body, **key), send(world, poll, voter, body, **key | BY_FLASK)


def shown(answer: TestResponse) -> tuple[int, bytes, dict[str, str]]:
    return answer.status_code, answer.get_data(), dict(answer.headers)


def test_what_is_plainly_in_order_is_cast_without_flask(
    world: World, seen_by_flask: list[str]
) -> None:
    poll = world.open_poll(presence=CIRCLE)
    voters = world.citizens(2)
    seen_by_flask.clear()
    body = {"selections": ["yes"], "position": position(**GWANGHWAMUN), "pad": "x" * 9}
    assert send(world, poll, voters[0], body).status_code == 201
    assert seen_by_flask == []
    assert send(world, poll, voters[1], body, **BY_FLASK).status_code == 201
    assert seen_by_flask == ["seen"]


def test_the_receipt_and_its_headers_are_the_same_by_either_way(world: World) -> None:
    for cast_check in (True, False):
        poll = world.open_poll(presence=CIRCLE, cast_check=cast_check)
        body = {"selections": ["no"], "position": position(**GWANGHWAMUN)}
        hand, flask = both_ways(world, poll, world.citizen(), body)
        assert hand.status_code == 201
        assert shown(hand) == shown(flask)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_refusal_is_the_same_by_either_way(world: World, language: str) -> None:
    speaking = {"Accept-Language": language}
    poll, voter = world.open_poll(presence=CIRCLE), world.citizen()
    adults = world.open_poll(eligibility={"min_age": 19})
    ended = world.open_poll()
    world.end_voting(ended)
    here = {"selections": ["yes"], "position": position(**GWANGHWAMUN)}
    assert send(world, poll, voter, here).status_code == 201
    stranger = world.citizen()
    late = {"selections": ["yes"], "position": position(**GWANGHWAMUN, age_s=90)}
    away = {"selections": ["yes"], "position": position(**CITY_HALL)}
    wide = {"selections": ["yes"], "position": position(**GWANGHWAMUN, accuracy_m=900)}
    cases: dict[str, tuple[dict[str, Any], Person, Any, dict[str, str]]] = {
        "already-voted": (poll, voter, here, {}),
        "position-stale": (poll, stranger, late, {}),
        "outside-area": (poll, stranger, away, {}),
        "position-too-coarse": (poll, stranger, wide, {}),
        "presence-required": (poll, stranger, {"selections": ["yes"]}, {}),
        "presence-token-invalid": (poll, stranger, here | {
            "position": position(**CITY_HALL), "presence_token": "a.b.c"}, {}),
        "invalid-selection": (poll, stranger, here | {"selections": ["yes", "no"]}, {}),
        "not-eligible": (adults, stranger, {"selections": ["yes"]}, {}),
        "poll-not-open": (ended, stranger, {"selections": ["yes"]}, {}),
        "not-found": ({"id": str(uuid.uuid4())}, stranger, {"selections": ["yes"]}, {}),
        "token-invalid": (poll, stranger, here, {"Authorization": "Bearer a.b.c"}),
    }  # fmt: skip
    before = census(world.admin_url)
    for code, (asked, caster, body, more) in cases.items():
        hand, flask = both_ways(world, asked, caster, body, **more, **speaking)
        codes = {hand.get_json()["code"], flask.get_json()["code"]}
        assert codes <= {code, "outside-area"}, code
        assert shown(hand) == shown(flask), code
    assert census(world.admin_url) == before


def test_the_limit_per_citizen_holds_by_hand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "_clock", lambda: 5.0)
    poll, hasty, other = world.open_poll(), world.citizen(), world.citizen()
    answers = [world.cast(poll, hasty) for _ in range(PER_SECOND + 1)]
    assert [answer.status_code for answer in answers[:2]] == [201, 409]
    assert (answers[-1].status_code, answers[-1].get_json()["code"]) == (429, "too-many-requests")
    assert answers[-1].headers["Retry-After"] == "1"
    assert world.cast(poll, other).status_code == 201


def test_a_fault_of_ours_is_answered_as_everywhere_and_tells_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret 37.5720")

    poll = world.open_poll()
    monkeypatch.setattr(by_hand, "cast_paper", fail)
    answer = world.cast(poll, world.citizen())
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal-error")
    assert "secret" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Authorization": ""},
        {"Authorization": "bearer x"},
        {"Idempotency-Key": "short"},
        {"Transfer-Encoding": "chunked"},
    ],
)
def test_what_is_unusual_in_the_headers_is_left_to_flask(
    world: World, seen_by_flask: list[str], headers: dict[str, str]
) -> None:
    poll, voter = world.open_poll(), world.citizen()
    seen_by_flask.clear()
    send(world, poll, voter, {"selections": ["yes"]}, **headers)
    assert seen_by_flask == ["seen"]


# what is read

odd = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.none()),
)  # fmt: skip
instants = st.one_of(
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.from_regex(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]"
                  r"(\.[0-9]{1,7})?(Z|z|[+-][0-2][0-9]:[0-9]{2})", fullmatch=True),
    odd,
)  # fmt: skip
numbers = st.one_of(st.floats(-200, 200), st.integers(-200, 200), odd)
positions = st.fixed_dictionaries(
    {"lat": numbers, "lon": numbers, "accuracy_m": numbers, "captured_at": instants},
    optional={"more": odd},
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "selections": st.one_of(
            st.lists(st.one_of(st.from_regex(r"[A-Za-z0-9_-]{0,41}", fullmatch=True), odd)), odd
        ),
        "position": st.one_of(positions, odd),
        "presence_token": st.one_of(st.from_regex(r"[A-Za-z0-9_.-]{0,9}", fullmatch=True), odd),
        "pad": st.one_of(st.text(max_size=3), odd),
        "more": odd,
    },
)
option_keys = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)
with_points = st.fixed_dictionaries({"key": option_keys, "points": st.integers(-1, 70_000)})
tidy = st.fixed_dictionaries(
    {"selections": st.lists(st.one_of(option_keys, with_points), max_size=3)},
    optional={
        "position": st.fixed_dictionaries({
            "lat": st.floats(-90, 90), "lon": st.integers(-180, 180),
            "accuracy_m": st.floats(0.1, 500), "captured_at": instants,
        }),
        "presence_token": st.from_regex(r"[A-Za-z0-9_.-]{1,9}", fullmatch=True),
        "pad": st.text(max_size=3),
    },
)  # fmt: skip


@pytest.mark.parametrize(
    "said", ["Bearer", "Bearer ", "Bearer  {}", "Bearer {} ", "bearer {}", "{}"]
)
def test_a_token_that_is_oddly_said_is_heard_alike(world: World, said: str) -> None:
    poll, voter = world.open_poll(), world.citizen()
    odd = {"Authorization": said.format(voter.token)}
    hand, flask = both_ways(world, poll, voter, {"selections": ["yes"]}, **odd)
    assert shown(hand) == shown(flask)


def test_a_body_that_breaks_off_is_no_ballot(world: World, app: Flask) -> None:
    poll, voter = world.open_poll(), world.citizen()
    body = b'{"selections": ["yes"]}'  # whole as JSON, but more of it was announced
    headers = voter.headers | BY_HAND | {"Idempotency-Key": new_key()}
    path = f"/v1/polls/{poll['id']}/ballots"
    environ = EnvironBuilder(
        path, method="POST", headers=[*headers.items()], data=body
    ).get_environ()
    environ["CONTENT_LENGTH"] = str(len(body) + 1)
    _, status, _ = run_wsgi_app(app.wsgi_app, environ)
    assert status == "400 BAD REQUEST"
    assert world.count("participation") == 0


@given(st.one_of(bodies, tidy))
def test_what_is_read_by_hand_the_schema_reads_alike(body: dict[str, Any]) -> None:
    try:
        selections, evidence = read_body(json.dumps(body).encode())
    except Unusual:
        return
    loaded = SCHEMA.load(body)
    found = evidence.position
    there = found and {name: getattr(found, name) for name in loaded["position"]}
    assert selections == loaded["selections"]
    assert evidence.presence_token == loaded.get("presence_token")
    assert there == loaded.get("position")


def test_an_ordinary_body_is_read_by_hand() -> None:
    body = {"selections": ["yes"], "position": position(**GWANGHWAMUN), "presence_token": "a.b"}
    assert read_body(json.dumps(body).encode())[0] == ["yes"]
    given = [{"key": "yes", "points": 7}]
    assert read_body(json.dumps({"selections": given}).encode())[0] == given


@pytest.mark.parametrize(
    "body",
    [
        "{", "[]", "null", '{"selections": null}', '{"selections": [1]}', '{"selections": ["a b"]}',
        '{"selections": [], "more": 1}', '{"selections": [], "pad": 1}',
        '{"selections": [], "position": null}', '{"selections": [], "presence_token": null}',
        '{"selections": [], "position": {"lat": 1, "lon": 1, "accuracy_m": 1}}',
        '{"selections": [{"key": "a"}]}', '{"selections": [{"key": "a", "points": 0}]}',
        '{"selections": [{"key": "a", "points": 1.5}]}',
        '{"selections": [{"key": 1, "points": 1}]}',
        '{"selections": [{"key": "a", "points": true}]}',
        '{"selections": [{"key": "a", "points": 1, "more": 1}]}',
        '{"selections": ["a"], "selections": ["b"]}',
        '{"selections": ["a"], "selections": [], "pad": "\\u0022\\u0022\\u0022\\u0022"}',
    ],
)  # fmt: skip
def test_a_body_with_anything_wrong_or_odd_is_not_read_by_hand(body: str) -> None:
    with pytest.raises(Unusual):
        read_body(body.encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lat", True), ("lat", 91), ("lat", "9"), ("lon", None), ("lon", -181),
        ("accuracy_m", 0), ("accuracy_m", 1e7), ("captured_at", "2026-13-01T00:00:00Z"),
        ("captured_at", "2026-01-01"), ("captured_at", "2026-01-01T00:00:00"), ("more", 1),
    ],
)  # fmt: skip
def test_a_position_with_anything_wrong_is_not_read_by_hand(name: str, value: Any) -> None:
    wrong = position(**GWANGHWAMUN) | {name: value}
    with pytest.raises(Unusual):
        read_body(json.dumps({"selections": [], "position": wrong}).encode())


def test_the_schema_has_no_member_that_the_hand_does_not_know_of() -> None:
    assert set(SCHEMA.fields) >= by_hand.MEMBERS
    assert isinstance(SCHEMA.fields["selections"], ma.fields.List)
