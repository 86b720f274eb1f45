"""Equal shares needs every ballot, and few ballots are never shown one by one: what then decides is
said when the cycle is saved, when its ballot opens, and to voters."""

from __future__ import annotations

from typing import Any

import pytest

from mvote.budget.deciding.few_ballots import TOO_FEW_SHOWN
from mvote.languages import said
from tests.support.deciding import Council, change
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.world import World

MILLION = 10**6
AT = "/contests/0/allocation/few_ballots"
PRICES = (60 * MILLION, 12 * MILLION, 12 * MILLION)
MARKED = [*[(0,)] * 31, *[(1, 2)] * 20, *[(2,)] * 3, *[(1,)] * 2]
"""By votes the first project alone is funded; by shares, which the ballots decide, the others."""


def by_shares(world: World, **allocation: Any) -> Council:
    year = Council(world, 2023, budget_limit=60 * MILLION)
    year.definition["headings"] = [{"key": "city", "limit": 60 * MILLION}]
    [contest] = year.definition["contests"]
    contest["ballot"]["limits"] = [{"over": "all", "count": {"min": 1, "max": 2}}]
    contest["allocation"] = {"rule": "equal_shares", "completion": "add1"} | allocation
    contest["sources"][0]["records"] = "full"
    year.projects(3, amount=lambda n: PRICES[n])
    return year


def voted(year: Council, ballots: int) -> dict[str, Any]:
    poll = year.open(year.source)
    marked = [[year.references[n] for n in marks] for marks in MARKED[:ballots]]
    year.vote(poll, marked, year.citizens(ballots))
    year.finish(poll)
    return poll


def funded(allocation: dict[str, Any]) -> list[str]:
    return sorted(each["reference"] for each in allocation["binding"]["funded"])


def warned(shown: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["code"], each["pointer"]) for each in shown["warnings"]]


@pytest.mark.parametrize(
    ("said_of_it", "code"),
    [({}, "few-ballots-greedy"), ({"few_ballots": "block"}, "few-ballots-block")],
    ids=["greedy by votes", "nothing"],
)
def test_what_few_ballots_mean_is_said_at_saving_at_opening_and_to_voters(
    world: World, said_of_it: dict[str, str], code: str
) -> None:
    year = by_shares(world, **said_of_it)
    assert warned(year.cycle) == [(code, AT)]
    poll = year.open(year.source)
    assert (code, AT) in warned(poll)
    frozen = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
    assert f"few-ballots-{frozen['question']['few_ballots']}" == code


def test_a_contest_that_needs_no_ballots_warns_of_nothing(world: World) -> None:
    year = Council(world, 2023)
    assert year.cycle["warnings"] == []
    year.projects(5)
    poll = year.open(year.source)
    assert "few_ballots" not in poll["question"]


def test_of_few_ballots_projects_are_funded_by_their_votes_as_was_said_before(
    world: World,
) -> None:
    year = by_shares(world)
    poll = voted(year, 49)
    found = year.allocated()
    assert (found["binding"]["rule"], funded(found)) == ("greedy", year.references[:1])
    assert "few_ballots" in " ".join(found["notes"])
    assert found["binding"]["projects"][0]["votes"] == {year.source: 31}
    records = world.client.get(f"/v1/polls/{poll['id']}/records").get_json()
    assert records["items"] == []
    year.plenary(5)
    assert year.carried()["state"] == "carried"
    assert year.state_of(year.references[0]) == "funded"


def test_of_fifty_ballots_equal_shares_decides(world: World) -> None:
    year = by_shares(world)
    voted(year, 56)
    found = year.allocated()
    assert (found["binding"]["rule"], found["notes"]) == ("equal_shares/add1", [])
    assert funded(found) == year.references[1:]


def test_where_the_cycle_says_so_few_ballots_are_refused_with_the_reason(world: World) -> None:
    year = by_shares(world, few_ballots="block")
    voted(year, 6)
    with no_trace(world):
        answer = year.allocate()
    assert refused(answer) == (422, "allocation-impossible")
    assert answer.get_json()["detail"] == said(TOO_FEW_SHOWN, "ko")


def test_then_nothing_is_allocated_and_to_fund_something_is_to_deviate(world: World) -> None:
    year = by_shares(world, few_ballots="block")
    voted(year, 6)
    found = year.of_cycle("POST", "allocation/without-result", cause="투표지가 너무 적습니다.")
    assert found.status_code == 201, found.get_data(as_text=True)
    assert found.get_json()["without_result"]["code"] == "too-few-shown"
    binding = found.get_json()["binding"]
    assert {each["decision"] for each in binding["projects"]} == {"not_allocated"}
    with no_trace(world):
        answer = year.lay(change(year.references[0], "funded"))
    assert [each["code"] for each in answer.get_json()["errors"]] == ["deviation-without-reason"]
    year.plenary(5)
    year.carried()
    assert {year.state_of(each) for each in year.references} == {"not_funded"}


def test_no_other_rule_stands_in_unless_the_frozen_ballot_said_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mvote.budget.balloting.paper._if_few", lambda _: {})  # frozen before it
    year = by_shares(world)
    voted(year, 6)
    with no_trace(world):
        assert refused(year.allocate()) == (422, "allocation-impossible")
