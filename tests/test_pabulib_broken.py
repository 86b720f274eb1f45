"""A broken .pb file is refused, and the refusal names the row and what is wrong with it."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.budget.pabulib import rows
from mvote.budget.pabulib.ballots import Ballot
from mvote.budget.pabulib.errors import BrokenPbFile
from mvote.budget.pabulib.reading import Reader, read
from tests.support.pb import pb_text, read_text

RIGHT = pb_text({"a": 60, "b": 50}, ["a,b", "a", "b"], 100, counted={"a": 2, "b": 2})
LINES = RIGHT.splitlines()
SCORED: dict[str, Any] = {"points": ["1,2", "4"], "vote_type": "cumulative", "max_points": 5}


def line_of(start: str) -> int:
    """The number of the first line that begins with *start*."""
    return next(number for number, line in enumerate(LINES, 1) if line.startswith(start))


def changed(start: str, *new: str) -> str:
    """The file with other lines instead of the first that begins with *start*."""
    at = line_of(start) - 1
    return "\n".join([*LINES[:at], *new, *LINES[at + 1 :]]) + "\n"


BROKEN = {
    "budget of nothing": (changed("budget", "budget;0"), "budget", "sensible"),
    "budget below nothing": (changed("budget", "budget;-5"), "budget", "no amount"),
    "budget beyond reason": (changed("budget", "budget;1" + "0" * 17), "budget", "sensible"),
    "budget too long": (changed("budget", "budget;" + "9" * 500), "budget", "no amount"),
    "budget no number": (changed("budget", "budget;NaN"), "budget", "no amount"),
    "budget in powers": (changed("budget", "budget;1e6"), "budget", "no amount"),
    "budget with a comma": (changed("budget", 'budget;"10,5"'), "budget", "no amount"),
    "budget infinite": (changed("budget", "budget;inf"), "budget", "no amount"),
    "budget too fine": (changed("budget", "budget;10.001"), "budget", "finer"),
    "budget missing": (changed("budget"), "META", "no budget"),
    "budget empty": (changed("budget", "budget;"), "budget", "no budget"),
    "key twice": (changed("rule", "rule;greedy", "unit;Twice"), "rule", "there already"),
    "value without a key": (changed("rule", ";greedy"), "rule", "without a key"),
    "key alone": (changed("rule", "rule"), "rule", "2 columns"),
    "three values": (changed("rule", "rule;greedy;fair"), "rule", "2 columns"),
    "no such rule": (changed("rule", "rule;fairest"), "rule", "no rule"),
    "no such type": (changed("vote_type", "vote_type;secret"), "vote_type", "not one of"),
    "points missing": (changed("vote_type", "vote_type;scoring"), "voter_id", "no points"),
    "too few projects": (changed("num_pro", "num_projects;3"), "num_projects", "there are 2"),
    "too few votes": (changed("num_votes", "num_votes;4"), "v2", "there are 3"),
    "votes not whole": (changed("num_votes", "num_votes;3.5"), "num_votes", "whole number"),
    "no title": (changed("META", "HEAD"), "META", "META should begin"),
    "other columns": (changed("key;value", "value;key"), "key;value", "key;value"),
    "no projects at all": (changed("PROJECTS"), "PROJECTS", "2 columns"),
    "no cost": (changed("project_id", "project_id;price;votes"), "project_id", "cost is missing"),
    "wrong first": (changed("project_id", "id;cost;votes"), "project_id", "first column"),
    "column twice": (changed("project_id", "project_id;cost;cost"), "project_id", "same name"),
    "project twice": (changed("b;50", "a;50;2"), "b;50", "already, in row"),
    "project nameless": (changed("b;50", ";50;2"), "b;50", "project_id"),
    "project with a comma": (changed("b;50", '"b,c";50;2'), "b;50", "project_id"),
    "project without cost": (changed("b;50", "b;;2"), "b;50", "no amount"),
    "project too short": (changed("b;50", "b;50"), "b;50", "3 columns, this row 2"),
    "project too long": (changed("b;50", "b;50;2;1"), "b;50", "3 columns, this row 4"),
    "votes of a project wrong": (changed("b;50", "b;50;7"), "b;50", "has 7 votes, counted: 2"),
    "vote for no project": (changed("v1", "v1;c"), "v1", "'c', which is no project"),
    "vote for nobody": (changed("v1", "v1;"), "v1", "for 0 projects"),
    "empty place in a vote": (changed("v1", "v1;a,,b"), "v1", "no project"),
    "project twice in a vote": (changed("v1", "v1;a,a"), "v1", "twice"),
    "voter twice": (changed("v2", "v1;b"), "v2", "voted before"),
    "voter nameless": (changed("v2", ";b"), "v2", "without a voter_id"),
    "vote too short": (changed("v2", "v2"), "v2", "2 columns, this row 1"),
    "vote too long": (changed("v2", "v2;b;internet"), "v2", "2 columns, this row 3"),
    "vote column missing": (changed("voter_id", "voter_id;choice"), "voter_id", "vote is missing"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_named_with_its_row(case: str) -> None:
    text, start, problem = BROKEN[case]
    with pytest.raises(BrokenPbFile, match=problem) as caught:
        read_text(text)
    after = case in ("key twice", "no projects at all", "budget missing")
    assert caught.value.row - line_of(start) in ((0, 1) if after else (0,))
    first = {"row": caught.value.row, "problem": caught.value.problem}
    assert caught.value.facts | first == caught.value.facts
    assert (caught.value.facts["rows"][0], caught.value.facts["more"]) == (first, False)


def test_the_file_that_they_were_broken_from_is_right() -> None:
    assert read_text(RIGHT).totals.votes == {"a": 2, "b": 2}


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        ("-1,2", "whole number"),
        ("1.5,2", "whole number"),
        ("NaN,2", "whole number"),
        ("٣,2", "whole number"),
        ("1", "1 number of points for 2"),
        ("", "0 numbers of points for 2"),
        ("6,2", "6 points"),
        ("9999999999999,2", "whole number"),
    ],
)
def test_points_that_nobody_could_give_are_refused(points: str, problem: str) -> None:
    text = pb_text({"a": 5, "b": 5}, ["a,b", "b"], 9, **SCORED | {"points": [points, "4"]})
    with pytest.raises(BrokenPbFile, match=problem) as caught:
        read_text(text)
    assert caught.value.row == text.splitlines().index("v0;a,b;" + points) + 1


@pytest.mark.parametrize(
    ("more", "vote", "problem"),
    [
        ({"max_length": 1}, "a,b", "allowed: from 1 to 1"),
        ({"min_length": 2}, "a", "allowed: from 2"),
        ({"vote_type": "choose-1"}, "a,b", "from 1 to 1"),
        ({"vote_type": "ordinal", "max_length": 1}, "a,b", "from 1 to 1"),
    ],
)
def test_ballots_longer_or_shorter_than_allowed_are_refused(
    more: dict[str, Any], vote: str, problem: str
) -> None:
    with pytest.raises(BrokenPbFile, match=problem):
        read_text(pb_text({"a": 5, "b": 5}, [vote], 9, **more))


def test_a_blank_ballot_is_one_where_the_file_allows_it() -> None:
    election = read_text(pb_text({"a": 5}, ["", "a"], 9, min_length=0))
    assert (election.totals.ballots, election.totals.blank) == (2, 1)


def test_points_beside_approvals_are_refused() -> None:
    with pytest.raises(BrokenPbFile, match="points in a vote of type approval"):
        read_text(pb_text({"a": 5}, ["a"], 9, points=["3"]))


def test_equal_shares_of_points_is_refused() -> None:
    with pytest.raises(BrokenPbFile, match="approval ballots only"):
        read_text(pb_text({"a": 5}, ["a"], 9, "equalshares", points=["3"], vote_type="scoring"))


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (b"v1;a\0", "NUL"),
        (b"v1;a\xff", "byte 5 of the row is not UTF-8"),
        (b"v1;\xed\xa0\x80", "not UTF-8"),
        (b"v1;a\rb", "not a row"),
        (b'"v1;a', "columns|not a row|UTF-8|ends"),
        (b"v1;" + b"a," * 600_000, "longer than"),
    ],
    ids=["NUL", "no UTF-8", "half a pair", "lone return", "open quotes", "endless"],
)
def test_what_is_no_text_is_refused(bad: bytes, problem: str) -> None:
    at = line_of("v1")
    lines = [*RIGHT.encode().splitlines()]
    lines[at - 1] = bad
    with pytest.raises(BrokenPbFile, match=problem) as caught:
        read_text(b"\n".join(lines))
    assert caught.value.row == at


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_BYTES", len(RIGHT) - 1)
    with pytest.raises(BrokenPbFile, match="larger than") as caught:
        read_text(RIGHT)
    assert caught.value.row == len(LINES)


@pytest.mark.parametrize("text", ["", "\n\n", "META", "META\nkey;value", "VOTES\nvoter_id;vote"])
def test_half_a_file_is_refused(text: str) -> None:
    with pytest.raises(BrokenPbFile):
        read_text(text)


def test_every_file_that_is_cut_off_is_refused() -> None:
    for end in range(len(LINES)):
        with pytest.raises(BrokenPbFile):
            read_text("\n".join(LINES[:end]))


def test_whoever_keeps_ballots_learns_of_a_fault_before_the_end() -> None:
    """Totals are not to be trusted before the last ballot: a fault there must still come."""
    reader = Reader(io.BytesIO(changed("v2", "v1;b").encode()))
    kept: list[Ballot] = []
    with pytest.raises(BrokenPbFile, match="voted before"):
        kept.extend(reader)


def swap(text: str, at: int, new: str) -> str:
    return text[:at] + new + text[at + 1 :]


@settings(max_examples=500)
@given(st.integers(0, len(RIGHT) - 1), st.sampled_from(list(';,\n"-.x0\0é')))
def test_a_slip_in_any_place_gives_an_error_with_a_row_or_another_file(at: int, new: str) -> None:
    """Never any other exception, and never a row that the file has not got."""
    text = swap(RIGHT, at, new)
    fault = fault_of(text)
    assert fault is None or 1 <= fault.row <= text.count("\n") + 1


def fault_of(text: str) -> BrokenPbFile | None:
    try:
        election = read_text(text)
    except BrokenPbFile as error:
        return error
    assert election.totals.ballots == election.head.num_votes
    return None


@given(st.binary(max_size=300))
def test_whatever_bytes_come_they_are_read_or_refused(content: bytes) -> None:
    with pytest.raises(BrokenPbFile):
        read(io.BytesIO(content))


def test_of_a_voter_who_votes_thrice_the_second_row_is_named() -> None:
    votes = [f"v{number};a" for number in (3, 1, 2, 1, 3, 1)]
    at = line_of("v0")
    text = "\n".join([*LINES[: at - 1], *votes]).replace("num_votes;3", "num_votes;6")
    with pytest.raises(BrokenPbFile, match="voted before") as caught:
        read_text(text)
    assert caught.value.row == at + 3


def check_rows(make: Callable[[], str]) -> list[int]:
    return [row.line for row in rows.rows_of(io.BytesIO(make().encode()))]


def test_rows_know_where_they_begin_even_after_one_of_several_lines() -> None:
    found = check_rows(lambda: 'a;b\n"c\nd";e\n\nf;g\n')
    assert found == [1, 2, 5]
    assert all(first < second for first, second in pairwise(found))
