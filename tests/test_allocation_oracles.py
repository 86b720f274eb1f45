"""Random elections against other people's programs, where their rule is the same as ours.

`pabulib-checker` breaks greedy ties by the order of the file and rounds costs down for equal
shares, so costs are whole here and elections with a tie at the cut are left out. `pabutools`
ranks greedy by utility per cost, which is the same order where the utility is the cost times the
votes; it breaks ties otherwise, too.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from pabulib.checker import Checker
from pabutools.election import ApprovalBallot, ApprovalMultiProfile, Cost_Sat, Instance
from pabutools.election import Project as ToolsProject
from pabutools.rules import greedy_utilitarian_welfare, method_of_equal_shares

from mvote.budget.allocating.allocation import allocate
from mvote.budget.allocating.greedy import greedy as greedy_rule
from mvote.budget.pabulib.contests import contest_of
from tests.support.contests import approval_contest
from tests.support.pb import pb_text, read_text
from tests.test_allocation_greedy import funded

Election = tuple[dict[str, int], list[tuple[str, ...]], int]
SEEDS = range(60)


def election_of(seed: int, *, apart: bool = True) -> Election:
    """A made-up election in which no two projects have as many votes (*apart*) or cost as much."""
    chance = random.Random(seed)
    while True:
        letters = [f"p{number}" for number in range(chance.randint(3, 9))]
        costs = dict(zip(letters, chance.sample(range(5, 80), len(letters)), strict=True))
        ballots = [
            tuple(sorted(chance.sample(letters, chance.randint(1, 3))))
            for _ in range(chance.randint(20, 60))
        ]
        votes = Counter(mark for marks in ballots for mark in marks)
        if not apart or len({votes[each] for each in letters}) == len(letters):
            return costs, ballots, chance.randint(sum(costs.values()) // 3, sum(costs.values()))


def checked(election: Election, winners: list[str], rule: str, **meta: Any) -> Mapping[str, Any]:
    """What pabulib-checker has against *winners*."""
    costs, ballots, budget = election
    text = pb_text(
        costs, [",".join(marks) for marks in ballots], budget, rule,
        selected={each: int(each in winners) for each in costs},
        counted=Counter(mark for marks in ballots for mark in marks),
        max_length=3, currency="PLN", language="pl",
        fully_funded=1 if sum(costs.values()) <= budget else None, **meta,
    )  # fmt: skip
    checker = Checker()
    found = checker.process_files([text])[1]["results"]
    assert checker.results["metadata"]["processed"] == 1
    errors: Mapping[str, Any] = {} if isinstance(found, str) else found.get("errors", {})
    return {kind: found for kind, found in errors.items() if "not followed" in kind}


def winners_of(election: Election, rule: str, **meta: Any) -> list[str]:
    costs, ballots, budget = election
    votes = [",".join(marks) for marks in ballots]
    text = pb_text(costs, votes, budget, rule, currency="PLN", **meta)
    return funded(allocate(contest_of(read_text(text))))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("rule", "meta"),
    [
        ("greedy", {}),
        ("greedy-no-skip", {}),
        ("greedy-threshold", {"min_project_score_threshold": 10}),
        ("equalshares", {}),
        ("equalshares/add1", {}),
        ("equalshares-comparison", {}),
        ("equalshares/add1-comparison", {}),
    ],
)
def test_the_checker_agrees_with_our_winners(seed: int, rule: str, meta: dict[str, Any]) -> None:
    election = election_of(seed)
    assert checked(election, winners_of(election, rule, **meta), rule, **meta) == {}


@pytest.mark.parametrize("rule", ["greedy", "equalshares/add1"])
def test_the_checker_would_not_agree_with_others(rule: str) -> None:
    """The twin: with one winner left out it finds it."""
    election = election_of(1)
    assert checked(election, winners_of(election, rule)[:-1], rule)


def tools_of(election: Election) -> tuple[Instance, ApprovalMultiProfile, dict[str, ToolsProject]]:
    costs, ballots, budget = election
    projects = {each: ToolsProject(each, cost) for each, cost in costs.items()}
    profile = ApprovalMultiProfile(
        init=[ApprovalBallot(projects[mark] for mark in marks).frozen() for marks in ballots]
    )
    return Instance(projects.values(), budget_limit=budget), profile, projects


@pytest.mark.parametrize("seed", SEEDS)
def test_pabutools_agrees_on_greedy(seed: int) -> None:
    election = election_of(seed)
    instance, profile, _ = tools_of(election)
    found = greedy_utilitarian_welfare(instance, profile, sat_class=Cost_Sat)
    ours = approval_contest(election[0], Counter(election[1]), election[2], rule="greedy")
    assert sorted(each.name for each in found) == sorted(funded(allocate(ours)))


@pytest.mark.parametrize("seed", SEEDS)
def test_pabutools_agrees_on_every_run_of_equal_shares(seed: int) -> None:
    """Its own add1 stops as soon as nothing more would fit; so the loop around it is ours."""
    costs, ballots, budget = election_of(seed)
    each = Fraction(budget, len(ballots))
    expected = tools_shares(costs, ballots, each)
    ours = approval_contest(costs, Counter(ballots), budget)
    assert sorted(funded(allocate(ours))) == expected
    for k in range(1, 1000):
        after = tools_shares(costs, ballots, Fraction(budget // len(ballots) + k))
        if sum(costs[name] for name in after) > budget or len(expected) == len(costs):
            break
        expected = after
    ours = approval_contest(costs, Counter(ballots), budget, completion="add1")
    assert sorted(funded(allocate(ours))) == expected


def tools_shares(
    costs: dict[str, int], ballots: list[tuple[str, ...]], each: Fraction
) -> list[str]:
    """What pabutools funds if every voter has *each*."""
    instance, profile, _ = tools_of((costs, ballots, 0))
    instance.budget_limit = each * len(ballots)
    found = method_of_equal_shares(instance, profile, sat_class=Cost_Sat)
    return sorted(project.name for project in found)


def test_a_greedy_rule_by_lower_votes_would_be_found() -> None:
    """The twin of the comparisons: the order upside down gives other winners."""
    election = election_of(1)
    ours = approval_contest(election[0], Counter(election[1]), election[2], rule="greedy")
    allocation = allocate(ours)
    wrong = greedy_rule(ours, allocation.order[::-1], allocation.scores.scores)
    taken = [each for each, done in wrong.items() if done.amount]
    assert checked(election, taken, "greedy")
    assert Fraction(allocation.spent) <= election[2]
