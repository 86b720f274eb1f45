"""Rankings and points: asked, cast, refused, counted and shown like any other ballot."""

from __future__ import annotations

import hashlib
import struct
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvote.ballotbox.sealing import commitment
from mvote.ballotbox.vectors import NoVector, marks_in, selections_in, vector_of
from mvote.polls.definition import METHODS, Question
from mvote.polls.errors import InvalidSelection
from tests.support.database import TestCluster
from tests.support.ranking import asked as ranking_of
from tests.support.world import World, question
from tests.test_secrecy import _dump, _wal

THREE = ("a", "b", "c")
RANKING = {"kind": "ranking", "min_selections": 0}
POINTS = {"kind": "points", "points": 10, "min_selections": 0}


def open_poll(world: World, **asked: Any) -> dict[str, Any]:
    return world.open_poll(question=question(*THREE, **asked), publish_from=2)


def points(**given: int) -> list[dict[str, Any]]:
    return [{"key": key, "points": number} for key, number in given.items()]


def test_a_ranking_is_sealed_as_ranks_in_the_order_of_the_options(world: World) -> None:
    poll = open_poll(world, **RANKING)
    receipt = world.cast(poll, world.citizen(), ["c", "a"]).get_json()
    vector = struct.pack(">BBH3H", 1, 3, 3, 2, 0, 1)
    salt, tracker = (bytes.fromhex(receipt[name]) for name in ("ballot_salt", "tracker"))
    c = commitment(uuid.UUID(poll["id"]).bytes, tracker, salt, vector)
    assert receipt["envelope_hash"] == c.hex()


def test_points_are_sealed_in_the_order_of_the_options(world: World) -> None:
    poll = open_poll(world, **POINTS)
    receipt = world.cast(poll, world.citizen(), points(c=7, a=3)).get_json()
    vector = struct.pack(">BBH3H", 1, 4, 3, 3, 0, 7)
    salt, tracker = (bytes.fromhex(receipt[name]) for name in ("ballot_salt", "tracker"))
    c = commitment(uuid.UUID(poll["id"]).bytes, tracker, salt, vector)
    assert receipt["envelope_hash"] == c.hex()


@pytest.mark.parametrize(
    ("asked", "ballot", "other"),
    [(RANKING, ["c", "a"], ["a", "c"]), (POINTS, points(a=3, b=1), points(a=1, b=3))],
    ids=["ranking", "points"],
)
def test_a_replay_gives_the_same_receipt_and_another_order_is_another_ballot(
    world: World, asked: dict[str, Any], ballot: list[Any], other: list[Any]
) -> None:
    poll, voter, key = open_poll(world, **asked), world.citizen(), uuid.uuid4().hex
    first = world.cast(poll, voter, ballot, key=key)
    again = world.cast(poll, voter, ballot, key=key)
    assert (first.status_code, first.get_data()) == (201, again.get_data())
    changed = world.cast(poll, voter, other, key=key)
    assert (changed.status_code, changed.get_json()["code"]) == (422, "idempotency-key-reused")
    assert world.count("participation") == 1


BROKEN: list[tuple[dict[str, Any], list[Any], str]] = [
    (RANKING, ["a", "x"], "unknown-option"),
    (RANKING, ["a", "b", "a"], "repeated-option"),
    (RANKING, points(a=1), "unknown-option"),
    (RANKING | {"min_selections": 2}, ["a"], "min_selections"),
    (RANKING | {"max_selections": 2}, ["a", "b", "c"], "max_selections"),
    (POINTS, ["a"], "points-missing"),
    (POINTS, points(a=1, x=1), "unknown-option"),
    (POINTS, [*points(a=1), *points(a=2)], "repeated-option"),
    (POINTS, points(a=6, b=5), "points"),
    (POINTS | {"max_points": 5}, points(a=6), "max_points"),
    (POINTS | {"min_selections": 2}, points(a=6), "min_selections"),
    (POINTS | {"max_selections": 1}, points(a=1, b=1), "max_selections"),
]


@pytest.mark.parametrize(("asked", "ballot", "limit"), BROKEN)
def test_a_ballot_that_breaks_a_limit_is_refused_by_its_name(
    world: World, asked: dict[str, Any], ballot: list[Any], limit: str
) -> None:
    poll = open_poll(world, **asked)
    answer = world.cast(poll, world.citizen(), ballot)
    refusal = answer.get_json()
    assert (answer.status_code, refusal["code"]) == (422, "invalid-selection")
    assert refusal["limit"] == limit
    assert refusal["detail"] != refusal["title"]
    assert world.count("participation") == world.count("envelope") == 0


def test_a_refusal_says_in_words_which_limit_is_broken(world: World) -> None:
    poll = open_poll(world, **POINTS)
    for language, said in (
        ("en", "Too many points are given: 11 of 10."),
        ("ko", "점수는 모두 합해 10점까지 줄 수 있습니다. 지금은 11점입니다."),
    ):
        voter = world.citizen()
        headers = voter.headers | {"Idempotency-Key": uuid.uuid4().hex, "Accept-Language": language}
        body = {"selections": points(a=6, b=5)}
        answer = world.client.post(f"/v1/polls/{poll['id']}/ballots", json=body, headers=headers)
        assert answer.get_json()["detail"] == said


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "a"},
        {"key": "a", "points": 0},
        {"key": "a", "points": -1},
        {"key": "a", "points": 1.5},
        {"key": "a", "points": "1"},
        {"key": "a", "points": True},
        {"key": "a", "points": 65_536},
        {"key": "a", "points": 1, "more": 1},
        ["a", 1],
        None,
        7,
    ],
    ids=str,
)
def test_points_that_are_no_whole_positive_number_are_refused(world: World, wrong: Any) -> None:
    poll = open_poll(world, **POINTS)
    answer = world.cast(poll, world.citizen(), [wrong])
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request")
    assert world.count("participation") == 0


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"kind": "points"}, "/question/points"),
        ({"kind": "points", "points": 1, "min_selections": 2}, "/question/points"),
        ({"kind": "points", "points": 5, "max_points": 6}, "/question/max_points"),
        ({"kind": "points", "points": 5, "method": "borda"}, "/question/method"),
        ({"kind": "ranking", "points": 5}, "/question/points"),
        ({"kind": "ranking", "method": "plurality"}, "/question/method"),
        ({"kind": "multiple", "max_points": 5}, "/question/max_points"),
        ({"kind": "single", "method": "schulze"}, "/question/method"),
        ({"kind": "scores"}, "/question/kind"),
    ],
)
def test_a_question_that_contradicts_its_kind_is_refused_by_its_place(
    world: World, asked: dict[str, Any], pointer: str
) -> None:
    body = {"title": {"ko": "질문"}, "question": question(*THREE, **asked)}
    answer = world.client.post("/v1/polls", json=body, headers=world.officer().headers)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request")
    assert [each["pointer"] for each in answer.get_json()["errors"]] == [pointer]
    assert world.count("poll") == 0


@pytest.mark.parametrize("kind", METHODS)
def test_the_frozen_definition_names_the_method_also_where_nobody_chose_one(
    world: World, kind: str
) -> None:
    more = {"points": 5} if kind == "points" else {}
    poll = world.open_poll(question=question(*THREE, kind=kind, **more))
    frozen = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
    assert frozen["question"]["method"] == METHODS[kind][0]  # type: ignore[index]
    assert frozen["records"] == ("full" if kind == "single" else "totals")


def test_a_run_off_names_its_rule_for_ties_on_the_way(world: World) -> None:
    poll = open_poll(world, **RANKING, method="instant_runoff")
    frozen = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
    assert frozen["question"]["elimination_ties"] == "together_earlier_lot"
    assert "rankings-compared" in [each["code"] for each in frozen["cautions"]]


def test_rankings_have_no_live_results(world: World) -> None:
    author = world.officer()
    draft = world.draft(author, question=question(*THREE, **RANKING), results="live")
    answer = world.client.post(f"/v1/polls/{draft['id']}/open", headers=author.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "not-ready-to-open")
    assert [each["code"] for each in answer.get_json()["hindrances"]] == ["live-with-ranking"]
    assert world.count("poll_definition") == 0


# vectors


@given(st.permutations(THREE), st.integers(0, 3))
def test_a_ranking_comes_back_from_its_vector(order: list[str], length: int) -> None:
    asked = ranking_of("schulze", THREE)
    vector = vector_of(asked, order[:length])
    assert selections_in(asked, vector) == order[:length]


@given(st.dictionaries(st.sampled_from(THREE), st.integers(1, 4)))
def test_points_come_back_from_their_vector(given_points: dict[str, int]) -> None:
    asked = points_question()
    vector = vector_of(asked, points(**given_points))
    found = {each["key"]: each["points"] for each in selections_in(asked, vector)}
    assert found == given_points


@given(st.lists(st.integers(0, 5), min_size=3, max_size=3))
def test_only_what_selections_can_say_is_a_vector(marks: list[int]) -> None:
    for asked, kind in ((ranking_of("schulze", THREE), 3), (points_question(), 4)):
        vector = struct.pack(">BBH3H", 1, kind, 3, *marks)
        try:
            assert list(marks_in(asked, vector)) == marks
        except NoVector:
            continue
        assert vector_of(asked, selections_in(asked, vector)) == vector


def test_what_a_ballot_may_not_say_is_no_vector() -> None:
    for kind, marks in ((3, (1, 3, 0)), (3, (1, 1, 0)), (3, (2, 0, 0)), (4, (5, 0, 0))):
        asked = ranking_of("schulze", THREE) if kind == 3 else points_question()
        with pytest.raises(NoVector, match="mark"):
            marks_in(asked, struct.pack(">BBH3H", 1, kind, 3, *marks))
    with pytest.raises(InvalidSelection):
        vector_of(points_question(), points(a=5))


def points_question() -> Question:
    return Question(
        kind="points",
        options=THREE,
        min_selections=0,
        max_selections=3,
        method="points",
        points=12,
        max_points=4,
    )


# secrecy


@pytest.mark.parametrize(
    ("asked", "ballot"),
    [(RANKING, ["b", "c", "a"]), (POINTS, points(a=8, c=2))],
    ids=["ranking", "points"],
)
def test_no_mark_of_a_ranking_or_of_points_is_kept_in_the_clear_before_the_count(
    world: World, cluster: TestCluster, asked: dict[str, Any], ballot: list[Any]
) -> None:
    poll = open_poll(world, **asked)
    for _ in range(3):
        assert world.cast(poll, world.citizen(), ballot).status_code == 201
    world.close(poll)
    given = ranking_of("schulze", THREE) if asked is RANKING else points_question()
    loose = Question(
        kind=given.kind, options=THREE, min_selections=0, max_selections=3, method=given.method
    )
    vector = vector_of(loose, ballot)
    haystacks = _dump(world) + _wal(cluster)
    known = bytes(world.rows("SELECT data FROM log_entry WHERE kind = 1")[0][0])
    assert known.hex().encode() in haystacks  # the search itself works
    needles = [vector, hashlib.sha256(vector).digest()]
    assert not [each for each in needles if each in haystacks or each.hex().encode() in haystacks]
    assert len({row[0] for row in world.rows("SELECT length(sealed) FROM box")}) == 1
