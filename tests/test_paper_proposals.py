"""Proposals on paper: an officer enters them, the department acts for a person without account."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from psycopg.errors import CheckViolation
from werkzeug.test import TestResponse

from mvote.base import utc_now
from tests.support.hostile import no_trace
from tests.support.proposals import FEASIBLE, PROPOSAL, Town, as_owner, refused
from tests.support.world import Person, World

NAME, CONTACT = "홍길동", "02-123-4567"


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle that takes proposals since yesterday."""
    town = Town(world)
    town.enter("proposing")
    return town


def enter(town: Town, officer: Person, **body: Any) -> TestResponse:
    """What entering a proposal is answered."""
    sheet = {"person": NAME, "contact": CONTACT, "received_on": utc_now().date().isoformat()}
    path = f"/v1/cycles/{town.cycle_id}/paper-proposals"
    return town.world.client.post(path, json=PROPOSAL | sheet | body, headers=officer.headers)


def sheet_of(town: Town, proposal: dict[str, Any], officer: Person) -> TestResponse:
    path = f"/v1/proposals/{proposal['id']}/paper"
    return town.world.client.get(path, headers=officer.headers)


def test_a_proposal_from_paper_is_submitted_and_public_but_its_person_is_not(town: Town) -> None:
    (officer,) = town.officers(1)
    answer = enter(town, officer)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    proposal = answer.get_json()
    assert (proposal["state"], proposal["on_paper"], proposal["authors"]) == ("submitted", True, 0)
    public = town.world.client.get(f"/v1/proposals/{proposal['id']}")
    revisions = town.world.client.get(f"/v1/proposals/{proposal['id']}/revisions")
    listed = town.world.client.get(f"/v1/cycles/{town.cycle_id}/proposals")
    for each in (answer, public, revisions, listed):
        text = each.get_data(as_text=True)
        assert proposal["reference"] in text or each is revisions
        assert NAME not in text
        assert CONTACT not in text


def test_who_entered_it_is_journalled_and_the_person_is_not(town: Town) -> None:
    (officer,) = town.officers(1)
    proposal = enter(town, officer).get_json()
    journal = town.world.rows(
        "SELECT actor_id, kind, facts::text FROM journal WHERE subject_id = %s ORDER BY id",
        proposal["id"],
    )
    assert [(actor, kind) for actor, kind, _ in journal] == [
        (officer.id, "proposal:entered_from_paper"),
        (officer.id, "proposal:submitted"),
    ]
    assert NAME not in str(journal)
    assert CONTACT not in str(journal)


def test_the_sheet_is_for_the_departments_that_deal_with_it_until_it_is_forgotten(
    town: Town,
) -> None:
    (officer, colleague), (stranger,) = town.officers(), town.officers(1)
    proposal = enter(town, officer).get_json()
    sheet = sheet_of(town, proposal, colleague)
    assert (sheet.get_json()["person"], sheet.get_json()["contact"]) == (NAME, CONTACT)
    citizen = town.author()
    with no_trace(town.world):
        assert refused(sheet_of(town, proposal, stranger)) == (404, "not-found")
        assert refused(sheet_of(town, proposal, citizen)) == (403, "not-allowed")
    town.assess(proposal, stranger)  # their department has it now
    assert sheet_of(town, proposal, stranger).status_code == 200
    looked = "SELECT actor_id FROM journal WHERE kind = 'proposal:sheet_read' ORDER BY id"
    assert town.world.rows(looked) == [(colleague.id,), (stranger.id,)]
    path = f"/v1/proposals/{proposal['id']}/paper"
    for _ in range(2):
        assert town.world.client.delete(path, headers=officer.headers).status_code == 204
    forgotten = sheet_of(town, proposal, officer).get_json()
    assert (forgotten["person"], forgotten["contact"]) == (None, None)
    assert town.get(proposal)["on_paper"] is True
    kept = town.world.rows("SELECT count(*) FROM paper_entry WHERE person IS NOT NULL")
    assert kept == [(0,)]


def test_citizens_enter_nothing_from_paper(town: Town) -> None:
    citizen = town.author()
    with no_trace(town.world):
        assert refused(enter(town, citizen)) == (403, "not-allowed")


def test_paper_keeps_to_the_phase_and_to_the_rules_of_proposals(town: Town) -> None:
    (officer,) = town.officers(1)
    tomorrow = (utc_now() + dt.timedelta(days=2)).date().isoformat()
    with no_trace(town.world):
        for received_on in (tomorrow, "2020-01-01"):
            answer = enter(town, officer, received_on=received_on)
            assert refused(answer) == (422, "invalid-request")
            assert answer.get_json()["errors"][0]["pointer"] == "/received_on"
        assert refused(enter(town, officer, heading=None)) == (409, "not-ready-to-submit")
        assert refused(enter(town, officer, person="")) == (422, "invalid-request")
    town.enter("assessing")
    with no_trace(town.world):
        assert refused(enter(town, officer)) == (409, "phase-not-open")


def test_the_department_sends_it_in_again_and_withdraws_it_for_its_author(town: Town) -> None:
    (officer, colleague), (assessor,) = town.officers(), town.officers(1)
    proposal = enter(town, officer).get_json()
    assert town.post(f"{proposal['id']}/return", assessor, missing="견적서").status_code == 200
    assert town.revise(proposal, colleague, problem="더 자세히 씁니다.").status_code == 200
    again = town.post(f"{proposal['id']}/submit", colleague)
    assert (again.get_json()["state"], again.get_json()["revision"]) == ("submitted", 2)
    other = town.author()
    with no_trace(town.world):
        assert refused(town.post(f"{proposal['id']}/withdraw", other)) == (403, "not-allowed")
        assert refused(town.post(f"{proposal['id']}/withdraw", assessor)) == (403, "not-allowed")
    gone = town.post(f"{proposal['id']}/withdraw", officer)
    assert (gone.status_code, gone.get_json()["state"]) == (200, "withdrawn")


def test_nobody_assesses_what_they_have_entered(town: Town) -> None:
    officer, second, third = town.officers(3)
    proposal = enter(town, officer).get_json()
    with no_trace(town.world):
        assert refused(town.assess(proposal, officer)) == (403, "not-allowed")
    assert town.assess(proposal, second).status_code == 202
    assert refused(town.assess(proposal, officer)) == (403, "not-allowed")
    assert town.assess(proposal, third, FEASIBLE).status_code == 200


def test_what_came_on_paper_is_merged_with_nothing_as_its_author_cannot_agree(town: Town) -> None:
    (officer,), author = town.officers(1), town.author()
    on_paper, other = enter(town, officer).get_json(), town.submitted(author)
    with no_trace(town.world):
        for first, second, who in ((on_paper, other, officer), (other, on_paper, author)):
            answer = town.post(f"{first['id']}/merge", who, into=second["id"])
            assert refused(answer) == (403, "not-allowed")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE paper_entry SET person = NULL",
        "UPDATE paper_entry SET forgotten_at = now()",
        "UPDATE paper_entry SET person = NULL, forgotten_at = now()",
    ],
    ids=["nobody", "forgotten but there", "a contact of nobody"],
)
def test_a_sheet_names_somebody_or_was_forgotten_as_a_whole(town: Town, change: str) -> None:
    (officer,) = town.officers(1)
    assert enter(town, officer).status_code == 201
    with as_owner(town.world) as owner, pytest.raises(CheckViolation):
        owner.execute(change)
