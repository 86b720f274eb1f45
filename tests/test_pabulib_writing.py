"""What we write as .pb comes back as it was, and the format's own checker has nothing to say."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pabulib.checker import Checker

from mvote.budget.allocating.allocation import Allocation, allocate
from mvote.budget.allocating.model import Contest, Rule
from mvote.budget.pabulib import reading
from mvote.budget.pabulib.ballots import Ballot
from mvote.budget.pabulib.contests import contest_of
from mvote.budget.pabulib.money import Currency
from mvote.budget.pabulib.rules import name_of, rule_named
from mvote.budget.pabulib.writing import Counted, Export, written
from tests.support.contests import approval_contest, elections
from tests.test_allocation_greedy import funded

EXPORT = Export(
    "서울 주민참여예산",
    "2024",
    "approval",
    dt.date(2024, 7, 16),
    dt.date(2024, 7, 25),
    Currency("KRW"),
)
COSTS = {"a": 60, "b": 50, "c": 30}
APPROVALS: dict[tuple[str, ...], int] = {("a", "b"): 3, ("b", "c"): 1, ("a",): 1}


def rows_of(allocation: Allocation) -> list[Counted]:
    (source,) = allocation.contest.sources
    taken, votes = funded(allocation), source.tally.votes if source.tally else {}
    rows = []
    for project in allocation.order:
        count = int(votes.get(project.reference, 0))
        name = f"{project.reference} 사업"
        rows.append(Counted(project, name, count, count, project.reference in taken))
    return rows


def ballots_of(approvals: dict[tuple[str, ...], int]) -> list[Ballot]:
    return [
        Ballot(marks, (1,) * len(marks)) for marks, count in approvals.items() for _ in range(count)
    ]


def file_of(contest: Contest, ballots: Sequence[Ballot], export: Export = EXPORT) -> bytes:
    allocation = allocate(contest)
    return b"".join(written(export, contest, rows_of(allocation), ballots, len(ballots)))


def faults(content: bytes) -> dict[str, Any]:
    """What pabulib-checker holds against the file, warnings apart."""
    found = Checker().process_files([content.decode()])[1]["results"]
    errors: dict[str, Any] = found.get("errors", {}) if isinstance(found, dict) else {}
    return errors


def test_an_exported_election_comes_back_as_it_was() -> None:
    contest = approval_contest(COSTS, APPROVALS, 100, rule="greedy")
    reader = reading.Reader(io.BytesIO(file_of(contest, ballots_of(APPROVALS))))
    assert [ballot.references for ballot in reader] == [
        marks for marks, count in APPROVALS.items() for _ in range(count)
    ]
    assert reader.totals.votes == {"a": 4, "b": 4, "c": 1}
    assert reader.head.budget == 100
    assert {each.reference: each.selected for each in reader.head.projects} == {
        "a": 0, "b": 1, "c": 1,
    }  # fmt: skip


def test_the_checker_accepts_an_exported_election() -> None:
    contest = approval_contest(COSTS, APPROVALS, 100, rule="greedy")
    assert faults(file_of(contest, ballots_of(APPROVALS))) == {}


def test_the_checker_finds_a_wrong_winner() -> None:
    """The twin: it would have found one."""
    content = file_of(approval_contest(COSTS, APPROVALS, 100, rule="greedy"), ballots_of(APPROVALS))
    wrong = content.replace("b 사업;1".encode(), "b 사업;0".encode())
    assert wrong != content
    assert "greedy rule not followed" in faults(wrong)


@pytest.mark.parametrize(
    "rule",
    [
        {"rule": "greedy", "floor": 2},
        {"rule": "greedy", "on_no_fit": "stop"},
        {"rule": "greedy", "exclusive": ["ab"]},
        {"rule": "equal_shares"},
        {"rule": "equal_shares", "completion": "add1"},
        {"rule": "equal_shares", "completion": "add1", "comparison": True},
    ],
)
def test_the_checker_accepts_every_rule_that_it_knows(rule: dict[str, Any]) -> None:
    contest = approval_contest(COSTS, APPROVALS, 100, **rule)
    content = file_of(contest, ballots_of(APPROVALS))
    assert faults(content) == {}
    again = contest_of(read(content))
    assert (again.rule.rule, again.rule.floor, again.rule.exclusive) == (
        contest.rule.rule,
        contest.rule.floor,
        contest.rule.exclusive,
    )


def read(content: bytes) -> reading.PbElection:
    return reading.read(io.BytesIO(content))


@settings(deadline=None, max_examples=40)
@given(elections(), st.sampled_from(["greedy", "equal_shares"]))
def test_any_election_comes_back_with_the_same_allocation(election: Any, rule: str) -> None:
    contest = approval_contest(*election, rule=rule, ties=("lower_cost", "lot"))
    again = contest_of(read(file_of(contest, ballots_of(election[1]))))
    assert funded(allocate(replace(again, seed=contest.seed))) == funded(allocate(contest))


def test_points_are_written_beside_their_projects_the_most_first() -> None:
    export = replace(EXPORT, vote_type="cumulative", limits={"max_sum_points": 5})
    contest = approval_contest(COSTS, {}, 100, rule="greedy")
    ballots = [Ballot(("a", "b"), (2, 3)), Ballot(("c",), (5,))]
    content = b"".join(written(export, contest, rows_of(allocate(contest))[:0], ballots, 2))
    assert b"1;b,a;3,2\n2;c;5\n" in content


def test_money_is_written_in_the_currency_with_cents_where_there_are_any() -> None:
    assert [Currency("PLN").written(each) for each in (172_165, 5_000, 5)] == [
        "1721.65", "50", "0.05",
    ]  # fmt: skip
    assert Currency("KRW").written(50) == "50"


@given(st.integers(1, 10**15), st.sampled_from(["KRW", "PLN", "KWD", ""]))
def test_money_written_and_read_is_the_same(amount: int, code: str) -> None:
    assert Currency(code).read(Currency(code).written(amount)) == amount


def test_a_struck_project_is_named_and_never_funded_again() -> None:
    contest = approval_contest(COSTS, APPROVALS, 100, rule="greedy", struck=["b"])
    again = contest_of(read(file_of(contest, ballots_of(APPROVALS))))
    assert funded(allocate(again)) == funded(allocate(contest)) == ["a", "c"]


def test_nothing_of_the_voters_but_a_number_is_written() -> None:
    content = file_of(approval_contest(COSTS, APPROVALS, 100, rule="greedy"), ballots_of(APPROVALS))
    assert b"VOTES\nvoter_id;vote\n1;" in content


def test_what_would_break_a_row_is_taken_out_of_names_or_quoted() -> None:
    contest = approval_contest({"a": 5}, {("a",): 1}, 9, rule="greedy")
    row = Counted(contest.projects[0], 'x;\n"y"', 1, 1, funded=True)
    content = b"".join(written(EXPORT, contest, [row], [Ballot(("a",), (1,))], 1))
    assert read(content).head.projects[0].name == 'x; "y"'


def test_ballots_that_do_not_come_are_missed() -> None:
    contest = approval_contest({"a": 5}, {("a",): 1}, 9, rule="greedy")
    with pytest.raises(ValueError, match="2 ballots announced, 1 came"):
        list(written(EXPORT, contest, [], [Ballot(("a",), (1,))], 2))


@pytest.mark.parametrize(
    "name",
    ["greedy", "greedy-no-skip", "equalshares", "equalshares/add1", "equalshares/add1u",
     "equalshares-comparison", "equalshares/add1-comparison", "equalshares/add1u-comparison"],
)  # fmt: skip
def test_a_rules_name_is_its_own(name: str) -> None:
    rule = rule_named(name, step=1)
    assert rule is not None
    assert name_of(rule.rule) == name


def test_a_rule_without_a_name_is_called_custom() -> None:
    assert name_of(Rule(part_funding=True)) == "greedy-custom"
    assert rule_named("fairest", step=1) is None
