"""Delivery: departments say in public, and for good, how far they are with what was enacted."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest
from psycopg.errors import Error as DatabaseError
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mvote.budget.delivering.updating import update_project
from mvote.budget.revision import DEAREST
from mvote.people.citizens import Citizen
from tests.support.delivering import (
    FUNDED,
    PAST,
    SOON,
    UPDATE,
    day,
    delivery,
    enacted,
    on_the_ballot,
    say,
    send_picture,
    updates,
)
from tests.support.hostile import no_trace
from tests.support.proposals import Town, as_owner, refused
from tests.support.racing import race
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("within_an_hour")


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle."""
    return Town(world)


def test_what_a_department_says_is_public_with_its_pictures_and_the_newest_counts(
    town: Town,
) -> None:
    (officer,) = town.officers(1)
    project = enacted(town, town.author(), officer)
    assert updates(town, project) == []
    picture = {"sha256": send_picture(town, officer), "alt": "세워진 그늘막"}
    first = say(town, project, officer, pictures=[picture])
    assert first.status_code == 201, first.get_data(as_text=True)
    assert say(town, project, officer, percent=60, spent=3_000_000).status_code == 201
    newest, oldest = updates(town, project)
    assert (newest["n"], newest["percent"], newest["spent"]) == (2, 60, 3_000_000)
    assert oldest["pictures"][0]["alt"] == {"ko": "세워진 그늘막"}
    assert town.world.client.get(oldest["pictures"][0]["url"]).status_code == 200
    (listed,) = delivery(town)
    assert (listed["percent"], listed["amount"], listed["overdue"]) == (60, FUNDED, False)
    assert listed["department_id"] == town.department_of(officer)
    kinds = town.world.rows("SELECT count(*) FROM journal WHERE kind = 'project:updated'")
    assert kinds == [(2,)]


def test_only_the_department_that_delivers_speaks_of_it_and_may_hand_it_over(town: Town) -> None:
    (officer,), (other,), citizen = town.officers(1), town.officers(1), town.author()
    project = enacted(town, citizen, officer)
    with no_trace(town.world):
        assert refused(say(town, project, other)) == (403, "not-allowed")
        assert refused(say(town, project, citizen)) == (403, "not-allowed")
        anonymous = town.world.client.post(f"/v1/proposals/{project['id']}/updates", json=UPDATE)
        assert refused(anonymous) == (401, "token-missing")
    handed = say(town, project, officer, department_id=town.department_of(other))
    assert handed.status_code == 201
    with no_trace(town.world):
        assert refused(say(town, project, officer)) == (403, "not-allowed")
    assert say(town, project, other).status_code == 201


def test_nothing_is_said_of_what_was_not_enacted(town: Town) -> None:
    (officer,) = town.officers(1)
    project = on_the_ballot(town, town.author())
    with no_trace(town.world):
        answer = say(town, project, officer)
        assert refused(answer) == (409, "impossible-transition")
        assert answer.get_json()["state"] == "on_ballot"
    assert refused(say(town, {"id": str(uuid.uuid4())}, officer)) == (404, "not-found")


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"spent": DEAREST + 1}, "/spent"),
        ({"spent": -1}, "/spent"),
        ({"spent": 0.5}, "/spent"),
        ({"spent": "100"}, "/spent"),
        ({"percent": 101}, "/percent"),
        ({"percent": 100}, "/percent"),
        ({"corrects": 1}, "/corrects"),
        ({"department_id": "0192a0a0-0000-7000-8000-000000000000"}, "/department_id"),
        ({"pictures": [{"sha256": "ab" * 32, "alt": "?"}]}, "/pictures/0/sha256"),
        ({"pictures": [{"sha256": "ab" * 32}]}, "/pictures/0/alt"),
        ({"milestones": [{"title": "x", "planned_on": "0001-01-01"}]}, "/milestones/0/planned_on"),
        (
            {"milestones": [{"title": "x", "planned_on": PAST, "done_on": SOON}]},
            "/milestones/0/done_on",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else next(iter(value)),
)
def test_what_cannot_be_is_refused_by_its_place(
    town: Town, said: dict[str, Any], pointer: str
) -> None:
    (officer,) = town.officers(1)
    project = enacted(town, town.author(), officer)
    with no_trace(town.world):
        answer = say(town, project, officer, **said)
        assert refused(answer) == (422, "invalid-request")
        assert [each["pointer"] for each in answer.get_json()["errors"]] == [pointer]


def test_money_is_kept_to_the_won_up_to_the_greatest_amount(town: Town) -> None:
    (officer,) = town.officers(1)
    project = enacted(town, town.author(), officer)
    for spent in (0, 1, DEAREST - 1, DEAREST):
        assert say(town, project, officer, spent=spent).get_json()["spent"] == spent
    assert [each["spent"] for each in updates(town, project)][:2] == [DEAREST, DEAREST - 1]


def test_an_error_is_corrected_by_a_new_update_and_stays_to_be_read(town: Town) -> None:
    (officer,) = town.officers(1)
    project = enacted(town, town.author(), officer)
    assert say(town, project, officer, spent=15_000_000).status_code == 201
    assert say(town, project, officer, spent=1_500_000, corrects=1).status_code == 201
    right, wrong = updates(town, project)
    assert (wrong["spent"], wrong["corrected_by"]) == (15_000_000, [2])
    assert (right["spent"], right["corrects"], right["corrected_by"]) == (1_500_000, 1, [])


@pytest.mark.parametrize(
    "change",
    ["UPDATE project_update SET spent = 0", "DELETE FROM project_update"],
    ids=["changed", "deleted"],
)
def test_nobody_changes_what_was_said(town: Town, change: str) -> None:
    (officer,) = town.officers(1)
    project = enacted(town, town.author(), officer)
    assert say(town, project, officer).status_code == 201
    with as_owner(town.world) as owner, pytest.raises(DatabaseError):
        owner.execute(change)
    assert updates(town, project)[0]["spent"] == UPDATE["spent"]


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("n", 3, "without a gap"),
        ("spent", DEAREST + 1, "spent_in_range"),
        ("percent", -1, "percent_in_range"),
        ("percent", 100, "delivered_when_all_is_done"),
        ("corrects", 2, "corrects_an_earlier_one"),
    ],
)
def test_the_database_itself_keeps_the_rules_of_updates(
    town: Town, column: str, value: int, rule: str
) -> None:
    (officer,) = town.officers(1)
    project = enacted(town, town.author(), officer)
    assert say(town, project, officer).status_code == 201
    # the same row as the first but for one column, as number 2
    with as_owner(town.world) as owner, pytest.raises(DatabaseError, match=rule):
        owner.execute(
            "INSERT INTO project_update SELECT (jsonb_populate_record(u, jsonb_build_object('n', 2)"
            " || jsonb_build_object(%s::text, %s::bigint))).* FROM project_update u",
            [column, value],
        )
    assert len(updates(town, project)) == 1


def test_updates_at_the_same_moment_are_numbered_one_after_the_other(town: Town) -> None:
    (officer,) = town.officers(1)
    project = enacted(town, town.author(), officer)
    proposal_id = uuid.UUID(project["id"])

    def act(session: Session) -> int:
        by = session.get_one(Citizen, officer.id)
        said = UPDATE | {"milestones": []}
        return update_project(session, proposal_id=proposal_id, by=by, said=said).n

    outcomes = race(town.world.engines["api"], 5, act)
    assert sorted(outcomes, key=str) == [1, 2, 3, 4, 5]


def test_without_the_lock_updates_at_the_same_moment_would_break(town: Town) -> None:
    """The sabotaged twin: who does not lock the project meets the database's own rule."""
    (officer,) = town.officers(1)
    project = enacted(town, town.author(), officer)
    insert = text(
        "INSERT INTO project_update (proposal_id, n, department_id, text, percent, spent,"
        ' milestones, pictures, by, at) SELECT id, 1, department_id, \'{"ko": "x"}\', 0, 0,'
        " '[]', '[]', gen_random_uuid(), now() FROM proposal WHERE id = :id"
    )

    def act(session: Session) -> None:
        session.execute(insert, {"id": project["id"]})

    with pytest.raises(IntegrityError):
        race(town.world.engines["api"], 5, act)
    assert len(updates(town, project)) == 1


def test_what_is_late_by_its_own_plan_is_listed_publicly(town: Town) -> None:
    (officer,) = town.officers(1)
    on_time, late = (enacted(town, town.author(), officer) for _ in range(2))
    assert say(town, on_time, officer).status_code == 201
    planned = [{"title": "착공", "planned_on": PAST}, {"title": "준공", "planned_on": SOON}]
    assert say(town, late, officer, milestones=planned).status_code == 201
    (listed,) = delivery(town, overdue="true")
    assert (listed["proposal_id"], listed["overdue_since"]) == (late["id"], "2026-03-03")
    done = [planned[0] | {"done_on": day(-2)}, planned[1]]
    assert say(town, late, officer, milestones=done).status_code == 201
    assert delivery(town, overdue="true") == []
    assert len(delivery(town)) == 2


def test_silence_about_what_was_enacted_is_late_after_90_days(town: Town) -> None:
    (officer,) = town.officers(1)
    project = enacted(town, town.author(), officer)
    assert delivery(town, overdue="true") == []
    with psycopg.connect(town.world.admin_url) as connection:
        connection.execute(
            "UPDATE proposal SET state_since = now() - interval '91 days' WHERE id = %s",
            [project["id"]],
        )
    (listed,) = delivery(town, overdue="true")
    assert (listed["percent"], listed["updated_at"], listed["overdue"]) == (None, None, True)


def test_pages_of_updates_go_on_where_the_last_one_ended(town: Town) -> None:
    (officer,) = town.officers(1)
    project = enacted(town, town.author(), officer)
    for percent in (10, 20, 30):
        assert say(town, project, officer, percent=percent).status_code == 201
    path = f"/v1/proposals/{project['id']}/updates"
    first = town.world.client.get(f"{path}?limit=2").get_json()
    second = town.world.client.get(f"{path}?limit=2&cursor={first['next_cursor']}").get_json()
    numbers = [each["n"] for page in (first, second) for each in page["items"]]
    assert (numbers, second["next_cursor"]) == ([3, 2, 1], None)
