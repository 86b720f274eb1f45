"""From counted votes to a confirmed allocation, in the years whose rules are known."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.support.balloting import field
from tests.support.budgets import definition_of
from tests.support.deciding import WHY, Council, change
from tests.support.elections import funded
from tests.support.world import World

BILLION = 10**9


def test_2015_three_sources_are_blended_allocated_and_confirmed(world: World) -> None:
    """54 projects in eight fields, citizens 45, committee 45, survey 10, 37.5 billion won."""
    year = Council(world, 2015)
    projects = year.projects(54, heading=field, amount=lambda n: (n % 5 + 1) * BILLION)
    members = year.plenary()
    surveyed = {each: 54 - n for n, each in enumerate(projects)}
    year.seal(surveyed)
    citizens, committee = year.open("citizens"), year.open("committee")
    people = year.citizens(12)
    year.vote(citizens, [projects[n % 4 : n % 4 + 5] for n in range(12)], people)
    year.vote(committee, [projects[8:13]] * 9, members)
    year.finish(citizens, committee)
    found = year.allocated()
    binding, [alone, stopped] = found["binding"], found["comparisons"]
    assert (binding["rule"], found["n"]) == ("greedy", 0)
    assert binding["weights"] == {"citizens": 45, "committee": 45, "survey": 10}
    of_first = next(each for each in binding["projects"] if each["reference"] == projects[8])
    survey = Fraction(surveyed[projects[8]], sum(surveyed.values()))
    assert (
        Fraction(of_first["score"])
        == 45 * Fraction(of_first["shares"]["citizens"]) + Fraction(45, 5) + 10 * survey
    )
    assert binding["spent"] <= 37_500_000_000
    assert (alone["rule"], stopped["rule"]) == ("citizens_only", "no_skip")
    assert (alone["recountable"], stopped["recountable"]) == (True, True)
    assert year.states() == {"on_ballot"}  # it is a proposal until the plenary has confirmed it
    year.carried()
    after = year.allocation()
    decided = {each["reference"]: each["state"] for each in after["decisions"]}
    assert sorted(each for each, state in decided.items() if state == "funded") == funded(binding)
    assert set(decided.values()) == {"funded", "reserve"}
    assert not any(each["deviates"] for each in after["decisions"])
    assert {year.state_of(each) for each in funded(binding)} == {"funded"}


def test_2012_the_committee_votes_alone_and_the_most_votes_within_the_money_are_funded(
    world: World,
) -> None:
    """240 projects, of which each member marks exactly 72, within 50 billion won."""
    year = Council(world, 2012)
    projects = year.projects(240, amount=lambda n: (n % 7 + 1) * BILLION)
    members = year.plenary(6)
    poll = year.open("committee")
    year.vote(poll, [projects[6 * n : 6 * n + 72] for n in range(6)], members)
    year.finish(poll)
    binding = year.allocated()["binding"]
    votes = {each["reference"]: each["votes"]["committee"] for each in binding["projects"]}
    assert max(votes.values()) == 6
    assert sum(votes.values()) == 6 * 72
    left = 50 * BILLION
    for each in binding["projects"]:  # by votes, then the lower cost: whatever still fits
        cost = (projects.index(each["reference"]) % 7 + 1) * BILLION
        assert each["decision"] == ("funded" if cost <= left else "does_not_fit")
        left -= each["amount"]
    order = [(-votes[each], projects.index(each) % 7) for each in binding["order"]]
    assert order == sorted(order)
    year.carried()
    assert year.states() == {"funded", "reserve"}


def test_2023_the_vote_ranks_and_the_plenary_decides(world: World) -> None:
    """29 projects of 18.3 billion won without a binding limit; five marks each."""
    year = Council(world, 2023)
    projects = year.projects(29, amount=lambda _: 18_300_000_000 // 29)
    year.plenary()
    poll = year.open("citizens")
    ballots = [projects[n : n + 5] for n in (0, 0, 0, 0, 1, 1, 2, 3, 24)]
    year.vote(poll, ballots, year.citizens(9))
    year.finish(poll)
    found = year.allocated()
    binding = found["binding"]
    assert {each["decision"] for each in binding["projects"]} == {"ranked"}
    assert (binding["funded"], binding["spent"]) == ([], 0)
    best = binding["order"][:10]
    refused = year.lay(*(change(each, "funded") for each in best[1:]))
    assert (refused.status_code, refused.get_json()["code"]) == (422, "invalid-request")
    assert best[0] in refused.get_json()["errors"][0]["detail"]
    year.carried(
        change(best[0], "not_funded", text=WHY), *(change(each, "funded") for each in best[1:])
    )
    decided = {each["reference"]: each for each in year.allocation()["decisions"]}
    assert [decided[each]["decision"] for each in best] == ["not_funded"] + ["funded"] * 9
    assert {each["decision"] for n, each in decided.items() if n not in best} == {"reserve"}
    assert decided[best[0]]["text"] == WHY


ONE_TWO_THREE = {"p": 2_710, "q": 4_880, "r": 870}
OTHERS = {"p": 47, "q": 22, "r": 46}


@pytest.mark.parametrize(
    ("normalise", "first"), [("share_of_votes", 1), ("of_max", 0), ("rank", 0)]
)
def test_share_and_maximum_and_rank_may_put_different_projects_first(
    world: World, normalise: str, first: int
) -> None:
    """2,710/4,880/870 and 47/22/46 with equal weights: the second wins by share, else the first."""
    [contest] = definition_of(2015)["contests"]
    citizens = {"key": "citizens", "kind": "poll", "weight": 0, "records": "totals"}
    weighed = [
        {"key": "first", "kind": "statement", "weight": 1, "unit": "marks"},
        {"key": "second", "kind": "statement", "weight": 1, "unit": "marks"},
    ]
    contest |= {
        "sources": [citizens, *weighed],
        "blend": {"normalise": normalise},
        "allocation": {"rule": "greedy", "ties": ["lot"]},
    }
    year = Council(world, 2015, contests=[contest])
    projects = year.projects(3, heading=field)
    for source, values in (("first", ONE_TWO_THREE), ("second", OTHERS)):
        said = dict(zip(projects, values.values(), strict=True))
        year.seal(said, path=f"blend/{source}", unit="marks", sample_size=10_000)
    poll = year.open("citizens")
    year.vote(poll, [[projects[2]]] * 5, year.citizens(5))
    year.finish(poll)
    binding = year.allocated()["binding"]
    assert binding["order"][0] == projects[first]
    if normalise == "share_of_votes":
        best = next(each for each in binding["projects"] if each["rank"] == 1)
        assert Fraction(best["score"]) == Fraction(4_880, 8_460) + Fraction(22, 115)
