"""A contest whose ballots are public is counted by equal shares, and goes out as a .pb file."""

from __future__ import annotations

from mvote.budget.allocating.allocation import allocate
from mvote.budget.pabulib.contests import contest_of
from tests.support.deciding import COSTS, Council, held
from tests.support.elections import PB, funded
from tests.support.hostile import no_trace
from tests.support.pb import read_text
from tests.support.proposals import refused
from tests.support.world import World
from tests.test_pabulib_writing import faults

SHARES = {"rule": "equal_shares", "ties": ["lower_cost", "lot"], "compare": ["greedy"]}


def by_shares(world: World) -> Council:
    """60 ballots of three kinds, of which three are blank, over five projects and 80 won."""
    year = Council(world, 2023, budget_limit=100)
    [contest] = year.definition["contests"]
    contest["sources"] = [{"key": "citizens", "kind": "poll", "records": "full"}]
    contest["ballot"]["limits"] = [{"over": "all", "count": {"min": 0, "max": 5}}]
    contest["allocation"] = SHARES
    year.definition["headings"][0]["limit"] = 80
    year.projects(5, amount=lambda n: COSTS[n])
    return year


def test_a_contest_by_equal_shares_funds_in_proportion_and_goes_out_with_its_ballots(
    world: World,
) -> None:
    year = by_shares(world)
    first, second, third, fourth, fifth = year.references
    poll = year.open("citizens")
    marks = [[first, second]] * 30 + [[fourth, fifth]] * 27 + [[]] * 3
    year.vote(poll, marks, year.citizens(60))
    year.plenary(5)
    year.finish(poll)
    found = year.allocated()
    assert found["binding"]["rule"] == "equal_shares"
    assert funded(found["binding"]) == sorted([second, fourth, fifth])  # 30 of 42, and 30 of 38
    [greedy] = found["comparisons"]
    assert (greedy["rule"], greedy["recountable"]) == ("greedy", True)
    assert funded(greedy) == sorted([first, second, fifth])
    with world.client.get(f"/v1/cycles/{year.cycle['id']}/export.pb") as answer:
        assert (answer.status_code, answer.content_type) == (200, PB)
        content = answer.get_data()
    assert faults(content) == {}
    again = read_text(content)
    assert (again.head.budget, again.totals.ballots) == (80, 57)  # a blank ballot is no row
    assert sorted(each.reference for each in allocate(contest_of(again)).funded) == funded(
        found["binding"]
    )
    assert third not in funded(greedy)
    year.carried()
    assert year.enact(fourth, 0, text={"ko": "부지가 없습니다."})["moved_up"] == [first]


def test_where_only_totals_are_public_there_is_no_file_and_the_refusal_says_so(
    world: World,
) -> None:
    year = held(world)
    path = f"/v1/cycles/{year.cycle['id']}/export.pb"
    with no_trace(world):
        assert refused(world.client.get(path)) == (409, "results-not-available")
    year.allocated()
    with no_trace(world):
        answer = world.client.get(path)
    assert refused(answer) == (409, "only-totals-kept")
    assert "inputs" in answer.get_json()["next_step"]


def test_a_comparison_that_needs_ballots_of_which_only_totals_are_public_says_so(
    world: World,
) -> None:
    year = held(world, compare=["no_skip", "equal_shares/add1"])
    skip, shares = year.allocated()["comparisons"]
    assert (skip["recountable"], shares["recountable"]) == (True, False)
    assert (shares["funded"], "the counter" in shares["reason"]) == (None, True)
