"""A contest without a result that may decide is no dead end: the plenary decides, and says why."""

from __future__ import annotations

import csv
import io
from typing import Any

import psycopg
import pytest
from werkzeug.test import TestResponse

from tests.support.deciding import WHY, Council, change, decided, held, small
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.world import Person, World

CAUSE = {"ko": "투표함에 세 표만 들어왔습니다.", "en": "Only three ballots were cast."}


def voted_by(world: World, voters: int, **more: Any) -> Council:
    """So many voted for all projects, and it is counted; a plenary of five."""
    year = small(world, **more)
    year.plenary(5)
    poll = year.open("citizens")
    year.vote(poll, [year.references] * voters, year.citizens(voters))
    year.finish(poll)
    return year


@pytest.fixture
def year(world: World) -> Council:
    """Fewer ballots than `publish_from`."""
    return voted_by(world, 3)


def lay_open(year: Council, who: Person | None = None) -> TestResponse:
    return year.of_cycle("POST", "allocation/without-result", who, cause=CAUSE)


def laid_open(year: Council) -> dict[str, Any]:
    answer = lay_open(year)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.get_json())


def test_of_few_ballots_the_plenary_is_shown_the_cause_and_no_figure(year: Council) -> None:
    assert refused(year.allocate()) == (409, "source-missing")
    found = laid_open(year)
    assert found["without_result"] == {
        "cause": CAUSE, "code": "source-missing", "sources": ["citizens"],
    }  # fmt: skip
    binding = found["binding"]
    assert (binding["rule"], binding["funded"], binding["absent_sources"]) == (
        "none", [], ["citizens"],
    )  # fmt: skip
    assert {each["decision"] for each in binding["projects"]} == {"undecided"}
    shown = [(each["score"], each["votes"], each["shares"]) for each in binding["projects"]]
    assert shown == [(0, {}, {})] * 5
    [source] = found["inputs"]["sources"]
    assert (source["ballots"], source["votes"]) == (None, None)
    assert year.allocation() == found


def test_the_plenary_ends_the_year_and_funds_nothing_without_a_reason(year: Council) -> None:
    laid_open(year)
    first, second, *others = year.references
    for wish in ("funded", "reserve"):
        with no_trace(year.world):
            answer = year.lay(change(first, wish))
        assert refused(answer) == (422, "invalid-request")
        assert [each["code"] for each in answer.get_json()["errors"]] == ["chosen-without-reason"]
    year.carried(change(first, "funded", text=WHY), change(second, "reserve", text=WHY))
    states = [year.state_of(each) for each in (first, second, *others)]
    assert states == ["funded", "reserve", *["not_funded"] * 3]
    decisions = {each["reference"]: each for each in year.allocation()["decisions"]}
    assert (decisions[first]["text"], decisions[first]["deviates"]) == (WHY, False)


def test_the_plenary_may_fund_nothing_and_the_report_has_no_votes(year: Council) -> None:
    laid_open(year)
    year.carried()
    assert {year.state_of(each) for each in year.references} == {"not_funded"}
    path = f"/v1/cycles/{year.cycle['id']}/report"
    sheet = year.world.client.get(path, headers={"Accept": "text/csv"}).get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(sheet.lstrip("\ufeff"))))
    assert [each["votes"] for each in rows] == [""] * 5


def test_without_a_result_no_more_is_spent_than_there_is(year: Council) -> None:
    laid_open(year)
    wishes = [change(each, "funded", text=WHY) for each in year.references]
    with no_trace(year.world):
        answer = year.lay(*wishes)
    assert [each["code"] for each in answer.get_json()["errors"]] == ["limit-overspent"]


def test_where_no_limit_binds_nothing_is_ranked_by_what_is_not_shown(world: World) -> None:
    year = voted_by(world, 3, limit=None)
    found = laid_open(year)
    assert {each["decision"] for each in found["binding"]["projects"]} == {"undecided"}
    year.carried(change(year.references[4], "funded", text=WHY))
    assert year.state_of(year.references[4]) == "funded"


def test_a_struck_project_is_funded_without_a_result_neither(year: Council) -> None:
    year.strike(year.references[0])
    laid_open(year)
    with no_trace(year.world):
        answer = year.lay(change(year.references[0], "funded", text=WHY))
    assert [each["code"] for each in answer.get_json()["errors"]] == ["project-struck"]


def test_nobody_sets_a_result_aside(world: World) -> None:
    year = held(world)
    with no_trace(world):
        assert refused(lay_open(year)) == (409, "impossible-transition")


def test_nobody_sets_a_decision_aside(world: World) -> None:
    year = decided(world)
    with no_trace(world):
        assert refused(lay_open(year)) == (409, "motion-pending")


def test_it_is_laid_open_once_by_the_cycles_officers_alone(year: Council) -> None:
    with no_trace(year.world):  # of another department
        assert refused(lay_open(year, year.second)) == (403, "not-allowed")
    laid_open(year)
    with no_trace(year.world):
        assert refused(lay_open(year)) == (409, "already-allocated")


def declared_void(world: World) -> Council:
    """The only poll of the contest is declared void; it is time to decide."""
    year = small(world)
    year.plenary(5)
    poll = year.open("citizens")
    year.begin_voting(poll)
    for officer in (year.officer, year.second):
        answer = year.call("POST", f"polls/{poll['id']}/void", officer, text=CAUSE)
        assert answer.status_code in (200, 202), answer.get_data(as_text=True)
    year.enter("deciding")
    return year


def test_where_every_poll_was_declared_void_the_plenary_decides_behind_balloting(
    world: World,
) -> None:
    year = declared_void(world)
    with psycopg.connect(world.admin_url) as connection:
        connection.execute(
            "INSERT INTO cycle_phase (cycle_id, kind, opens_at, closes_at) VALUES"
            " (%s, 'balloting', now() - interval '9 days', now() - interval '2 days')",
            [year.cycle["id"]],
        )
    assert refused(year.allocate()) == (409, "results-not-available")
    found = laid_open(year)
    assert found["without_result"]["sources"] == ["citizens"]
    assert {each["decision"] for each in found["binding"]["projects"]} == {"undecided"}
    year.carried(change(year.references[4], "funded", text=WHY))
    assert year.state_of(year.references[4]) == "funded"


@pytest.mark.parametrize("phase", ["balloting", "deciding"], ids=["lasts", "has no planned end"])
def test_while_another_poll_may_follow_a_void_one_it_is_waited_for(
    world: World, phase: str
) -> None:
    """Else its voters could know the lot, and what statements say."""
    year = declared_void(world)
    year.enter(phase)
    waited_for = "SELECT unreleased_sources(%s, %s)"
    assert world.rows(waited_for, year.cycle["id"], year.contest) == [("citizens",)]
    with no_trace(world):
        assert lay_open(year).status_code == 409


def test_nothing_is_laid_open_while_a_source_is_waited_for(world: World) -> None:
    year = small(world)
    year.open("citizens")
    year.enter("deciding")
    with no_trace(world):
        assert refused(lay_open(year)) == (409, "results-not-available")
