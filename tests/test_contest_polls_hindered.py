"""What keeps the poll of a contest from being frozen: all of it named, nothing written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.balloting import Balloting, field
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.world import World


def hindrances_of(answer: Any) -> list[tuple[str, str | None]]:
    assert refused(answer) == (409, "not-ready-to-open")
    return [(each["code"], each.get("pointer")) for each in answer.get_json()["hindrances"]]


def test_a_thousand_projects_stand_on_a_ballot_and_one_more_does_not(world: World) -> None:
    year = Balloting(world, 2023)
    projects = year.projects(1_000)
    year.projects(1)
    assert ("too-many-projects", "") in hindrances_of(year.try_open(year.source))
    year.put(year.references[-1], "withdrawn")
    poll = year.open(year.source)
    assert len(poll["question"]["options"]) == 1_000
    assert world.cast(poll, year.citizens(1)[0], projects[-5:]).status_code == 201


def test_everything_that_hinders_is_named_at_once_and_nothing_is_written(world: World) -> None:
    year = Balloting(world, 2015)
    year.projects(1, heading=field)
    year.projects(1, heading=field, state="submitted")
    year.projects(1, heading=field, state="under_review")
    year.projects(1, heading=field, state="rejected")
    year.projects(1, heading=field, state="appealed")
    year.projects(1, heading=lambda _: "local", state="under_review")  # is decided elsewhere
    answer = year.try_open("committee")
    assert hindrances_of(answer) == [
        ("assessment-open", None),
        ("review-open", None),
        ("appeal-open", None),
        ("appeal-window-open", None),
        ("roll-empty", "/contests/0/sources/1/roll"),
        ("statement-not-sealed", "/contests/0/sources/2"),
    ]
    [under_review] = [h for h in answer.get_json()["hindrances"] if h["code"] == "review-open"]
    assert under_review["proposals"] == [year.references[2]]
    assert (world.count("poll"), world.count("contest_poll")) == (0, 0)
    assert world.rows("SELECT count(*) FROM proposal WHERE state = 'on_ballot'") == [(0,)]


def test_while_proposals_are_taken_no_ballot_is_frozen(world: World) -> None:
    year = Balloting(world, 2015, now="proposing")
    year.projects(8, heading=field)
    assert hindrances_of(year.try_open("citizens")) == [
        ("proposing-open", "/phases/0/closes_at"),
        ("statement-not-sealed", "/contests/0/sources/2"),
    ]
    assert (world.count("poll"), year.states()) == (0, {"approved"})


def test_before_balloting_begins_its_poll_is_frozen_and_scheduled(world: World) -> None:
    year = Balloting(world, 2015, now="reviewing")
    projects = year.projects(8, heading=field)
    poll = year.open("citizens")
    assert (poll["status"], year.states()) == ("scheduled", {"on_ballot"})
    answer = world.cast(poll, year.citizens(1)[0], projects[:1])
    assert refused(answer) == (409, "poll-not-open")


def test_a_contest_that_nobody_could_fill_in_is_not_opened(world: World) -> None:
    year = Balloting(world, 2020)
    year.projects(20, kind=lambda n: "proposal" if n < 18 else "governance")
    found = hindrances_of(year.try_open("citizens"))
    assert found == [
        ("limit-never-met", f"/contests/0/ballot/limits/{number}/count") for number in (2, 0)
    ]
    assert year.states() == {"approved"}


@pytest.mark.parametrize("source", ["nobody", "survey"])
def test_a_source_that_is_no_poll_is_refused_and_nothing_is_frozen(
    world: World, source: str
) -> None:
    year = Balloting(world, 2015)
    year.projects(4, heading=field)
    answer = year.try_open(source)
    assert refused(answer) == (422, "invalid-request")
    assert answer.get_json()["errors"][0]["pointer"] == "/source"
    assert (world.count("poll"), year.states()) == (0, {"approved"})


def test_a_contest_that_is_not_there_is_refused(world: World) -> None:
    year = Balloting(world, 2015)
    answer = year.try_open("citizens", contest="nowhere")
    assert refused(answer) == (422, "invalid-request")
    assert answer.get_json()["errors"][0]["pointer"] == "/contest"


def test_only_an_officer_of_the_cycles_department_opens_its_polls(world: World) -> None:
    year = Balloting(world, 2015)
    year.projects(4, heading=field)
    year.officer = world.officer()
    assert refused(year.try_open("citizens")) == (403, "not-allowed")
    year.officer = world.citizen()
    assert refused(year.try_open("citizens")) == (403, "not-allowed")
    assert world.count("poll") == 0


def test_a_set_of_which_no_project_can_ever_be_funded_hinders_the_poll(world: World) -> None:
    year = Balloting(world, 2023)
    [contest] = year.definition["contests"]
    year.definition["budget_limit"] = 80
    contest["allocation"]["exclusive"] = [["2024-0001", "2024-0002"], ["2024-0001", "2024-0003"]]
    year.projects(2, amount=lambda _: 100)  # dearer than all there is, past the guards
    year.projects(4, amount=lambda _: 10)
    with no_trace(world):
        hindrances = hindrances_of(year.try_open("citizens"))
    assert hindrances == [("exclusive-set-never-funded", "/contests/0/allocation/exclusive/0")]


def test_an_exclusive_set_that_names_what_is_not_on_the_ballot_is_warned_of(world: World) -> None:
    year = Balloting(world, 2023)
    [contest] = year.definition["contests"]
    contest["allocation"]["exclusive"] = [["2024-0001", "2024-0099"]]
    year.projects(6)
    warned = [(each["code"], each["pointer"]) for each in year.open("citizens")["warnings"]]
    assert warned == [("exclusive-not-on-ballot", "/contests/0/allocation/exclusive/0/1")]


def test_an_exclusive_group_that_nobody_filled_is_warned_of(world: World) -> None:
    year = Balloting(world, 2023)
    [contest] = year.definition["contests"]
    contest["groups"] = [{"key": "playgrounds"}]
    contest["allocation"]["exclusive"] = [["playgrounds"]]
    year.projects(6)
    warned = [(each["code"], each["pointer"]) for each in year.open("citizens")["warnings"]]
    assert warned == [("exclusive-without-effect", "/contests/0/allocation/exclusive/0")]
