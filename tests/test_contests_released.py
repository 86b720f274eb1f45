"""Sources of a contest are released together: when the last is counted, or its time is over."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from mvote.budget.balloting.releasing import approvals_of, released_sources
from mvote.budget.cycle import Cycle
from mvote.polls.errors import ResultsNotAvailable
from tests.support.balloting import Balloting, field
from tests.support.governing import both, call, spoil, status, twin
from tests.support.proposals import refused
from tests.support.two_sources import Two, end_plan
from tests.support.world import World


@pytest.fixture
def two(world: World) -> Two:
    return Two(world)


def test_a_counted_source_is_held_until_the_last_one_is_counted_too(world: World, two: Two) -> None:
    world.finish(two.citizens)
    assert two.states() == ["counted", "open"]
    answer = world.client.get(f"/v1/polls/{two.citizens['id']}/results")
    assert refused(answer) == (409, "results-not-available")
    assert answer.get_json()["available_at"] == two.committee["closes_at"]
    world.finish(two.committee)
    assert two.states() == ["published", "published"]
    [published] = world.rows("SELECT count(DISTINCT published_at) FROM poll")
    assert published == (1,)
    for poll in (two.citizens, two.committee):
        assert world.client.get(f"/v1/polls/{poll['id']}/results").status_code == 200


def test_two_officers_cannot_publish_one_source_before_the_others(world: World, two: Two) -> None:
    world.finish(two.citizens)
    assert refused(both(world, two.citizens, "publish")) == (409, "impossible-transition")
    assert two.states() == ["counted", "open"]


def test_a_source_whose_count_does_not_add_up_holds_the_others_until_officers_decide(
    world: World, two: Two
) -> None:
    one = f"SELECT id FROM envelope WHERE poll_id = '{two.citizens['id']}' LIMIT 1"  # noqa: S608
    spoil(world, f"DELETE FROM envelope WHERE id = ({one})")  # noqa: S608
    world.finish(two.citizens)
    world.finish(two.committee)
    assert two.states() == ["counted", "counted"]
    answer = world.client.get(f"/v1/polls/{two.citizens['id']}/results").get_json()
    assert answer["accounting"]["accounting_holds"] is False
    assert both(world, two.citizens, "publish").status_code == 200
    assert two.states() == ["published", "published"]


def test_what_was_voided_is_waited_for_until_its_time_is_over(world: World, two: Two) -> None:
    world.finish(two.citizens)
    assert both(world, two.committee, "void", text="잘못 열렸습니다.").status_code == 200
    world.run_counter()
    assert two.states() == ["counted", "voided"]
    end_plan(world)
    world.run_counter()
    assert two.states() == ["published", "voided"]


def test_a_source_that_nobody_opens_is_waited_for_until_its_time_is_over(world: World) -> None:
    year = Balloting(world, 2015)
    projects = year.projects(8, heading=field)
    poll = year.open("citizens")
    for voter in year.citizens(5):
        assert world.cast(poll, voter, projects[:2]).status_code == 201
    world.finish(poll)
    assert status(world, poll) == "counted"
    end_plan(world)
    world.run_counter()
    assert status(world, poll) == "published"


def released(world: World, year: Balloting) -> Any:
    with Session(world.engines["api"]) as session:
        cycle = session.get_one(Cycle, uuid.UUID(year.cycle["id"]))
        return released_sources(session, cycle=cycle, contest=year.contest)


def test_what_was_released_is_given_by_source_with_its_votes(world: World, two: Two) -> None:
    with pytest.raises(ResultsNotAvailable) as caught:
        released(world, two.year)
    assert caught.value.facts["available_at"] == two.committee["closes_at"]
    world.finish(two.citizens)
    with pytest.raises(ResultsNotAvailable):
        released(world, two.year)
    world.finish(two.committee)
    citizens, committee = released(world, two.year)
    assert (citizens.key, citizens.ballots, citizens.valid, citizens.blank, citizens.spoilt) == (
        "citizens", 7, 7, 0, 0,
    )  # fmt: skip
    assert {key: votes for key, votes in citizens.votes.items() if votes} == dict.fromkeys(
        two.projects[:3], 7
    )
    assert committee.votes[two.projects[4]] == 5
    assert set(committee.votes) == set(two.projects)
    with Session(world.engines["api"]) as session:
        assert approvals_of(session, citizens) is None  # its records are totals


def test_too_few_ballots_are_released_without_figures(world: World) -> None:
    two = Two(world, publish_from_here=4)
    world.finish(two.citizens)
    world.finish(two.committee)
    committee = released(world, two.year)[1]
    assert (committee.ballots, committee.votes, committee.valid, committee.counted) == (
        4, None, None, None,
    )  # fmt: skip
    assert call(world, two.committee, "publish", two.year.officer).status_code == 409


def spoil_both(world: World, two: Two) -> None:
    """Let neither count add up."""
    for poll in (two.citizens, two.committee):
        one = f"SELECT id FROM envelope WHERE poll_id = '{poll['id']}' LIMIT 1"  # noqa: S608
        spoil(world, f"DELETE FROM envelope WHERE id = ({one})")  # noqa: S608
        world.finish(poll)


def test_where_neither_count_adds_up_nothing_is_seen_before_officers_decide_on_both(
    world: World, two: Two
) -> None:
    spoil_both(world, two)
    assert both(world, two.citizens, "publish").get_json()["status"] == "counted"
    assert two.states() == ["counted", "counted"]
    answer = world.client.get(f"/v1/polls/{two.citizens['id']}/results")
    assert refused(answer) == (409, "results-not-available")
    again = call(world, two.citizens, "publish", two.year.officer)
    assert refused(again) == (409, "impossible-transition")
    assert both(world, two.committee, "publish").get_json()["status"] == "published"
    assert two.states() == ["published", "published"]


def test_without_waiting_for_the_other_the_first_would_be_seen_at_once(
    world: World, two: Two, owner: Session
) -> None:
    """The sabotaged twin: publishing as if the poll stood alone."""
    spoil_both(world, two)
    with twin(owner, "publish_poll", "AND of_contest.poll_id IS NULL", ""):
        assert both(world, two.citizens, "publish").status_code == 200
    assert two.states() == ["published", "counted"]


def test_what_is_voided_instead_is_asked_once_more_with_no_result_before_anybodys_eyes(
    world: World, two: Two
) -> None:
    spoil_both(world, two)
    assert both(world, two.citizens, "publish").status_code == 200
    assert both(world, two.committee, "void", text="다시 합니다.").status_code == 200
    world.run_counter()
    assert two.states() == ["counted", "voided"]
    again = two.year.open("committee")
    assert two.year.try_open("committee").status_code == 409
    for member in two.members:
        two.year.begin_voting(again)
        assert world.cast(again, member, two.projects[4:6]).status_code == 201
    world.finish(again)
    assert [status(world, poll) for poll in (two.citizens, again)] == ["published", "published"]


def test_no_source_is_asked_once_a_result_of_the_contest_is_public(world: World, two: Two) -> None:
    world.finish(two.citizens)
    assert both(world, two.committee, "void", text="잘못 열렸습니다.").status_code == 200
    spoil(world, f"UPDATE poll SET state = 'published', published_at = now()"  # noqa: S608
          f" WHERE id = '{two.citizens['id']}'")  # fmt: skip
    asked = world.count("contest_poll")
    assert refused(two.year.try_open("committee")) == (409, "impossible-transition")
    assert world.count("contest_poll") == asked
    with psycopg.connect(world.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE poll SET state = 'open' WHERE id = %s", [two.committee["id"]])
        connection.execute("SET session_replication_role = origin")
        with pytest.raises(psycopg.errors.RestrictViolation, match="a result of the contest"):
            connection.execute(
                "INSERT INTO contest_poll (cycle_id, contest, source, n, poll_id) VALUES"
                " (%s, %s, 'another', 1, %s)",
                [two.year.cycle["id"], two.year.contest, two.committee["id"]],
            )
