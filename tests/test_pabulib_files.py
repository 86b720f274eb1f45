"""Real elections: what we read from their files, and whom we fund."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mvote.budget.allocating.allocation import Allocation, allocate
from mvote.budget.allocating.comparisons import under
from mvote.budget.pabulib.contests import contest_of, notes_of
from mvote.budget.pabulib.reading import PbElection, read
from tests.support.pb import pb_text, read_text

FILES = (
    "Netherlands_Assen_2024",
    "Poland_Gdynia_2024_Srodmiescie__small",
    "Poland_Katowice_2023_Welnowiec_-_Jozefowiec",
    "Poland_Krakow_2023_Zwierzyniec",
    "Poland_Swiecie_2023",
    "Poland_Warszawa_2017_Plac_Wojska_Polskiego",
    "Switzerland_Zurich_D10",
)


@pytest.fixture(params=FILES)
def real(request: pytest.FixtureRequest, shared_data: Path) -> tuple[PbElection, dict[str, Any]]:
    """A real election, and what is known of it."""
    folder, name = shared_data / "pabulib", f"{request.param}.pb"
    with (folder / name).open("rb") as file:
        election = read(file)
    return election, json.loads((folder / "expected.json").read_text())[name]


def references(allocation: Allocation) -> list[str]:
    return sorted(each.reference for each in allocation.funded)


def test_the_published_winners_are_funded(real: tuple[PbElection, dict[str, Any]]) -> None:
    election, expected = real
    found = references(allocate(contest_of(election)))
    if expected["rule"] == "unknown":
        assert found == expected["greedy"]
        assert "does not say by which rule" in notes_of(election)[0]
    else:
        assert found == expected["published_selected"]
        assert found == sorted(e.reference for e in election.head.projects if e.selected)


def test_other_rules_fund_whom_they_should(real: tuple[PbElection, dict[str, Any]]) -> None:
    election, expected = real
    contest = contest_of(election)
    if expected["rule"] in ("greedy", "unknown", "greedy-threshold"):
        assert references(allocate(under(contest, "greedy"))) == expected["greedy"]
    for key, name in (("none", "equal_shares"), ("add1", "equal_shares/add1")):
        if f"equal_shares_{key}" in expected and not (is_fully_funded(election) and key == "add1"):
            assert references(allocate(under(contest, name))) == expected[f"equal_shares_{key}"]


def is_fully_funded(election: PbElection) -> bool:
    """There is enough for all: by our rule add1 then ends with all, as it does in pabutools.

    Whoever worked out what is expected stopped earlier.
    """
    return election.head.meta.get("fully_funded") == "1"


def test_where_there_is_enough_for_all_add1_funds_all(shared_data: Path) -> None:
    with (shared_data / "pabulib" / f"{FILES[5]}.pb").open("rb") as file:
        election = read(file)
    assert is_fully_funded(election)
    allocation = allocate(under(contest_of(election), "equal_shares/add1"))
    assert len(references(allocation)) == len(election.head.projects)


def test_votes_and_points_are_counted_as_published(
    real: tuple[PbElection, dict[str, Any]],
) -> None:
    election, expected = real
    assert (election.totals.ballots, len(election.head.projects)) == (
        expected["num_votes"],
        expected["num_projects"],
    )
    counted = {
        each.reference: [
            election.totals.votes[each.reference],
            election.totals.points[each.reference],
        ]
        for each in election.head.projects
    }
    assert counted == expected["tally"]


def test_money_is_in_the_smallest_unit() -> None:
    election = read_text(pb_text({"a": "600.5", "b": 500}, ["a"], "1721.65", currency="PLN"))
    assert election.head.budget == 172_165
    assert [each.cost for each in election.head.projects] == [60_050, 50_000]
    won = read_text(pb_text({"a": 600}, ["a"], 1000, currency="KRW"))
    assert won.head.budget == 1000
    assert won.head.rule.rule.step == 1


def test_an_ordinal_ballot_counts_by_the_longest_that_the_file_allows() -> None:
    text = pb_text({"a": 5, "b": 5, "c": 5}, ["b,a", "c"], 9, vote_type="ordinal", max_length=3)
    assert read_text(text).totals.points == {"b": 3, "a": 2, "c": 3}


def test_an_ordinal_ballot_without_a_longest_counts_by_all_projects() -> None:
    text = pb_text(dict.fromkeys("abcd", 5), ["b,a"], 9, vote_type="ordinal")
    assert read_text(text).totals.points == {"b": 4, "a": 3}


def test_points_are_added_up() -> None:
    text = pb_text({"a": 5, "b": 5}, ["a,b", "b"], 9, points=["1,2", "4"], vote_type="cumulative")
    election = read_text(text)
    assert election.totals.points == {"a": 1, "b": 6}
    assert references(allocate(contest_of(election))) == ["b"]


def test_projects_that_a_scoring_ballot_leaves_out_have_the_default_score() -> None:
    text = pb_text(
        {"a": 5, "b": 5}, ["a", "a"], 9, points=["1", "1"], vote_type="scoring", default_score=2
    )
    assert references(allocate(contest_of(read_text(text)))) == ["b"]


def test_a_withdrawn_project_does_not_stop_the_others() -> None:
    text = pb_text({"a": 999999999, "b": 5}, ["a", "a,b"], 9, "greedy-no-skip")
    election = read_text(text)
    assert references(allocate(contest_of(election))) == ["b"]
    assert "Withdrawn after the vote: a." in notes_of(election)


@pytest.mark.parametrize("rule", ["greedy-custom", "unknown"])
def test_rules_that_are_not_known_are_greedy_and_said_to_be_so(rule: str) -> None:
    election = read_text(pb_text({"a": 5, "b": 5}, ["a"], 9, rule))
    assert references(allocate(contest_of(election))) == ["a"]
    assert "allocated greedily" in notes_of(election)[0]


def test_the_files_threshold_is_the_floor() -> None:
    text = pb_text(
        {"a": 5, "b": 5}, ["a,b", "a"], 99, "greedy-threshold", min_project_score_threshold=2
    )
    assert references(allocate(contest_of(read_text(text)))) == ["a"]


@pytest.mark.parametrize(
    ("comment", "expected", "said"),
    [
        ("#1: Mutually exclusive projects: a,b | c,x", ["a", "c"], False),
        ("#1: In some places only one is built.", ["a", "b", "c"], True),
    ],
)
def test_exclusive_projects_are_those_that_a_comment_of_ours_names(
    comment: str, expected: list[str], said: bool
) -> None:
    costs = dict.fromkeys("abc", 5)
    election = read_text(pb_text(costs, ["a,b,c", "a"], 99, "greedy-exclusive", comment=comment))
    assert references(allocate(contest_of(election))) == expected
    assert bool(notes_of(election)) is said


def test_spaces_capitals_marks_and_line_ends_of_other_systems_do_no_harm() -> None:
    text = pb_text({"a": 5}, ["a"], 9).replace(";", "; ").replace("\n", "\r\n")
    text = "\ufeff" + text.replace("PROJECTS", "projects") + "\r\n\r\n"
    assert read_text(text).totals.votes == {"a": 1}


def test_what_stands_in_quotes_may_hold_semicolons() -> None:
    text = pb_text({"a": 5}, ["a"], 9, description='"one; ""two"""')
    assert read_text(text).head.meta["description"] == 'one; "two"'
