"""Departments assess proposals: one officer finds, another of the same department confirms."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.errors import Error as DatabaseError
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from tests.support.hostile import no_trace
from tests.support.proposals import FEASIBLE, INFEASIBLE, Town, as_owner, refused
from tests.support.world import World


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle in which departments assess."""
    return Town(world)


def test_one_officer_finds_and_another_confirms_and_only_then_it_is_public(town: Town) -> None:
    proposal, (first, second) = town.submitted(town.author()), town.officers()
    path = f"/v1/proposals/{proposal['id']}/assessment"
    town.enter("assessing")
    found = town.assess(proposal, first)
    assert (found.status_code, found.get_json()["confirmed_at"]) == (202, None)
    assert refused(town.world.client.get(path)) == (404, "not-found")
    assert town.world.client.get(path, headers=second.headers).status_code == 200
    assert town.assess(proposal, first).status_code == 202  # nobody confirms what they found
    confirmed = town.assess(proposal, second)
    assert (confirmed.status_code, confirmed.get_json()["outcome"]) == (200, "feasible")
    assert town.world.client.get(path).get_json() == confirmed.get_json()
    assert town.get(proposal)["state"] == "assessed"
    with no_trace(town.world):
        assert refused(town.assess(proposal, second)) == (409, "impossible-transition")


def test_what_differs_from_the_first_finding_is_a_finding_of_its_own(town: Town) -> None:
    proposal, (first, second) = town.submitted(town.author()), town.officers()
    assert town.assess(proposal, first).status_code == 202
    assert town.assess(proposal, second, FEASIBLE | {"assessed_amount": 5}).status_code == 422
    other = FEASIBLE | {"assessed_amount": 5_000_000}
    assert town.assess(proposal, second, other).status_code == 202
    assert town.assess(proposal, first, other).status_code == 200


def test_what_is_infeasible_is_rejected_with_its_assessment(town: Town) -> None:
    proposal = town.rejected(town.author())
    assert proposal["state"] == "rejected"
    public = town.world.client.get(f"/v1/proposals/{proposal['id']}/assessment").get_json()
    assert public["outcome"] == "infeasible"
    assert public["land_available"] == {"finding": "no", "reason": {"ko": "사유지입니다."}}


def test_only_the_department_that_has_it_assesses_and_transfers_are_journalled(town: Town) -> None:
    proposal, ours, theirs = town.submitted(town.author()), town.officers(1)[0], town.officers()
    assert town.assess(proposal, ours).status_code == 202
    with no_trace(town.world):
        assert refused(town.assess(proposal, theirs[0])) == (403, "not-allowed")
    there = town.department_of(theirs[0])
    path, handed = f"{proposal['id']}/transfer", {"department_id": there, "reason": "공원 업무"}
    assert refused(town.post(path, theirs[0], **handed)) == (403, "not-allowed")
    assert town.post(path, ours, **handed).get_json()["department_id"] == there
    assert town.assess(proposal, theirs[0]).status_code == 202  # the finding before is theirs not
    assert town.assess(proposal, theirs[1]).status_code == 200
    transfers = (
        "SELECT facts ->> 'to_department' FROM journal WHERE kind = 'proposal:transferred'"
        " ORDER BY id"
    )
    assert town.world.rows(transfers) == [(town.department_of(ours),), (there,)]


def test_nobody_assesses_a_proposal_of_their_own(town: Town) -> None:
    (officer,) = town.officers(1)
    author = town.author()
    proposal = town.submitted(author)
    town.let_join(proposal, author, officer)
    with no_trace(town.world):
        assert refused(town.assess(proposal, officer)) == (403, "not-allowed")


def test_no_author_keeps_officers_away_by_asking_them_to_be_co_authors(town: Town) -> None:
    author, officers = town.author(), town.officers()
    proposal = town.submitted(author)
    for officer in officers:
        town.post(f"{proposal['id']}/co-authors", author, citizen_id=str(officer.id))
    assert [town.assess(proposal, each).status_code for each in officers] == [202, 200]


def test_officers_of_its_department_alone_read_how_to_reach_the_authors(town: Town) -> None:
    proposal = town.submitted(town.author(), contact="010-9999-1234")
    ours, (theirs,), client = town.officers(), town.officers(1), town.world.client
    stranger = town.author()
    path = f"/v1/proposals/{proposal['id']}/contacts"
    with no_trace(town.world):  # nobody has it yet
        assert refused(client.get(path, headers=ours[0].headers)) == (403, "not-allowed")
    assert town.assess(proposal, ours[0]).status_code == 202
    with no_trace(town.world):
        for person in (theirs, stranger):
            assert refused(client.get(path, headers=person.headers)) == (403, "not-allowed")
        assert refused(client.get(path)) == (401, "token-missing")
    read = client.get(path, headers=ours[1].headers).get_json()
    assert read["items"] == [{"contact": "010-9999-1234"}]
    looked = "SELECT actor_id FROM journal WHERE kind = 'proposal:contacts_read'"
    assert town.world.rows(looked) == [(ours[1].id,)]


def test_nobody_hands_a_proposal_of_their_own_to_the_department_they_like(town: Town) -> None:
    (officer,), (friend,) = town.officers(1), town.officers(1)
    author = town.author()
    proposal = town.submitted(author)
    town.let_join(proposal, author, officer)
    handed = {"department_id": town.department_of(friend), "reason": "좋은 부서"}
    with no_trace(town.world):
        answer = town.post(f"{proposal['id']}/transfer", officer, **handed)
    assert refused(answer) == (403, "not-allowed")


@pytest.mark.parametrize("amounts", [{"assessed_amount": 0, "min_useful_amount": None}])
def test_what_is_feasible_has_a_price(town: Town, amounts: dict[str, Any]) -> None:
    proposal, (officer,) = town.submitted(town.author()), town.officers(1)
    with no_trace(town.world):
        answer = town.assess(proposal, officer, FEASIBLE | amounts)
    assert refused(answer) == (422, "invalid-request")
    assert [each["pointer"] for each in answer.get_json()["errors"]] == ["/assessed_amount"]
    assert town.assess(proposal, officer, INFEASIBLE | amounts).status_code == 202


@pytest.mark.parametrize(
    ("kind", "most"), [("event", 30_000_000), ("works", 800_000_000)], ids=["cap", "limit"]
)
def test_what_is_feasible_costs_no_more_than_its_heading_and_kind_allow(
    town: Town, kind: str, most: int
) -> None:
    proposal, (officer,) = town.submitted(town.author(), kind=kind), town.officers(1)
    too_dear, just_so = {"assessed_amount": most + 1}, {"assessed_amount": most}
    with no_trace(town.world):
        answer = town.assess(proposal, officer, FEASIBLE | too_dear)
    assert refused(answer) == (422, "invalid-request")
    [error] = answer.get_json()["errors"]
    assert (error["pointer"], f"{most:,}" in error["detail"]) == ("/assessed_amount", True)
    assert town.assess(proposal, officer, FEASIBLE | just_so).status_code == 202
    assert town.assess(proposal, officer, INFEASIBLE | too_dear).status_code == 202


def test_citizens_neither_assess_nor_return_nor_transfer(town: Town) -> None:
    author = town.author()
    proposal = town.submitted(author)
    with no_trace(town.world):
        assert refused(town.assess(proposal, author)) == (403, "not-allowed")
        answer = town.post(f"{proposal['id']}/return", author, missing="?")
        assert refused(answer) == (403, "not-allowed")


def test_what_is_overdue_is_assessed_when_balloting_has_begun_but_not_returned(
    town: Town,
) -> None:
    proposal, officers = town.submitted(town.author()), town.officers(2)
    town.enter("balloting")
    with no_trace(town.world):
        answer = town.post(f"{proposal['id']}/return", officers[0], missing="?")
        assert refused(answer) == (409, "phase-not-open")
    statuses = [town.assess(proposal, officer).status_code for officer in officers]
    assert statuses == [202, 200]


@pytest.mark.parametrize("phase", ["deciding", "delivering"])
def test_nothing_is_assessed_after_the_review(town: Town, phase: str) -> None:
    proposal, (officer,) = town.submitted(town.author()), town.officers(1)
    town.enter(phase)
    with no_trace(town.world):
        assert refused(town.assess(proposal, officer)) == (409, "phase-not-open")


def test_what_is_overdue_is_public_and_counts_neither_as_yes_nor_as_no(town: Town) -> None:
    late, in_time = town.submitted(town.author()), town.submitted(town.author())
    town.let_time_run_out(late)
    path = f"/v1/cycles/{town.cycle_id}/proposals"
    listed = town.world.client.get(path, query_string={"overdue": "true"}).get_json()["items"]
    assert [each["id"] for each in listed] == [late["id"]]
    assert (town.get(late)["state"], town.get(late)["overdue"]) == ("submitted", True)
    assert town.get(in_time)["overdue"] is False


@pytest.mark.parametrize("state", ["draft", "returned", "assessed", "under_review", "on_ballot"])
def test_only_what_is_submitted_is_assessed_or_returned(town: Town, state: str) -> None:
    author, (officer,) = town.author(), town.officers(1)
    if state == "draft":
        proposal, refusal = town.draft(author), (404, "not-found")
    else:
        proposal, refusal = town.submitted(author), (409, "impossible-transition")
        town.put_in(proposal, state)
    with no_trace(town.world):
        assert refused(town.assess(proposal, officer)) == refusal
        answer = town.post(f"{proposal['id']}/return", officer, missing="견적서")
        assert refused(answer) == refusal


@pytest.mark.parametrize("due_at", ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
def test_the_time_to_come_again_lies_ahead_and_not_too_far(town: Town, due_at: str) -> None:
    proposal, (officer,) = town.submitted(town.author()), town.officers(1)
    with no_trace(town.world):
        answer = town.post(f"{proposal['id']}/return", officer, missing="견적서", due_at=due_at)
        assert refused(answer) == (422, "invalid-request")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE assessment SET confirmed_by = found_by, confirmed_at = now()",
        "UPDATE assessment SET confirmed_by = gen_random_uuid(), confirmed_at = now()",
        "UPDATE assessment SET confirmed_by = '{second}', confirmed_at = now(), lawful = 'no'",
        "UPDATE proposal SET state = 'assessed'",
        "DELETE FROM assessment",
    ],
)
def test_no_login_confirms_alone_or_otherwise_than_it_was_found(town: Town, change: str) -> None:
    proposal, (first, second) = town.submitted(town.author()), town.officers()
    town.assess(proposal, first)
    with no_trace(town.world), as_owner(town.world) as connection, pytest.raises(DatabaseError):
        connection.execute(change.format(second=second.id))


def test_two_officers_strike_a_project_from_the_ballot_with_a_public_reason(town: Town) -> None:
    proposal, (first, second) = town.submitted(town.author()), town.officers()
    path, reason = f"{proposal['id']}/strike", {"text": "다른 사업에 포함되었습니다."}
    with no_trace(town.world):
        assert refused(town.post(path, first, **reason)) == (409, "impossible-transition")
    town.put_in(proposal, "on_ballot")
    assert town.post(path, first, **reason).status_code == 202
    assert town.post(path, first, **reason).status_code == 202
    assert town.get(proposal)["state"] == "on_ballot"
    done = town.post(path, second, **reason).get_json()
    assert (done["state"], done["struck"]["text"]) == ("struck", {"ko": reason["text"]})
    assert town.get(proposal)["struck"] == done["struck"]


def test_the_webs_login_cannot_strike_by_itself(town: Town) -> None:
    proposal = town.submitted(town.author())
    town.put_in(proposal, "on_ballot")
    with (
        Session(town.world.engines["api"]) as session,
        pytest.raises(ProgrammingError, match="only two officers"),
    ):
        session.execute(text("UPDATE proposal SET state = 'struck'"))


@pytest.mark.parametrize("state", ["rejected", "assessed"])
def test_what_was_found_infeasible_is_not_reviewed_unless_the_committee_calls_it_up(
    town: Town, state: str
) -> None:
    proposal = town.submitted(town.author())
    for officer in town.officers():
        town.assess(proposal, officer, INFEASIBLE)
    town.put_in(proposal, state)
    with psycopg.connect(town.world.admin_url) as connection, pytest.raises(DatabaseError):
        connection.execute("UPDATE proposal SET state = 'under_review'")
    assert town.get(proposal)["state"] == state
