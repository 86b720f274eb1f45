"""Rankings and points counted: who won and how, what few ballots hide, what a stranger repeats."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import World, question
from tests.test_ballot_kinds import POINTS, RANKING, THREE, open_poll, points
from verifier.mvote_verify import main as verify


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


def test_live_points_are_added_up_batch_by_batch_and_nobody_has_won_yet(world: World) -> None:
    asked = question(*THREE, **POINTS | {"points": 60_000})
    poll = world.open_poll(question=asked, publish_from=2, results="live")
    for voter in world.citizens(100):
        assert world.cast(poll, voter, points(a=60_000)).status_code == 201
    world.run_shuffler()
    world.run_counter()
    result = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    assert (result["live"], result["winners"], result["workings"]) == (True, None, None)
    assert votes_in(result) == {"a": 50 * 60_000, "b": 0, "c": 0}
    assert result["options"][0]["share"] == 1.0


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
