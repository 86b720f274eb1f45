"""A cycle's JSON becomes a contest, and an allocation becomes JSON."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from mvote.budget.allocating.allocation import Allocation, allocate
from mvote.budget.allocating.comparisons import compare
from mvote.budget.allocating.cycle_rules import contest_of, exact, rule_of
from mvote.budget.allocating.documents import document, rule_name
from mvote.budget.allocating.errors import AllocationImpossible, SourceMissing
from mvote.budget.allocating.model import Blend, Heading, Project, Tally
from mvote.budget.definition.contests import Allocation as Said
from tests.support.contests import approval_contest
from tests.test_allocation_greedy import codes, funded

BILLION = 10**9
CYCLE: dict[str, Any] = {
    "budget_limit": 50 * BILLION,
    "headings": [
        {"key": "city", "limit": 37_500_000_000, "leftover": "stays"},
        {"key": "local", "limit": 12_500_000_000, "decided": "elsewhere"},
        {"key": "f1", "parent": "city"},
        {"key": "f2", "parent": "city"},
    ],
    "contests": [
        {
            "key": "city",
            "headings": ["city"],
            "sources": [
                {"key": "citizens", "kind": "poll", "weight": 45},
                {"key": "committee", "kind": "poll", "weight": 45},
                {"key": "survey", "kind": "statement", "weight": 10},
            ],
            "blend": {"normalise": "share_of_votes", "missing": "block", "min_ballots": 5},
            "allocation": {
                "rule": "greedy",
                "on_no_fit": "skip",
                "floor": None,
                "exclusive": [],
                "part_funding": False,
                "ties": ["citizens", "committee", "lower_cost", "lot"],
                "compare": ["citizens_only", "no_skip", "equal_shares"],
            },
        }
    ],
}
PROJECTS = (
    Project("P-1", 20 * BILLION, "f1"),
    Project("P-2", 18 * BILLION, "f2"),
    Project("P-3", 17 * BILLION, "f2"),
)
TALLIES = {
    "citizens": Tally({"P-1": 50, "P-2": 30, "P-3": 20}, 60),
    "committee": Tally({"P-1": 20, "P-2": 10, "P-3": 20}, 25),
    "survey": Tally({"P-1": 1, "P-2": 1, "P-3": 8}, 10),
}


def allocated(**tallies: Tally) -> Allocation:
    return allocate(
        contest_of(CYCLE, "city", projects=PROJECTS, tallies=TALLIES | tallies, seed=b"s")
    )


def test_the_model_of_2015_is_allocated_as_it_is_written() -> None:
    allocation = allocated()
    scores = allocation.scores.scores
    assert scores["P-1"] == 45 * Fraction(1, 2) + 45 * Fraction(2, 5) + 10 * Fraction(1, 10)
    assert [each.reference for each in allocation.order] == ["P-1", "P-3", "P-2"]
    assert funded(allocation) == ["P-1", "P-3"]
    assert allocation.decisions["P-2"].heading == "city"
    assert allocation.decisions["P-2"].left == 500_000_000


def test_a_source_with_too_few_ballots_blocks_it() -> None:
    with pytest.raises(SourceMissing):
        allocated(survey=Tally({"P-1": 4}, 4))


def test_what_other_rules_would_give_stands_beside_it() -> None:
    found = {each.name: each for each in compare(allocated().contest)}
    citizens, stopped = found["citizens_only"].allocation, found["no_skip"].allocation
    assert citizens is not None
    assert stopped is not None
    assert funded(citizens) == ["P-1", "P-3"]
    assert [each.reference for each in citizens.order] == ["P-1", "P-2", "P-3"]
    assert codes(stopped)["P-2"] == "does_not_fit"
    assert found["equal_shares"].allocation is None
    assert "approvals" in (found["equal_shares"].reason or "")


def test_headings_of_other_contests_are_decided_elsewhere() -> None:
    cycle = CYCLE | {
        "headings": [{"key": "city"}, {"key": "gu", "limit": 9}, {"key": "dong", "parent": "gu"}]
    }
    contest = contest_of(cycle, "city", projects=(), tallies={}, seed=b"")
    assert contest.headings == (
        Heading("city"),
        Heading("gu", 9, elsewhere=True),
        Heading("dong", None, "gu", elsewhere=True),
    )


def test_exclusive_sets_may_name_groups_and_what_is_not_on_the_ballot_plays_no_part() -> None:
    (definition,) = CYCLE["contests"]
    allocation = definition["allocation"] | {"exclusive": [["roads", "P-9"], ["P-1", "P-9"]]}
    cycle = CYCLE | {"contests": [definition | {"allocation": allocation}]}
    groups = {"roads": ["P-2", "P-3"]}
    made = contest_of(cycle, "city", projects=PROJECTS, tallies=TALLIES, seed=b"s", groups=groups)
    assert made.rule.exclusive == (frozenset({"P-2", "P-3"}),)
    assert codes(allocate(made))["P-2"] == "excluded_by"


def test_what_a_definition_leaves_open_may_be_said_as_null() -> None:
    rule = rule_of({"rule": "equal_shares", "completion": None, "step": None, "floor": None})
    assert (rule.completion, rule.step, rule.ties) == ("none", 1_000, ("lower_cost", "lot"))


def test_what_a_definition_leaves_out_is_what_its_reader_takes_for_it() -> None:
    rule, said = rule_of({"rule": "greedy"}), Said(rule="greedy")
    assert (rule.ties, rule.on_no_fit, rule.step) == (said.ties, said.on_no_fit, said.step)


def test_several_sources_without_a_blend_are_blended_as_usual() -> None:
    (definition,) = CYCLE["contests"]
    bare = {name: said for name, said in definition.items() if name != "blend"}
    cycle = CYCLE | {"contests": [bare]}
    made = contest_of(cycle, "city", projects=PROJECTS, tallies=TALLIES, seed=b"s")
    assert made.blend == Blend()
    alone = cycle | {"contests": [bare | {"sources": definition["sources"][:1]}]}
    assert contest_of(alone, "city", projects=(), tallies=TALLIES, seed=b"").blend is None


def test_the_scale_of_scores_is_that_of_the_blend() -> None:
    (definition,) = CYCLE["contests"]
    blend = {"normalise": "of_scale", "scale": 5}
    cycle = CYCLE | {"contests": [definition | {"blend": blend}]}
    made = contest_of(cycle, "city", projects=PROJECTS, tallies=TALLIES, seed=b"s")
    assert allocate(made).scores.shares["survey"]["P-3"] == Fraction(8, 50)


def test_a_contest_that_is_not_there_is_refused() -> None:
    with pytest.raises(AllocationImpossible, match="no contest gu"):
        contest_of(CYCLE, "gu", projects=(), tallies={}, seed=b"")


def test_fractions_come_as_text_and_stay_exact() -> None:
    assert [exact(each) for each in (3, "1/10", "0.1", "4/2")] == [
        3, Fraction(1, 10), Fraction(1, 10), 2,
    ]  # fmt: skip
    assert rule_of({"rule": "greedy", "floor": "1/3"}).floor == Fraction(1, 3)


@pytest.mark.parametrize("name", ["equal_shares", "equal_shares/add1", "equal_shares/add1u"])
def test_a_rule_is_called_as_it_is_written(name: str) -> None:
    rule = rule_of({"rule": name})
    assert rule_name(rule) == name
    assert rule.step == 1_000


def test_the_document_holds_whole_numbers_and_fractions_as_text() -> None:
    allocation = allocated()
    found = document(allocation, compare(allocation.contest), rule="greedy")
    assert json.loads(json.dumps(found)) == found
    binding, (first, second, third) = found["binding"], found["binding"]["projects"]
    assert [each["reference"] for each in binding["funded"]] == ["P-1", "P-3"]
    assert binding["funded"][0]["amount"] == 20 * BILLION
    assert binding["spent"] == 37 * BILLION
    assert (first["score"], first["decision"], first["score_missing"]) == ("83/2", "funded", None)
    assert second["shares"]["citizens"] == "1/5"
    assert (third["heading"], third["left"]) == ("city", 500_000_000)
    assert third["score_missing"] == 18  # it would have to come before P-1: 41.5 - 23.5
    assert [each["rule"] for each in found["comparisons"]] == [
        "citizens_only", "no_skip", "equal_shares",
    ]  # fmt: skip


def test_the_document_of_equal_shares_tells_what_each_voter_had() -> None:
    made = approval_contest({"a": 60, "b": 41}, {("a", "b"): 1, ("a",): 1, ("b",): 1}, 100)
    found = document(allocate(made), (), rule=rule_name(made.rule))["binding"]
    assert found["funded"] == [{"reference": "b", "amount": 41, "votes": 2}]
    assert found["equal_shares"]["money_each"] == "100/3"
    assert found["projects"][1]["supporters_money"] == "277/6"
