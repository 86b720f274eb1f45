"""A cycle is data: planned, read, revised, started; its phases run by the database's clock."""

from __future__ import annotations

import copy
import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session

from mvote.budget.cycle import PhaseKind
from mvote.budget.errors import PhaseNotOpen
from mvote.budget.phases import phase_now, phases_of, require_phase
from tests.support.budgets import (
    YEARS,
    around_now,
    begin,
    definition_of,
    phase,
    plan,
    read,
    running,
    send,
)
from tests.support.hostile import no_trace
from tests.support.world import Person, World


def patch(world: World, cycle: dict[str, Any], officer: Person, **changes: Any) -> Any:
    path = f"/v1/cycles/{cycle['id']}"
    headers = officer.headers | {"If-Match": world.client.get(path).headers["ETag"]}
    return world.client.patch(path, json=changes, headers=headers)


@pytest.mark.parametrize("year", YEARS)
def test_each_real_cycle_is_taken_as_it_is_and_shown_to_everyone(world: World, year: int) -> None:
    definition = definition_of(year)
    cycle = plan(world, definition, world.officer())
    assert cycle["status"] == "draft"
    shown = read(world, cycle)
    assert {name: shown[name] for name in definition} == definition
    assert world.rows("SELECT definition FROM cycle") == [(definition,)]
    derived = world.rows("SELECT currency, budget_year, budget_limit, title FROM cycle")
    assert derived == [
        ("KRW", definition["budget_year"], definition["budget_limit"], definition["title"])
    ]


def test_the_phases_are_rows_that_say_what_the_definition_says(
    world: World, session: Session
) -> None:
    cycle = plan(world, definition_of(2015), world.officer())
    rows = phases_of(session, uuid.UUID(cycle["id"]))
    assert [row.kind for row in rows] == [each["kind"] for each in cycle["phases"]]
    later = copy.deepcopy(cycle["phases"])
    later[0]["closes_at"] = "2015-03-30T15:00:00Z"
    officer = world.officer()
    assert patch(world, cycle, officer, phases=later).status_code == 403


def test_a_draft_is_changed_by_its_department_member_by_member(world: World) -> None:
    officer = world.officer()
    cycle = plan(world, definition_of(2020), officer)
    answer = patch(world, cycle, officer, title="2020 시민참여예산", budget_limit=None)
    assert answer.status_code == 200
    revised = answer.get_json()
    assert (revised["title"], revised["version"]) == ({"ko": "2020 시민참여예산"}, 2)
    assert (revised["budget_limit"], revised["kinds"]) == (None, cycle["kinds"])


def test_another_department_neither_changes_nor_starts_a_draft(world: World) -> None:
    cycle, stranger = plan(world, definition_of(2020), world.officer()), world.officer()
    with no_trace(world):
        for answer in (
            patch(world, cycle, stranger, title="남의 것"),
            phase(world, cycle, stranger),
        ):
            assert (answer.status_code, answer.get_json()["code"]) == (403, "not-allowed")


def test_who_has_not_read_the_newest_version_changes_nothing(world: World) -> None:
    officer = world.officer()
    cycle = plan(world, definition_of(2020), officer)
    path = f"/v1/cycles/{cycle['id']}"
    old = world.client.get(path).headers["ETag"]
    patch(world, cycle, officer, title="바뀐 제목")
    with no_trace(world):
        stale = world.client.patch(
            path, json={"title": "x"}, headers=officer.headers | {"If-Match": old}
        )
        without = world.client.patch(path, json={"title": "x"}, headers=officer.headers)
    assert (stale.status_code, without.status_code) == (412, 428)


def test_a_draft_that_is_changed_into_a_contradiction_stays_as_it_was(world: World) -> None:
    officer = world.officer()
    cycle = plan(world, definition_of(2015), officer)
    with no_trace(world):
        answer = patch(world, cycle, officer, budget_limit=1)
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (422, "invalid-request")
    assert {"/headings/0/limit", "/headings/1/limit"} <= {e["pointer"] for e in problem["errors"]}


def test_every_contradiction_is_named_at_once_in_the_callers_language(world: World) -> None:
    wrong = definition_of(2015)
    wrong["headings"][2]["parent"] = "nowhere"
    wrong["phases"][3]["closes_at"] = wrong["phases"][3]["opens_at"]
    wrong["review"]["quorum"]["more_than"] = "3/2"
    wrong["contests"][0]["allocation"]["ties"] = ["nobody"]
    officer = world.officer()
    with no_trace(world):
        spoken = {
            language: world.client.post(
                "/v1/cycles",
                json=wrong,
                headers=officer.headers | {"Accept-Language": language},
            ).get_json()["errors"]
            for language in ("ko", "en")
        }
    codes = [
        "unknown-parent", "phase-ends-before-it-begins", "fraction-never-exceeded", "unknown-tie"
    ]  # fmt: skip
    for errors in spoken.values():
        assert set(codes) <= {each["code"] for each in errors}
    assert all(each["detail"].isascii() for each in spoken["en"])
    assert not any(each["detail"].isascii() for each in spoken["ko"])


def test_a_started_cycle_is_frozen(world: World) -> None:
    officer = world.officer()
    cycle = running(world, officer=officer)
    assert (cycle["status"], cycle["phase"]) == ("running", "proposing")
    with no_trace(world):
        frozen: list[dict[str, Any]] = [
            {"title": "다른 제목"},
            {"budget_limit": 1},
            {"contests": []},
        ]
        for changes in frozen:
            answer = patch(world, cycle, officer, **changes)
            assert (answer.status_code, answer.get_json()["code"]) == (409, "impossible-transition")
        assert phase(world, cycle, officer).status_code == 409


def test_a_cycle_that_is_over_by_its_plan_does_not_start(world: World) -> None:
    officer = world.officer()
    cycle = plan(world, definition_of(2012), officer)
    with no_trace(world):
        answer = phase(world, cycle, officer)
        begun = phase(world, cycle, officer, kind="balloting")
    assert (answer.status_code, begun.status_code) == (422, 422)
    assert read(world, cycle)["status"] == "draft"


def test_a_draft_can_be_started_with_a_phase_that_begins_now(world: World) -> None:
    officer = world.officer()
    planned = around_now(definition_of(2023), "proposing")
    for each in planned["phases"]:
        for name in ("opens_at", "closes_at"):
            each[name] = each[name].replace("20", "21", 1)  # a hundred years ahead
    cycle = plan(world, planned, officer)
    assert phase(world, cycle, officer, kind="proposing").status_code == 200
    shown = read(world, cycle)
    assert (shown["status"], shown["phase"]) == ("running", "proposing")
    assert shown["phases"][1:] == planned["phases"][1:]


def test_before_its_first_phase_a_started_cycle_is_scheduled_and_after_the_last_closed(
    world: World,
) -> None:
    officer = world.officer()
    ahead = around_now(definition_of(2015), "proposing")
    ahead["phases"][0]["opens_at"] = ahead["phases"][0]["closes_at"].replace("00Z", "00.001Z")
    ahead["phases"] = ahead["phases"][1:]
    cycle = plan(world, ahead, officer)
    assert phase(world, cycle, officer).get_json()["status"] == "scheduled"
    assert read(world, cycle)["phase"] is None


@pytest.mark.parametrize("year", YEARS)
def test_each_real_cycle_goes_through_its_phases_one_after_the_other(
    world: World, session: Session, year: int
) -> None:
    cycle = running(world, year=year)
    kinds: list[PhaseKind] = ["assessing", "reviewing", "balloting"]
    for kind in kinds:
        assert begin(world, cycle, kind)["phase"] == kind
        assert phase_now(session, uuid.UUID(cycle["id"])) == kind
        session.rollback()
    assert world.count("cycle_notice") == 3


def test_balloting_does_not_end_before_a_source_has_voted(world: World) -> None:
    cycle, officer = running(world, "balloting"), world.officer()
    with no_trace(world):
        answer = phase(world, cycle, officer, kind="deciding")
    assert answer.status_code == 422
    assert {each["code"] for each in answer.get_json()["errors"]} == {"source-outside-balloting"}
    whole = running(world, "balloting", year=2020)
    assert begin(world, whole, "deciding")["phase"] == "deciding"


def test_an_act_is_refused_outside_its_phase_with_when_it_opens(
    world: World, session: Session
) -> None:
    cycle = running(world, "assessing")
    cycle_id = uuid.UUID(cycle["id"])
    assert require_phase(session, cycle_id, "assessing", "reviewing") == "assessing"
    with pytest.raises(PhaseNotOpen) as refused:
        require_phase(session, cycle_id, "balloting")
    facts = refused.value.facts
    assert facts["phase"] == "assessing"
    assert facts["opens_at"] == cycle["phases"][3]["opens_at"]
    with pytest.raises(PhaseNotOpen) as too_late:
        require_phase(session, cycle_id, "proposing")
    assert too_late.value.facts["opens_at"] is None


def test_a_draft_is_in_no_phase_whatever_its_plan_says(world: World, session: Session) -> None:
    cycle = plan(world, around_now(definition_of(2015), "proposing"), world.officer())
    assert phase_now(session, uuid.UUID(cycle["id"])) is None
    with pytest.raises(PhaseNotOpen):
        require_phase(session, uuid.UUID(cycle["id"]), "proposing")


def test_cycles_are_listed_newest_first_by_year_and_page(world: World) -> None:
    officer = world.officer()
    made = [plan(world, definition_of(year), officer)["id"] for year in (2012, 2015, 2012)]
    first = world.client.get("/v1/cycles?limit=2").get_json()
    rest = world.client.get(f"/v1/cycles?limit=2&cursor={first['next_cursor']}").get_json()
    assert [each["id"] for each in first["items"] + rest["items"]] == made[::-1]
    of_2015 = world.client.get("/v1/cycles?budget_year=2016").get_json()["items"]
    assert [each["id"] for each in of_2015] == [made[1]]


def test_who_plans_starts_and_moves_stands_in_the_journal(world: World) -> None:
    officer = world.officer()
    cycle = running(world, officer=officer)
    begin(world, cycle, "assessing")
    kinds = world.rows("SELECT kind FROM journal WHERE subject_id = %s ORDER BY id", cycle["id"])
    assert [kind for (kind,) in kinds] == [
        "cycle:planned", "cycle:started", "approval:asked", "cycle:moved"
    ]  # fmt: skip


def test_only_officers_plan(world: World) -> None:
    citizen = world.citizen()
    with no_trace(world):
        answer = send(world, definition_of(2015), citizen)
    assert answer.status_code == 403
