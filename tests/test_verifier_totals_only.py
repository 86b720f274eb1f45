"""Rankings and points without records: what the totals and the workings themselves give away."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from mvote.ballotbox.methods.outcome import outcome_of
from mvote.ballotbox.tallying import count_marks
from mvote.polls.definition import Question
from tests.support.bundles import Files, MadeUpPoll, written
from tests.support.by_hand import root_of
from tests.support.ranking import asked, document_of, marks_of
from verifier.mvote_verify import main

Capture = pytest.CaptureFixture[str]
Ballots = list[tuple[str, int]]
Forge = Callable[[dict[str, Any]], object]
COLOURS = ("red", "blue", "green", "amber")  # not in the order in which canonical JSON has them
SPREAD: Ballots = [("red", 30), ("blue", 24), ("green red", 6), ("amber red blue", 6)]


def vector(kind: int, marks: Sequence[int]) -> bytes:
    return struct.pack(f">BBH{len(marks)}H", 1, kind, len(marks), *marks)


def filled(question: Question, vectors: list[bytes], **more: Any) -> MadeUpPoll:
    """A poll of these ballots, counted, whose definition promises totals only."""
    poll = MadeUpPoll(records="totals", question=document_of(question) | more)
    poll.batches = [
        sorted(map(poll.ballot, vectors), key=lambda ballot: ballot.tracker),
    ]
    width = len(question.options)
    marked = [struct.unpack_from(f">{width}H", each, 4) for each in vectors]
    valid = {marks: marked.count(marks) for marks in marked if any(marks)}
    totals = count_marks(question, vectors).totals
    outcome = outcome_of(question, valid, totals, root_of(poll.voted))
    poll.unsaid = {"records_hash"}
    poll.said = {
        "method": question.method,
        "totals": dict(zip(question.options, totals, strict=True)),
        "winners": [*outcome.winners],
    }
    if outcome.workings is not None:
        poll.said["workings"] = outcome.workings
    return poll


def ranked(method: str, ballots: Ballots = SPREAD, keys: Sequence[str] = COLOURS) -> MadeUpPoll:
    vectors = [
        vector(3, marks_of(order.split(), keys)) for order, times in ballots for _ in range(times)
    ]
    return filled(asked(method, keys), vectors)


def pointed(**limits: Any) -> MadeUpPoll:
    """Ten points for each voter, at most six of them for one option."""
    question = Question(
        kind="points", options=COLOURS, min_selections=0, max_selections=4, method="points",
        points=10, max_points=6,
    )  # fmt: skip
    vectors = [vector(4, marks) for marks in [(6, 4, 0, 0)] * 40 + [(0, 0, 1, 0)] * 20]
    return filled(question, vectors, points=10, max_points=6, **limits)


def lines_of(tmp_path: Path, capsys: Capture, poll: MadeUpPoll) -> dict[str, tuple[str, str]]:
    """Each check's status and text, of the bundle without records that the operator signs."""
    files: Files = {name: data for name, data in poll.files().items() if name != "records.bin"}
    main([str(written(tmp_path, poll.signed(files))), "--json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    return {check["name"]: (check["status"], check["text"]) for check in checks}


def is_refused(tmp_path: Path, capsys: Capture, poll: MadeUpPoll) -> str:
    """Why the totals are refused; everything else holds."""
    lines = lines_of(tmp_path, capsys, poll)
    failed = {name for name, (status, _) in lines.items() if status == "FAILED"}
    assert failed == {"totals"}
    return lines["totals"][1]


def is_believed(tmp_path: Path, capsys: Capture, poll: MadeUpPoll) -> str:
    lines = lines_of(tmp_path, capsys, poll)
    assert "FAILED" not in {status for status, _ in lines.values()}, lines["totals"]
    assert lines["totals"][0] != "ok"
    return lines["totals"][1]


TOGETHER: Ballots = [("red", 25), ("blue", 20), ("green", 5), ("amber", 5)]
TIED: Ballots = [("red", 20), ("blue", 20), ("green blue", 10), ("amber red", 10)]


@pytest.mark.parametrize("ballots", [SPREAD, TOGETHER, TIED], ids=["spread", "together", "lot"])
@pytest.mark.parametrize("method", ["schulze", "borda", "instant_runoff"])
def test_honest_workings_lead_to_the_winners_in_whatever_order_the_options_stand(
    tmp_path: Path, capsys: Capture, method: str, ballots: Ballots
) -> None:
    poll = ranked(method, ballots)
    said = is_believed(tmp_path, capsys, poll)
    assert f"{method}: {', '.join(poll.said['winners'])}" in said


def test_those_who_leave_together_are_named_in_the_definitions_order(
    tmp_path: Path, capsys: Capture
) -> None:
    poll = ranked("instant_runoff", [("red", 5), ("blue", 4), ("green", 1), ("amber", 1)])
    first = poll.said["workings"]["rounds"][0]
    assert (first["eliminated"], first["by"]) == (["green", "amber"], "together")
    is_believed(tmp_path, capsys, poll)


# a phantom among the options


def add_a_phantom(workings: dict[str, Any]) -> None:
    """All rank it before red and blue, and amber before it."""
    counts = workings["pairwise"]
    for key in COLOURS:
        counts[key]["phantom"] = 60 if key == "amber" else 0
    counts["phantom"] = {"red": 60, "blue": 60, "green": 60, "amber": 0}


@pytest.mark.parametrize("method", ["schulze", "borda"])
def test_an_option_that_nobody_could_choose_carries_no_path_and_no_points(
    tmp_path: Path, capsys: Capture, method: str
) -> None:
    poll = ranked(method, [("red", 25), ("amber", 23), ("blue", 12)])
    assert poll.said["winners"] == ["red"]
    workings = poll.said["workings"]
    add_a_phantom(workings)
    if method == "schulze":
        workings["paths"] = widest(workings["pairwise"])
    else:
        poll.said["totals"] = {x: sum(workings["pairwise"][x].values()) for x in COLOURS}
    poll.said["winners"] = ["amber"]
    assert "pairwise counts are of other options" in is_refused(tmp_path, capsys, poll)


def widest(counts: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The strongest paths, as the forger works them out."""
    found = {
        x: {y: n if n > counts[y][x] else 0 for y, n in row.items()} for x, row in counts.items()
    }
    for via in found:
        for x in found.keys() - {via}:
            for y in found.keys() - {via, x}:
                found[x][y] = max(found[x][y], min(found[x][via], found[via][y]))
    return found


def test_nobody_is_first_on_more_ballots_than_rank_it_before_another(
    tmp_path: Path, capsys: Capture
) -> None:
    poll = ranked("schulze", [("red", 40), ("blue", 20)])
    workings = poll.said["workings"]
    workings["pairwise"]["red"]["blue"] = 10
    workings["paths"], poll.said["winners"] = widest(workings["pairwise"]), ["blue"]
    assert "more rank an option first" in is_refused(tmp_path, capsys, poll)


# transfers that cannot be

THREE = ("A", "B", "C")
HALVES: Ballots = [("A", 50), ("B", 26), ("C B", 20), ("C", 4)]


def hand_on(rounds: list[dict[str, Any]], votes: int) -> None:
    rounds[0]["transfers"] = {"C": {"B": votes}}
    rounds[1] |= {"votes": {"A": 50, "B": 26 + votes}, "exhausted": 24 - votes}


def hand_on_of_who_stays(rounds: list[dict[str, Any]]) -> None:
    hand_on(rounds, 24)
    rounds[0]["transfers"]["A"] = {"B": 6}
    rounds[1] |= {"votes": {"A": 50, "B": 56}, "exhausted": -6}


def hand_on_less_than_nothing(rounds: list[dict[str, Any]]) -> None:
    rounds[0]["transfers"] = {"C": {"A": -5, "B": 29}}
    rounds[1] |= {"votes": {"A": 45, "B": 55}, "exhausted": 0}


def let_the_winner_leave(rounds: list[dict[str, Any]]) -> None:
    rounds[-1]["eliminated"] = ["A"]


@pytest.mark.parametrize(
    ("forge", "winners", "why"),
    [
        (lambda rounds: hand_on(rounds, 30), ["B"], "hands on more ballots than it has"),
        (hand_on_of_who_stays, ["B"], "others hand on"),
        (hand_on_less_than_nothing, ["B"], "no whole number"),
        (let_the_winner_leave, ["A"], "after the end"),
    ],
    ids=["more than it has", "of who stays", "less than nothing", "after the end"],
)
def test_no_ballots_appear_between_two_rounds(
    tmp_path: Path, capsys: Capture, forge: Forge, winners: list[str], why: str
) -> None:
    poll = ranked("instant_runoff", HALVES, THREE)
    assert poll.said["winners"] == ["A"]
    forge(poll.said["workings"]["rounds"])
    poll.said["winners"] = winners
    assert why in is_refused(tmp_path, capsys, poll)


def test_no_ballot_is_exhausted_before_anybody_left(tmp_path: Path, capsys: Capture) -> None:
    """Five ballots decide, and the other ninety-five are said to rank nobody."""
    poll = ranked("instant_runoff", [("A", 95), ("B", 5)], THREE)
    [only] = poll.said["workings"]["rounds"]
    only |= {"votes": {"A": 0, "B": 5, "C": 0}, "exhausted": 95}
    poll.said |= {"totals": dict(only["votes"]), "winners": ["B"]}
    assert "no ballots give these totals" in is_refused(tmp_path, capsys, poll)
    poll.said["totals"] = only["votes"] = {"A": 95, "B": 5, "C": 0}
    poll.said["winners"] = ["A"]
    assert "before anybody left" in is_refused(tmp_path, capsys, poll)


# totals that no ballots give


@pytest.mark.parametrize(
    "totals",
    [(361, 0, 0, 0), (59, 0, 0, 0), (300, 200, 101, 0), (240, 160, 20, -1)],
    ids=["too many for one", "too few", "too many together", "below nothing"],
)
def test_points_are_no_more_than_so_many_ballots_may_give(
    tmp_path: Path, capsys: Capture, totals: tuple[int, ...]
) -> None:
    poll = pointed()
    is_believed(tmp_path, capsys, poll)
    poll.said |= {"totals": dict(zip(COLOURS, totals, strict=True)), "winners": ["red"]}
    is_refused(tmp_path, capsys, poll)


@pytest.mark.parametrize("method", ["schulze", "instant_runoff", "borda"])
def test_first_ranks_are_as_many_as_ballots_and_borda_has_its_most(
    tmp_path: Path, capsys: Capture, method: str
) -> None:
    poll = ranked(method)
    before = copy.deepcopy(poll.said["totals"])
    poll.said["totals"]["red"] = 66 * 3 + 1
    assert "no ballots give these totals" in is_refused(tmp_path, capsys, poll)
    poll.said["totals"] = before | {"red": 0, "blue": 0}
    assert "no ballots give these totals" in is_refused(tmp_path, capsys, poll)


@pytest.mark.parametrize("poll", [ranked("schulze"), pointed()], ids=["ranking", "points"])
def test_a_count_of_rankings_or_points_that_names_no_winner_is_refused(
    tmp_path: Path, capsys: Capture, poll: MadeUpPoll
) -> None:
    poll.unsaid |= {"winners", "workings"}
    assert "does not say who won" in is_refused(tmp_path, capsys, poll)


def test_points_for_projects_keep_to_their_limit_and_no_winner_is_named(
    tmp_path: Path, capsys: Capture
) -> None:
    poll = pointed()
    question = poll.definition["question"]
    for option in question["options"]:
        option |= {"heading": "city", "amount": 1}
    limits = [{"over": "all", "points": {"max": 10}}]
    question |= {"headings": [{"key": "city"}], "limits": limits, "wrong": "refuse"}
    del question["points"], question["max_points"]
    poll.unsaid.add("winners")
    is_believed(tmp_path, capsys, poll)
    poll.said["totals"] = {"red": 500, "blue": 101, "green": 0, "amber": 0}
    assert "no ballots give these totals" in is_refused(tmp_path, capsys, poll)


def test_a_statement_that_counts_by_another_method_is_refused(
    tmp_path: Path, capsys: Capture
) -> None:
    poll = ranked("schulze")
    poll.said["method"] = "borda"
    assert lines_of(tmp_path, capsys, poll)["statement"] == (
        "FAILED", "it counts by another method",
    )  # fmt: skip
