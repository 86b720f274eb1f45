"""Rankings and points: asked, cast, refused, counted and shown like any other ballot."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import struct
import uuid
from pathlib import Path
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
from verifier.mvote_verify import main as verify

THREE = ("a", "b", "c")
RANKING = {"kind": "ranking", "min_selections": 0}
POINTS = {"kind": "points", "points": 10, "min_selections": 0}


def open_poll(world: World, **asked: Any) -> dict[str, Any]:
    return world.open_poll(question=question(*THREE, **asked), publish_from=2)


def points(**given: int) -> list[dict[str, Any]]:
    return [{"key": key, "points": number} for key, number in given.items()]


def result_of(world: World, poll: dict[str, Any], *ballots: list[Any]) -> dict[str, Any]:
    """The result after these ballots, each of a voter of its own."""
    for selections in ballots:
        answer = world.cast(poll, world.citizen(), selections)
        assert answer.status_code == 201, answer.get_data(as_text=True)
    world.finish(poll)
    found: dict[str, Any] = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    return found


def votes_in(result: dict[str, Any]) -> dict[str, int]:
    return {each["key"]: each["votes"] for each in result["options"]}


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
    assert world.count("participation") == world.count("envelope") == 0


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


def test_schulze_shows_matrix_and_paths_and_who_won(world: World) -> None:
    poll = open_poll(world, **RANKING)
    result = result_of(world, poll, ["a", "b", "c"], ["b", "a"], ["a", "c"], [])
    assert (result["method"], result["winners"]) == ("schulze", ["a"])
    assert votes_in(result) == {"a": 2, "b": 1, "c": 0}
    assert result["turnout"] == {"ballots": 4, "blank": 1}
    assert result["workings"]["pairwise"]["a"] == {"b": 2, "c": 3}
    assert result["workings"]["paths"]["b"] == {"a": 0, "c": 2}


def test_a_run_off_shows_every_round(world: World) -> None:
    poll = open_poll(world, **RANKING, method="instant_runoff")
    ballots = [["a"], ["a"], ["b"], ["b", "a"], ["c", "b"]]
    result = result_of(world, poll, *ballots)
    assert result["winners"] == ["b"]
    first, last = result["workings"]["rounds"]
    assert (first["eliminated"], first["by"]) == (["c"], "fewest")
    assert first["transfers"] == {"c": {"b": 1}}
    assert (last["votes"], last["exhausted"]) == ({"a": 2, "b": 3}, 0)


def test_borda_counts_points_and_shares_them_out(world: World) -> None:
    poll = open_poll(world, **RANKING, method="borda")
    result = result_of(world, poll, ["a", "b", "c"], ["b"])
    assert votes_in(result) == {"a": 2, "b": 3, "c": 0}
    assert [each["share"] for each in result["options"]] == [0.4, 0.6, 0.0]
    assert (result["winners"], [*result["workings"]]) == (["b"], ["pairwise"])


def test_points_are_added_up_and_a_tie_is_shown_as_a_tie(world: World) -> None:
    poll = open_poll(world, **POINTS)
    result = result_of(world, poll, points(a=6, b=4), points(b=2), [])
    assert votes_in(result) == {"a": 6, "b": 6, "c": 0}
    assert (result["method"], result["winners"]) == ("points", ["a", "b"])
    assert result["workings"] is None
    assert result["turnout"] == {"ballots": 3, "blank": 1}


def test_a_table_of_the_result_holds_winner_and_rounds(world: World) -> None:
    poll = open_poll(world, **RANKING, method="instant_runoff")
    result_of(world, poll, ["a"], ["a"], ["b"])
    answer = world.client.get(f"/v1/polls/{poll['id']}/results", headers={"Accept": "text/csv"})
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    found = {row[0]: row[3] for row in rows}
    assert (found["(winner)"], found["(round 1: a)"], found["(round 1: exhausted)"]) == (
        "a", "2", "0",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "ballot"), [(RANKING, ["b", "a"]), (POINTS, points(a=1, b=9))], ids=["rank", "points"]
)
def test_few_ballots_show_neither_winner_nor_workings(
    world: World, asked: dict[str, Any], ballot: list[Any]
) -> None:
    poll = world.open_poll(question=question(*THREE, **asked), publish_from=2)
    result = result_of(world, poll, ballot)
    assert (result["too_few"], result["options"], result["winners"]) == (True, [], None)
    assert result["workings"] is None
    assert not {"totals", "winners", "workings", "records_hash"} & result["statement"].keys()


@pytest.mark.parametrize(
    ("asked", "ballot"), [(RANKING, ["b", "a"]), (POINTS, points(a=1, b=9))], ids=["rank", "points"]
)
def test_fewer_than_fifty_ballots_with_marks_that_differ_have_no_records(
    world: World, asked: dict[str, Any], ballot: list[Any]
) -> None:
    one = {**asked, "max_selections": 1} if asked is POINTS else asked
    ballot = points(a=9) if asked is POINTS else ballot
    poll = world.open_poll(question=question(*THREE, **one), publish_from=2, records="full")
    assert result_of(world, poll, ballot, ballot)["too_few"] is False
    answer = world.client.get(f"/v1/polls/{poll['id']}/records")
    assert answer.get_json()["items"] == []


MANY: list[tuple[dict[str, Any], list[list[Any]]]] = [
    (RANKING, [["a", "b"]] * 30 + [["b", "c", "a"]] * 15 + [["c"]] * 4 + [[]]),
    (RANKING | {"method": "borda"}, [["a", "b"]] * 30 + [["b", "c", "a"]] * 20),
    (RANKING | {"method": "instant_runoff"}, [["a"]] * 20 + [["b"]] * 16 + [["c", "b"]] * 14),
    (POINTS, [points(a=3, b=7)] * 30 + [points(c=10)] * 20),
]


@pytest.mark.parametrize("records", ["full", "totals"])
@pytest.mark.parametrize(("asked", "ballots"), MANY, ids=["schulze", "borda", "runoff", "points"])
def test_a_stranger_comes_to_the_same_winners_by_the_bundle_alone(
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    asked: dict[str, Any],
    ballots: list[list[Any]],
    records: str,
) -> None:
    poll = world.open_poll(question=question(*THREE, **asked), publish_from=2, records=records)
    result = result_of(world, poll, *ballots)
    shown = world.client.get(f"/v1/polls/{poll['id']}/records?limit=100").get_json()["items"]
    as_cast = sorted(json.dumps(each) for each in ballots)
    assert sorted(json.dumps(each["selections"]) for each in shown) == (
        as_cast if records == "full" else []
    )
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(world.make_bundle(poll))
    assert verify([str(bundle)]) == 0
    said = capsys.readouterr().out
    [line] = [each for each in said.splitlines() if "totals" in each and result["method"] in each]
    assert ", ".join(result["winners"]) in line
    assert ("counted anew" in line) == (records == "full")


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
