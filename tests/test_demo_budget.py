"""The demo's cycles of the participatory budget: whole, once, from wherever a load was killed."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.db import reading, transaction
from api.demo.budget import loading
from api.demo.budget import people as demo_people
from api.demo.budget.approving import MEMBERS
from api.demo.budget.balloting import ask
from api.demo.budget.committee import RESERVES, SEATS
from api.demo.budget.deciding import seal_survey
from api.demo.budget.ideas import HEADINGS, Idea
from api.demo.budget.ideas_delivered import DELIVERED
from api.demo.budget.ideas_for_people import FOR_PEOPLE
from api.demo.budget.ideas_in_review import IN_REVIEW
from api.demo.budget.ideas_on_streets import ON_STREETS
from api.demo.budget.ideas_outdoors import OUTDOORS
from api.demo.budget.running import begin
from api.demo.ledger import made
from mvote.base import database_time
from tests.support.city import City, a_city
from tests.support.database import TestCluster

VOTED_ON = (*ON_STREETS, *OUTDOORS, *FOR_PEOPLE)
IDEAS = (*VOTED_ON, *IN_REVIEW, *DELIVERED)
DISTRICTS = 25
Headers = dict[str, str]


@pytest.fixture(scope="module")
def seoul(
    cluster: TestCluster, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[City]:
    """The demo, loaded."""
    with a_city(cluster, f"budget_{worker_id}", tmp_path_factory.mktemp("budget")) as city:
        result = city.run("demo", "load")
        assert (result.exit_code, result.stderr) == (0, "")
        yield city


def get(city: City, path: str, headers: Headers | None = None) -> Any:
    answer = city.client().get(f"/v1/{path}", headers=headers or {})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def cycle_id(city: City, key: str) -> str:
    return str(json.loads(city.run("demo", "show").stdout)["cycles"][key]["id"])


def people(city: City) -> dict[str, Headers]:
    """Whose tokens `make run` prints, by role."""
    tokens = json.loads(city.run("demo", "tokens").stdout)
    return {
        role: {"Authorization": f"Bearer {token}"}
        for role, token in tokens.items()
        if role not in ("room_number", "room_password", "on_the_list")
    }


def proposals(city: City, key: str) -> list[dict[str, Any]]:
    return list(get(city, f"cycles/{cycle_id(city, key)}/proposals?limit=100")["items"])


def committee(city: City, key: str) -> dict[str, Any]:
    [found] = get(city, f"cycles/{cycle_id(city, key)}/committees")["items"]
    return dict(found)


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.key)
def test_each_project_lies_in_its_district(seoul: City, idea: Idea) -> None:
    here = {"lat": idea.lat, "lon": idea.lon}
    found = seoul.client().post("/v1/areas/locate", json=here).get_json()["items"]
    assert [area["area_code"] for area in found if area["kind"] == "gu"] == [idea.gu]


def test_what_is_voted_on_are_29_projects_of_all_districts_and_fields() -> None:
    assert len(VOTED_ON) == 29
    assert len({idea.gu for idea in VOTED_ON}) == DISTRICTS
    assert {idea.heading for idea in VOTED_ON} == set(HEADINGS)
    assert len({idea.key for idea in IDEAS}) == len(IDEAS)


def test_every_text_of_a_project_is_in_korean_and_english() -> None:
    for idea in IDEAS:
        said = idea.content()
        texts = [said["title"], said["problem"], said["description"]]
        texts += [item["item"] for item in said["cost_items"]]
        assert all(set(text) == {"ko", "en"} and all(text.values()) for text in texts)


def test_a_cycle_is_in_review_and_its_proposals_are_assessed_by_two_officers(seoul: City) -> None:
    assert get(seoul, f"cycles/{cycle_id(seoul, 'review')}")["phase"] == "reviewing"
    found = proposals(seoul, "review")
    assert Counter(each["state"] for each in found) == {"under_review": len(IN_REVIEW)}
    assert sorted(each["amount"] for each in found) == sorted(idea.amount for idea in IN_REVIEW)
    for each in found:
        assert get(seoul, f"proposals/{each['id']}/assessment")["outcome"] == "feasible"
    rows = seoul.rows("SELECT found_by = confirmed_by FROM assessment")
    assert len(rows) >= len(IN_REVIEW)
    assert set(rows) == {(False,)}


def test_the_committee_was_drawn_with_its_reserves_and_the_draw_is_public(seoul: City) -> None:
    found = committee(seoul, "review")
    assert [seat["state"] for seat in found["seats"]] == ["filled"] * SEATS
    assert [seat["is_chair"] for seat in found["seats"]].count(True) == 1
    assert [reserve["state"] for reserve in found["reserves"]] == ["waiting"] * RESERVES
    assert len(found["draw"]["files"]) > 3


def test_opinions_are_in_and_two_reviewers_have_theirs_left(seoul: City) -> None:
    of_it = people(seoul)
    left = [
        {each["proposal_id"] for each in get(seoul, "me/reviews", of_it[who])["items"]}
        for who in ("reviewer_a", "reviewer_b")
    ]
    both = left[0] & left[1]
    assert both
    for proposal_id in both:  # blind until one's own is in
        assert get(seoul, f"proposals/{proposal_id}/opinions", of_it["reviewer_a"])["items"] == []
    given = seoul.rows("SELECT count(*) FROM opinion JOIN review ON review.id = review_id")
    assert given[0][0] >= len(IN_REVIEW)


def test_the_tokens_speak_for_a_chair_and_an_officer_of_the_cycles_department(seoul: City) -> None:
    of_it = people(seoul)
    assert of_it.keys() == {"reviewer_a", "reviewer_b", "chair", "department_officer"}
    cycle = get(seoul, f"cycles/{cycle_id(seoul, 'review')}")
    officer = get(seoul, "me", of_it["department_officer"])
    assert [role["department_id"] for role in officer["roles"]] == [cycle["department_id"]]
    assert all(not get(seoul, "me", of_it[who])["roles"] for who in ("reviewer_a", "chair"))


def test_a_cycle_is_in_voting_with_29_projects_and_ballots_in_the_box(seoul: City) -> None:
    assert get(seoul, f"cycles/{cycle_id(seoul, 'voting')}")["phase"] == "balloting"
    found = proposals(seoul, "voting")
    assert Counter(each["state"] for each in found) == {"on_ballot": len(VOTED_ON)}
    [(poll_id, state)] = contest_polls(seoul, "voting")
    options = get(seoul, f"polls/{poll_id}")["question"]["options"]
    assert (len(options), state) == (len(VOTED_ON), "open")
    assert {option["amount"] for option in options} == {idea.amount for idea in VOTED_ON}
    cast = seoul.rows("SELECT count(*) FROM participation WHERE poll_id = %s", poll_id)
    assert cast == [(demo_people.CITIZENS[1],)]


def test_a_resident_may_vote_on_the_projects(seoul: City) -> None:
    [(poll_id, _)] = contest_polls(seoul, "voting")
    voter = seoul.headers("--area", "11110")
    projects = get(seoul, f"polls/{poll_id}/paper", voter)["question"]["options"]
    answer = seoul.client().post(f"/v1/polls/{poll_id}/eligibility", json={}, headers=voter)
    assert answer.get_json()["may_vote"]
    assert len(projects) == len(VOTED_ON)


def test_the_cycle_that_is_over_was_counted_confirmed_enacted_and_is_built(seoul: City) -> None:
    the_cycle = cycle_id(seoul, "finished")
    assert get(seoul, f"cycles/{the_cycle}")["phase"] == "delivering"
    assert [state for _, state in contest_polls(seoul, "finished")] == ["published"] * 2
    allocation = get(seoul, f"cycles/{the_cycle}/allocation")
    assert len(allocation["decisions"]) == len(DELIVERED)
    motions = seoul.rows("SELECT state, yes, no FROM motion WHERE cycle_id = %s", the_cycle)
    assert motions == [("carried", MEMBERS - 1, 1)]
    states = Counter(each["state"] for each in proposals(seoul, "finished"))
    assert states["reduced"] == states["dropped"] == 1
    assert states["enacted"] > 1
    assert not states["funded"]
    built = get(seoul, f"cycles/{the_cycle}/delivery")["items"]
    assert {each["percent"] for each in built} > {100, 55}
    assert [each["overdue"] for each in built].count(True) == 1


def test_the_report_of_the_cycle_that_is_over_adds_up(seoul: City) -> None:
    report = get(seoul, f"cycles/{cycle_id(seoul, 'finished')}/report")
    assert json.dumps(report)  # its shape is the contract's, which the client checks
    money = seoul.rows(
        "SELECT sum(amount) FROM enactment JOIN proposal ON proposal.id = proposal_id"
        " WHERE cycle_id = %s", cycle_id(seoul, "finished")
    )  # fmt: skip
    limit = get(seoul, f"cycles/{cycle_id(seoul, 'finished')}")["budget_limit"]
    assert 0 < money[0][0] <= limit


def test_a_cycle_whose_phase_is_over_is_followed_by_a_new_one(seoul: City) -> None:
    before = {key: cycle_id(seoul, key) for key in ("review", "voting", "finished")}
    end_phases(seoul, before["review"])
    assert not is_whole(seoul)
    assert seoul.run("demo", "load").exit_code == 0
    after = {key: cycle_id(seoul, key) for key in before}
    assert {key for key in before if after[key] != before[key]} == {"review"}
    assert len(proposals(seoul, "review")) == len(IN_REVIEW)
    assert is_whole(seoul)


def end_phases(city: City, of_cycle: str) -> None:
    """Let every phase of the cycle be over, past the guard."""
    with psycopg.connect(city.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE cycle_phase SET opens_at = opens_at - interval '3 years',"
            " closes_at = closes_at - interval '3 years' WHERE cycle_id = %s", [of_cycle]
        )  # fmt: skip


def contest_polls(city: City, key: str) -> list[tuple[Any, ...]]:
    """Id and state of the polls of the cycle, by source."""
    return city.rows(
        "SELECT poll.id, state FROM contest_poll JOIN poll ON poll.id = poll_id"
        " WHERE cycle_id = %s ORDER BY source", cycle_id(city, key)
    )  # fmt: skip


@pytest.mark.parametrize(
    "stages",
    [
        ["finished cycle: approved by its committee", "finished cycle: ballots"],
        ["review cycle: 6 proposals", "review cycle: assessed, and a committee drawn"],
        ["voting cycle: 29 proposals", "bike-stations: counted and published"],
    ],
    ids=["before-and-after-the-vote", "in-review", "in-voting-and-at-the-end"],
)
def test_cycles_whose_load_was_killed_are_completed_by_the_next_and_go_with_a_reset(
    cluster: TestCluster, worker_id: str, tmp_path: Path, stages: list[str]
) -> None:
    with a_city(cluster, f"killed_{worker_id}", tmp_path) as city:
        for stage in stages:
            city.run_and_kill("demo", "load", after=stage)
            assert not is_whole(city)
        assert city.run("demo", "load").exit_code == 0
        assert is_whole(city)
        assert len(proposals(city, "review")) == len(IN_REVIEW)
        assert len(committee(city, "review")["seats"]) == SEATS
        assert len(proposals(city, "voting")) == len(VOTED_ON)
        assert len(proposals(city, "finished")) == len(DELIVERED)
        assert city.run("demo", "reset", "--yes").exit_code == 0
        assert set(city.content()) == {"alembic_version", "spatial_ref_sys"}


def is_whole(city: City) -> bool:
    """Whether a further load would find nothing to do, and the server calls itself ready."""
    with city.app.app_context(), reading() as session:
        is_ready = city.client().get("/readyz").get_json()["demo"]
        return bool(is_ready) and loading.is_whole(session)


def test_a_cycle_whose_polls_closed_without_their_ballots_is_given_up_for_a_new_one(
    cluster: TestCluster, worker_id: str, tmp_path: Path
) -> None:
    with a_city(cluster, f"late_{worker_id}", tmp_path) as city:
        city.run_and_kill("demo", "load", after="finished cycle: approved by its committee")
        with city.app.app_context():
            given_up, polls = let_nobody_vote()
        for poll_id in polls:
            city.end_voting(str(poll_id))
        assert city.run("demo", "load").exit_code == 0
        assert cycle_id(city, "finished") != str(given_up)
        assert [state for _, state in contest_polls(city, "finished")] == ["published"] * 2
        assert is_whole(city)


def let_nobody_vote() -> tuple[uuid.UUID, list[uuid.UUID]]:
    """Open the polls of the cycle that a load has left, as a load that is killed then does."""
    with transaction() as session:
        the_cycle = made(session)["cycle:finished"]
    seal_survey(the_cycle)
    with transaction() as session:
        ends_at = database_time(session) + dt.timedelta(seconds=60)
        begin(session, the_cycle, "balloting", until=ends_at)
        return the_cycle, [ask(the_cycle, source) for source in ("citizens", "committee")]
