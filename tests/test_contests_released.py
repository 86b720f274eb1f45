"""Sources of a contest are released together: nothing is seen before the last one is counted."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import transaction
from api.holders import open_keystore
from mvote.ballotbox.counting import Manner, count_poll
from mvote.budget.balloting.releasing import approvals_of, released_sources
from mvote.budget.cycle import Cycle
from mvote.polls.errors import ResultsNotAvailable
from tests.support.balloting import Balloting, field
from tests.support.governing import both, call, spoil, status, twin
from tests.support.proposals import refused
from tests.support.waiting import wait_until, wait_until_blocked
from tests.support.world import Person, World
from verifier.mvote_verify import recount

TELLING = {
    "accounting", "approvals", "blank", "by_age", "by_area", "options_with_votes", "records",
    "records_hash", "selections", "share", "spoilt", "totals", "valid", "votes", "winners",
}  # fmt: skip
"""Members of answers that would tell something of a count."""


class Two:
    """2015 with its two polls: the citizens' has ended, the committee's runs."""

    def __init__(self, world: World, *, publish_from_here: int = 5) -> None:
        self.world, self.year = world, Balloting(world, 2015)
        self.projects = self.year.projects(16, heading=field)
        self.members = self.year.citizens(publish_from_here)
        self.year.seats(self.members)
        self.citizens = self.year.open("citizens")
        self.committee = self.year.open("committee")
        self.year.begin_voting(self.committee)
        for voter in self.year.citizens(7):
            self._cast(self.citizens, voter, self.projects[:3])
        for member in self.members:
            self._cast(self.committee, member, self.projects[4:6])

    def _cast(self, poll: dict[str, Any], voter: Person, selections: list[str]) -> None:
        assert self.world.cast(poll, voter, selections).status_code == 201

    def states(self) -> list[str]:
        return [status(self.world, poll) for poll in (self.citizens, self.committee)]


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


def get_routes(world: World) -> Iterator[str]:
    """Every address under /v1 that a poll's or a cycle's id is enough for."""
    for rule in world.app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.arguments in ({"poll_id"}, {"cycle_id"}):
            yield str(rule)


def members_of(document: Any) -> set[str]:
    if isinstance(document, dict):
        return set(document).union(*map(members_of, document.values()))
    if isinstance(document, list):
        return set().union(*map(members_of, document))
    return set()


def seen_of(world: World, two: Two) -> dict[str, set[str]]:
    """What tells something of the count, by route, for the public, a voter and an officer."""
    found: dict[str, set[str]] = {}
    ids = {"poll_id": two.citizens["id"], "cycle_id": two.year.cycle["id"]}
    for route in get_routes(world):
        path = route
        for name, value in ids.items():
            path = path.replace(f"<uuid:{name}>", value)
        for who in (None, two.members[0], two.year.officer):
            with world.client.get(path, headers=who.headers if who else {}) as answer:
                told = members_of(answer.get_json(silent=True)) & TELLING
                if told or (answer.status_code == 200 and answer.mimetype == "application/zip"):
                    found.setdefault(route, set()).update(told)
    return found


INNOCENT = {"/v1/cycles/<uuid:cycle_id>": {"records"}, "/v1/polls/<uuid:poll_id>": {"records"},
            "/v1/polls/<uuid:poll_id>/definition": {"records"},
            "/v1/polls/<uuid:poll_id>/turnout": {"by_age", "by_area"}}  # fmt: skip
"""The plan says what will be published (`records`); the turnout that there is none yet (null)."""


def test_no_route_tells_anything_of_a_source_while_another_is_open(world: World, two: Two) -> None:
    for finish in (False, True):
        if finish:
            world.finish(two.citizens)
        assert seen_of(world, two) == INNOCENT
        for path in ("results", "records", "bundle.zip"):
            answer = world.client.get(f"/v1/polls/{two.citizens['id']}/{path}")
            assert refused(answer) == (409, "results-not-available")
            assert "accounting" not in answer.get_json()
        turnout = world.client.get(f"/v1/polls/{two.citizens['id']}/turnout").get_json()
        assert set(turnout["turnout"]) == {"ballots"}
        assert (turnout["by_area"], turnout["by_age"]) == (None, None)


@pytest.fixture
def owner(engines: dict[str, Engine]) -> Iterator[Session]:
    with Session(engines["owner"]) as session:
        yield session


def test_without_the_waiting_the_first_source_would_be_seen_at_once(
    world: World, two: Two, owner: Session
) -> None:
    """The sabotaged twin: a database that believes every contest to be finished."""
    with twin(owner, "contest_unfinished", "SELECT EXISTS", "SELECT false AND EXISTS"):
        world.finish(two.citizens)
    assert two.states() == ["published", "open"]
    assert "/v1/polls/<uuid:poll_id>/results" in seen_of(world, two)


def count_both_at_once(world: World, two: Two, *, waits: bool) -> list[str]:
    """Count both sources, the second while the first is counted but not yet committed."""
    for poll in (two.citizens, two.committee):
        world.close(poll)
    keystore = open_keystore(world.settings, "counter")

    def count(poll: dict[str, Any]) -> None:
        with Session(world.engines["counter"]) as session, transaction(session):
            count_poll(session, keystore, uuid.UUID(poll["id"]), Manner(recount=recount))

    other = threading.Thread(target=count, args=(two.committee,))
    with Session(world.engines["counter"]) as session, transaction(session):
        citizens = uuid.UUID(two.citizens["id"])
        count_poll(session, keystore, citizens, Manner(recount=recount))
        other.start()
        if waits:
            wait_until_blocked(world.admin_url, "finish_counting")
        else:
            wait_until(lambda: not other.is_alive())
    other.join(10)
    return two.states()


def test_two_sources_counted_at_the_same_moment_are_released_by_the_later_one(
    world: World, two: Two
) -> None:
    assert count_both_at_once(world, two, waits=True) == ["published", "published"]


def test_without_the_lock_neither_would_see_that_the_other_is_counted(
    world: World, two: Two, owner: Session
) -> None:
    """The sabotaged twin; a later round of the counter puts it right."""
    with twin(owner, "contest_lock", "hashtextextended", "(random() * 1e9)::bigint + 0 *"
              " hashtextextended"):  # fmt: skip
        assert count_both_at_once(world, two, waits=False) == ["counted", "counted"]
    world.run_counter()
    assert two.states() == ["published", "published"]


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


def end_plan(world: World, closes_at: str) -> None:
    """Let what closes then be over by the cycle's plan, past the guard."""
    moved = f"replace(definition::text, '{closes_at}', '2015-07-25T07:00:00Z')::jsonb"
    spoil(world, f"UPDATE cycle SET definition = {moved}")  # noqa: S608


def test_what_was_voided_is_waited_for_until_its_time_is_over(world: World, two: Two) -> None:
    world.finish(two.citizens)
    assert both(world, two.committee, "void", text="잘못 열렸습니다.").status_code == 200
    world.run_counter()
    assert two.states() == ["counted", "voided"]
    end_plan(world, two.committee["closes_at"])
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
    end_plan(world, year.cycle["contests"][0]["sources"][1]["closes_at"])
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
