"""A definition that contradicts itself is found out, each contradiction by its code and place."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mvote.budget.allocating.comparisons import COMPLETIONS, WAYS
from mvote.budget.allocating.cycle_rules import contest_of
from mvote.budget.contradictions import contradictions
from mvote.budget.contradictions.texts import TEXTS
from mvote.budget.definition import read_definition
from mvote.languages import said
from tests.support.budgets import YEARS, Definition, definition_of

HANGUL = re.compile(r"[가-힣]")
Change = tuple[str, Any]
"""A JSON pointer into the definition of 2015, and what is put there."""


def changed(*changes: Change, year: int = 2015) -> Definition:
    definition = definition_of(year)
    for place, value in changes:
        steps = [int(step) if step.isdigit() else step for step in place.split("/")[1:]]
        definition = _put(definition, steps, value)
    return definition


def _put(whole: Any, steps: list[Any], value: Any) -> Any:
    """With the value there; behind the end of a list it is added, a new member is made."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(whole, list):
        return [*whole[:first], _put(whole[first] if first < len(whole) else None, rest, value),
                *whole[first + 1:]]  # fmt: skip
    return (whole or {}) | {first: _put((whole or {}).get(first), rest, value)}


def found_in(definition: Definition) -> set[tuple[str, str]]:
    return {(each.code, each.pointer) for each in contradictions(read_definition(definition))}


@pytest.mark.parametrize("year", YEARS)
def test_no_real_cycle_contradicts_itself(year: int) -> None:
    assert found_in(definition_of(year)) == set()


C, A, B, R = "/contests/0", "/contests/0/allocation", "/contests/0/ballot", "/review"
L0, S0 = f"{B}/limits/0", f"{C}/sources/0"
ONE_POLL = (f"{C}/sources", [{"key": "citizens", "kind": "poll", "weight": 1}])
EQUAL = (
    ONE_POLL,
    (A, {"rule": "equal_shares", "ties": ["lot"]}),
)
CASES: list[tuple[str, str, tuple[Change, ...]]] = [
    ("key-repeated", "/headings/3/key", (("/headings/3/key", "f1"),)),
    ("key-repeated", "/kinds/1/key", (("/kinds/1/key", "works"),)),
    ("key-repeated", "/review/criteria/1/key", (("/review/criteria/1/key", "need"),)),
    ("key-repeated", f"{C}/sources/1/key", ((f"{C}/sources/1/key", "citizens"),)),
    ("unknown-parent", "/headings/2/parent", (("/headings/2/parent", "nowhere"),)),
    ("headings-in-a-circle", "/headings/0/parent", (("/headings/0/parent", "f1"),)),
    ("headings-in-a-circle", "/headings/2/parent", (("/headings/2/parent", "f1"),)),
    ("limit-above-parent", "/headings/0/limit", (("/headings/0/limit", 50_000_000_001),)),
    ("limit-above-parent", "/headings/2/limit", (("/headings/2/limit", 37_500_000_001),)),
    ("heading-without-money", "/headings/2", (("/headings/2/limit", 0),)),
    ("heading-without-money", "/headings/0", (("/headings/1/limit", 50_000_000_000),)),
    ("heading-without-money", "/headings/0", (("/budget_limit", 0), ("/headings/0/limit", 0),
                                              ("/headings/1/limit", 0))),
    ("heading-without-limit", "/headings/10", (("/budget_limit", None),
                                               ("/headings/10", {"key": "new"}),)),
    ("leftover-without-parent", "/headings/0/leftover", (("/budget_limit", None),
                                                         ("/headings/0/leftover", "to_parent"))),
    ("unknown-heading", "/cost_caps/0/heading", (("/cost_caps/0", {"heading": "x", "max": 1}),)),
    ("unknown-kind", "/cost_caps/0/kind", (("/cost_caps/0", {"kind": "x", "max": 1}),)),
    ("cap-of-nothing", "/cost_caps/0/max", (("/cost_caps/0", {"max": 0}),)),
    ("cap-repeated", "/cost_caps/1", (("/cost_caps", [{"kind": "works", "max": 5},
                                                      {"kind": "works", "max": 6}]),)),
    ("cap-above-limit", "/cost_caps/0/max",
     (("/cost_caps/0", {"heading": "f1", "max": 37_500_000_001}),)),
    ("cap-above-wider-cap", "/cost_caps/1/max",
     (("/cost_caps", [{"heading": "city", "max": 5}, {"heading": "f1", "kind": "works",
                                                      "max": 6}]),)),
    ("phase-repeated", "/phases/1/kind", (("/phases/1/kind", "proposing"),)),
    ("phase-ends-before-it-begins", "/phases/0/closes_at",
     (("/phases/0/closes_at", "2015-02-16T15:00:00Z"),)),
    ("phases-overlap", "/phases/1/opens_at", (("/phases/1/opens_at", "2015-03-31T14:59:59Z"),)),
    ("phases-out-of-order", "/phases/4/opens_at",
     (("/phases/4/opens_at", "2015-01-01T00:00:00Z"), ("/phases/4/closes_at",
                                                       "2015-01-02T00:00:00Z"))),
    ("no-phase-for-it", "/review", (("/phases/2/kind", "deciding"),)),
    ("no-phase-for-it", "/contests", (("/phases/3/kind", "deciding"),)),
    ("phase-without-use", "/phases/3", (("/contests", []),)),
    ("fraction-never-exceeded", f"{R}/quorum/more_than", ((f"{R}/quorum/more_than", "1/1"),)),
    ("fraction-never-exceeded", f"{R}/carried/more_than", ((f"{R}/carried/more_than", "3/2"),)),
    ("same-body", f"{R}/appeal_body", ((f"{R}/appeal_body", "subcommittee"),)),
    ("same-body", f"{R}/fallback", ((f"{R}/fallback", "subcommittee"),)),
    ("list-without-a-shortlist", f"{R}/decide/max_projects", ((f"{R}/decide/mode", "each"),)),
    ("nothing-weighs", f"{R}/criteria", ((f"{R}/criteria", [{"key": "a", "weight": 0}]),)),
    ("nothing-weighs", f"{C}/sources", tuple((f"{C}/sources/{n}/weight", 0) for n in range(3))),
    ("unknown-heading", f"{C}/headings/0", ((f"{C}/headings/0", "x"),)),
    ("heading-decided-elsewhere", f"{C}/headings/1", ((f"{C}/headings/1", "local"),)),
    ("heading-in-two-contests", f"{C}/headings/1", ((f"{C}/headings/1", "f1"),)),
    ("heading-in-no-contest", "/headings/10", (("/headings/10", {"key": "new"}),)),
    ("contest-without-a-poll", f"{C}/sources",
     ((f"{C}/sources", [{"key": "survey", "kind": "statement"}]),)),
    ("source-outside-balloting", f"{C}/sources/1/closes_at",
     ((f"{C}/sources/1/closes_at", "2015-07-25T07:00:01Z"),)),
    ("source-ends-before-it-begins", f"{C}/sources/1/closes_at",
     ((f"{C}/sources/1/closes_at", "2015-07-25T01:00:00Z"),)),
    ("statement-is-no-poll", f"{C}/sources/2/roll", ((f"{C}/sources/2/roll", "x"),)),
    ("poll-is-no-statement", f"{S0}/unit", ((f"{S0}/unit", "people"),)),
    ("ages-exclude-everyone", f"{S0}/eligibility/min_age",
     ((f"{S0}/eligibility", {"min_age": 60, "max_age": 59}),)),
    ("full-records-of-a-roll", f"{C}/sources/1/records", ((f"{C}/sources/1/records", "full"),)),
    ("full-records-without-need", f"{S0}/records", ((f"{S0}/records", "full"),)),
    ("limit-without-bounds", L0, ((L0, {"over": "all"}),)),
    ("limit-without-bounds", f"{L0}/count", ((f"{L0}/count", {}),)),
    ("min-above-max", f"{L0}/count/min", ((f"{L0}/count/min", 6),)),
    ("share-above-one", f"{L0}/count/share", ((f"{L0}/count", {"share": "31/30"}),)),
    ("share-beside-numbers", f"{L0}/count/share", ((f"{L0}/count/share", "1/3"),)),
    ("share-counts-only", f"{L0}/cost/share", ((f"{L0}/cost", {"share": "1/3"}),)),
    ("share-counts-only", f"{B}/limits/1/count/share", ((f"{B}/limits/1/count",
                                                         {"share": "1/3"}),)),
    ("unknown-heading", f"{L0}/over", ((f"{L0}/over", "heading:x"),)),
    ("heading-outside-contest", f"{L0}/over", ((f"{L0}/over", "heading:local"),)),
    ("unknown-kind", f"{L0}/over", ((f"{L0}/over", "kind:x"),)),
    ("unknown-group", f"{L0}/over", ((f"{L0}/over", "group:x"),)),
    ("never-satisfied", f"{L0}/count", ((f"{L0}/count", {"min": 10, "max": 12}),)),
    ("never-satisfied", f"{L0}/count",
     ((f"{B}/limits/2", {"over": "kind:works", "count": {"min": 6}}),)),
    ("never-satisfied", f"{L0}/count", ((f"{B}/limits/1/count", {"min": 1}),)),
    ("never-satisfied", f"{B}/limits/2/headings",
     ((f"{B}/limits/2", {"over": "all", "headings": {"min": 6}}),)),
    ("measure-of-another-method", f"{L0}/points", ((f"{L0}/points", {"max": 5}),)),
    ("measure-missing", f"{B}/method", ((f"{B}/method", "knapsack"),)),
    ("measure-missing", f"{B}/method", ((f"{B}/method", "points"),)),
    ("no-scale", f"{C}/blend/normalise", ((f"{C}/blend/normalise", "of_scale"),)),
    ("scores-without-points", f"{C}/blend/normalise", ((f"{C}/blend/normalise", "of_scale"),)),
    ("share-needs-approvals", f"{C}/blend/normalise",
     ((f"{C}/blend/normalise", "share_of_ballots"), (f"{B}/method", "ranking"))),
    ("share-needs-approvals", f"{A}/compare/1",
     ((f"{A}/compare", ["rank", "share_of_ballots"]), (f"{B}/method", "points"))),
    ("scale-without-use", f"{C}/blend/scale", ((f"{C}/blend/scale", 5),)),
    ("equal-shares-need-approval", f"{B}/method", (*EQUAL, (f"{B}/method", "ranking"))),
    ("equal-shares-need-one-pot", f"{C}/headings", (*EQUAL, ("/headings/2/limit", 5))),
    ("equal-shares-need-one-poll", f"{C}/sources", ((f"{A}/rule", "equal_shares"),)),
    ("equal-shares-need-full-records", f"{S0}/records", (*EQUAL, (f"{S0}/records", "totals"))),
    ("part-funding-needs-greedy", f"{A}/part_funding", (*EQUAL, (f"{A}/part_funding", True))),
    ("step-of-nothing", f"{A}/step", (*EQUAL, (f"{A}/step", 0))),
    ("only-of-equal-shares", f"{A}/completion", ((f"{A}/completion", "add1"),)),
    ("only-of-equal-shares", f"{A}/comparison", ((f"{A}/comparison", True),)),
    ("unknown-tie", f"{A}/ties/1", ((f"{A}/ties/1", "somebody"),)),
    ("tie-repeated", f"{A}/ties/1", ((f"{A}/ties/1", "citizens"),)),
    ("unknown-comparison", f"{A}/compare/0", ((f"{A}/compare/0", "nobody_only"),)),
    ("no-project-funded", f"{A}/max_projects", ((f"{A}/max_projects", 0),)),
    ("exclusive-set-of-one", f"{A}/exclusive/0", ((f"{A}/exclusive", [["p1", "p1"]]),)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "place", "changes"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)]
)
def test_a_contradiction_is_found_at_its_place(
    code: str, place: str, changes: tuple[Change, ...]
) -> None:
    assert (code, place) in found_in(changed(*changes))


def test_contests_that_share_money_must_divide_it() -> None:
    undivided = changed(("/headings/0", {"key": "city"}), year=2016)
    assert ("contest-without-limit", "/budget_limit") in found_in(undivided)
    too_much = changed(("/headings/0/limit", 37_500_000_001), year=2016)
    assert ("contests-overspend", "/budget_limit") in found_in(too_much)


def test_headings_lie_only_so_deep() -> None:
    chain = [{"key": "city"}] + [
        {"key": f"h{n}", "parent": f"h{n - 1}" if n else "city"} for n in range(400)
    ]
    found = found_in(changed(("/headings", chain)))
    assert ("headings-too-deep", "/headings/399/parent") in found


def test_an_equal_shares_contest_over_one_pot_is_taken() -> None:
    assert found_in(changed(*EQUAL)) == set()


@pytest.mark.parametrize("method", ["approve", "knapsack"])
def test_where_a_ballot_gives_a_project_one_vote_shares_of_ballots_are_taken(method: str) -> None:
    share = (f"{C}/blend/normalise", "share_of_ballots")
    compare = (f"{A}/compare", ["share_of_ballots"])
    found = found_in(changed(share, compare, (f"{B}/method", method)))
    assert "share-needs-approvals" not in {code for code, _ in found}


def test_every_contradiction_that_is_worded_has_a_case_and_the_other_way_round() -> None:
    tested = {code for code, _, _ in CASES}
    elsewhere = {
        "contest-without-limit", "contests-overspend", "headings-too-deep",
        "exclusive-set-never-funded",
    }  # fmt: skip
    assert tested | elsewhere == set(TEXTS)


def test_every_contradiction_is_told_in_two_languages() -> None:
    for _, _, changes in CASES:
        for each in contradictions(read_definition(changed(*changes))):
            assert HANGUL.search(said(each.text, "ko"))
            assert each.text.isascii()


def test_all_contradictions_are_named_at_once() -> None:
    apart = ("unknown-parent", "phases-overlap", "fraction-never-exceeded", "unknown-tie")
    cases = [next(case for case in CASES if case[0] == code) for code in apart]
    found = found_in(changed(*(change for _, _, changes in cases for change in changes)))
    assert {(code, place) for code, place, _ in cases} <= found


def test_whatever_allocations_can_be_compared_by_may_be_asked_for() -> None:
    names = ["skip", *COMPLETIONS, *WAYS, "citizens_only", "committee_only", "survey_only"]
    assert found_in(changed((f"{A}/compare", names))) == set()


@pytest.mark.parametrize("year", YEARS)
def test_every_contest_of_a_real_cycle_is_one_that_can_be_allocated(year: int) -> None:
    definition = definition_of(year)
    for contest in definition["contests"]:
        made = contest_of(definition, contest["key"], projects=(), tallies={}, seed=b"")
        assert made.rule.compare == tuple(contest["allocation"]["compare"])
        assert made.limit == definition["budget_limit"]
