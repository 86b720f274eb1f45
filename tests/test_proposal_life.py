"""The life of a proposal: every pair of states, drafting, submitting, returning, appealing."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.errors import Error as DatabaseError
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.budget.returning import lapse_missed
from tests.support.hostile import no_trace
from tests.support.proposals import ITEM, Town, as_owner, refused
from tests.support.world import World


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle."""
    return Town(world)


def test_a_draft_is_seen_by_its_authors_only_and_everyone_sees_what_was_submitted(
    town: Town,
) -> None:
    author, other = town.author(), town.author()
    draft = town.draft(author)
    path = f"/v1/proposals/{draft['id']}"
    assert (draft["state"], draft["reference"], draft["amount"]) == ("draft", None, 6_000_000)
    for headers in ({}, other.headers):
        assert refused(town.world.client.get(path, headers=headers)) == (404, "not-found")
        similar = town.world.client.get(f"{path}/similar", headers=headers)
        assert refused(similar) == (404, "not-found")
    assert refused(town.post(f"{draft['id']}/submit", other)) == (404, "not-found")
    shown = town.post(f"{draft['id']}/submit", author).get_json()
    assert (shown["state"], shown["reference"]) == ("submitted", "2027-0001")
    assert town.get(draft)["title"] == {"ko": "버스정류장 그늘막 설치"}
    assert refused(town.post(f"{draft['id']}/submit", author)) == (409, "impossible-transition")


def test_a_contact_is_shown_nowhere(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    author, secret = town.author(), "contact-010-9999-1234"
    proposal = town.submitted(author, contact=secret)
    town.revise(proposal, author, contact=secret + "x")
    client = town.world.client
    paths = [
        f"/v1/proposals/{proposal['id']}", f"/v1/proposals/{proposal['id']}/revisions",
        f"/v1/proposals/{proposal['id']}/similar", "/v1/me/proposals",
        f"/v1/cycles/{town.cycle_id}/proposals",
    ]  # fmt: skip
    officer = town.officers(1)[0]
    for path in paths:
        for headers in ({}, author.headers, officer.headers):
            for accept in ("application/json", "application/geo+json", "text/csv"):
                answer = client.get(path, headers=headers | {"Accept": accept})
                assert secret not in answer.get_data(as_text=True)
    taken = client.get("/v1/me/export", headers=author.headers).get_json()
    assert [each["contact"] for each in taken["proposals"]] == [secret]  # it is theirs
    assert secret not in caplog.text
    assert (
        town.world.rows("SELECT facts FROM journal WHERE facts::text LIKE %s", f"%{secret}%") == []
    )
    assert town.world.rows("SELECT count(*) FROM proposal_contact") == [(1,)]


@pytest.mark.parametrize("phase", ["assessing", "reviewing", "balloting", "deciding"])
def test_proposals_are_taken_in_their_phase_only(town: Town, phase: str) -> None:
    author = town.author()
    draft = town.draft(author)
    town.enter(phase)
    with no_trace(town.world):
        assert refused(town.try_draft(author)) == (409, "phase-not-open")
        assert refused(town.post(f"{draft['id']}/submit", author)) == (409, "phase-not-open")


def test_who_has_nothing_to_do_with_the_city_or_works_for_it_cannot_propose(town: Town) -> None:
    world = town.world
    stranger = world.citizen()
    staff = town.citizen(home_area="11110", public_body_staff=True)
    with no_trace(world):
        for person, rule in ((stranger, "basis"), (staff, "excluded")):
            answer = town.try_draft(person)
            assert refused(answer) == (403, "not-eligible")
            assert answer.get_json()["rule"] == rule
    for basis in ("home", "work", "business", "study"):
        town.draft(town.citizen(**{f"{basis}_area": "11140"}))


def test_where_a_cycle_does_not_say_who_proposes_those_do_who_live_there(world: World) -> None:
    town = Town(world, proposers={"organisations": True})
    worker = town.citizen(work_area="11110")
    with no_trace(world):
        answer = town.try_draft(worker)
    assert refused(answer) == (403, "not-eligible")
    assert town.try_draft(town.author()).status_code == 201


def test_whoever_may_no_longer_propose_cannot_submit(town: Town) -> None:
    author = town.author()
    draft = town.draft(author)
    town.world.rows("DELETE FROM attribute RETURNING 1")
    with no_trace(town.world):
        assert refused(town.post(f"{draft['id']}/submit", author)) == (403, "not-eligible")


def test_all_that_is_missing_is_named_before_submitting(town: Town) -> None:
    author = town.author()
    draft = town.draft(author, problem=None, heading=None, cost_items=[])
    with no_trace(town.world):
        answer = town.post(f"{draft['id']}/submit", author)
    assert refused(answer) == (409, "not-ready-to-submit")
    assert answer.get_json()["missing"] == ["/problem", "/heading", "/cost_items"]


@pytest.mark.parametrize(
    "blank",
    ["\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\u00ad", "공\u2028원", "공\U000e0041원"],
    ids=["filler", "jamo fillers", "half filler", "braille", "hyphen", "separator", "tag"],
)  # fmt: skip
def test_no_title_is_made_of_what_nobody_sees(town: Town, blank: str) -> None:
    author = town.author()
    with no_trace(town.world):
        answer = town.try_draft(author, title=blank)
    assert refused(answer) == (422, "invalid-request")


def test_what_costs_nothing_is_not_submitted(town: Town) -> None:
    author = town.author()
    draft = town.draft(author, cost_items=[ITEM | {"unit_price": 0, "amount": 0}])
    with no_trace(town.world):
        answer = town.post(f"{draft['id']}/submit", author)
    assert refused(answer) == (409, "not-ready-to-submit")
    assert answer.get_json()["missing"] == ["/cost_items"]


WRONG_COSTS: dict[str, tuple[dict[str, Any], str]] = {
    "does not add up": ({"cost_items": [ITEM | {"amount": 6_000_001}]}, "/cost_items/0/amount"),
    "beyond the budget": (
        {"cost_items": [ITEM | {"unit_price": 400_000_000, "amount": 1_200_000_000}]},
        "/cost_items",
    ),
    "beyond the heading above": (
        {"cost_items": [ITEM | {"unit_price": 300_000_000, "amount": 900_000_000}]},
        "/cost_items",
    ),
    "beyond the cap of heading and kind": (
        {"kind": "event", "cost_items": [ITEM | {"unit_price": 10_000_001, "amount": 30_000_003}]},
        "/cost_items",
    ),
    "an absurd price": (
        {"cost_items": [ITEM | {"unit_price": 10**14}]}, "/cost_items/0/unit_price"
    ),
    "half a won": ({"cost_items": [ITEM | {"amount": 0.5}]}, "/cost_items/0/amount"),
    "negative": ({"cost_items": [ITEM | {"quantity": -3}]}, "/cost_items/0/quantity"),
    "an unknown heading": ({"heading": "roads"}, "/heading"),
    "an unknown kind": ({"kind": "loan"}, "/kind"),
    "a picture nobody sent": (
        {"pictures": [{"sha256": "0" * 64, "alt": "공원"}]}, "/pictures/0/sha256"
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_COSTS)
def test_what_the_rules_of_the_cycle_forbid_is_refused_when_it_is_saved(
    town: Town, wrong: str
) -> None:
    author = town.author()
    changes, pointer = WRONG_COSTS[wrong]
    draft = town.draft(author)
    with no_trace(town.world):
        for answer in (town.try_draft(author, **changes), town.revise(draft, author, **changes)):
            assert refused(answer) == (422, "invalid-request")
            assert pointer in [each["pointer"] for each in answer.get_json()["errors"]]


def test_a_cycle_without_organisations_takes_none(world: World) -> None:
    town = Town(world, proposers={"basis": ["home"], "organisations": False, "excluded": []})
    answer = town.try_draft(town.author(), organisation="환경모임")
    assert answer.get_json()["errors"][0]["pointer"] == "/organisation"


def test_a_proposal_that_has_changed_since_it_was_read_is_not_overwritten(town: Town) -> None:
    author = town.author()
    draft = town.draft(author)
    path = f"/v1/proposals/{draft['id']}"
    tag = town.world.client.get(path, headers=author.headers).headers["ETag"]
    headers = author.headers | {"If-Match": tag}
    assert town.world.client.patch(path, json={"title": "첫째"}, headers=headers).status_code == 200
    late = town.world.client.patch(path, json={"title": "둘째"}, headers=headers)
    assert refused(late) == (412, "stale-version")
    assert town.get(draft, author)["title"] == {"ko": "첫째"}


def test_what_was_returned_comes_again_as_a_new_text_beside_the_old_one(town: Town) -> None:
    author, officer = town.author(), town.officers(1)[0]
    proposal = town.submitted(author)
    town.enter("assessing")
    returned = town.post(f"{proposal['id']}/return", officer, missing="위치를 적어 주세요.")
    assert returned.get_json()["state"] == "returned"
    assert returned.get_json()["returned"]["missing"] == {"ko": "위치를 적어 주세요."}
    assert refused(town.post(f"{proposal['id']}/submit", author)) == (409, "nothing-revised")
    assert town.revise(proposal, author, title="그늘막 다섯 개").status_code == 200
    assert town.get(proposal)["title"] == {"ko": "버스정류장 그늘막 설치"}  # not submitted yet
    again = town.post(f"{proposal['id']}/submit", author).get_json()
    assert (again["state"], again["revision"]) == ("submitted", 2)
    assert again["reference"] == proposal["reference"]
    texts = town.world.client.get(f"/v1/proposals/{proposal['id']}/revisions").get_json()["items"]
    assert [each["title"]["ko"] for each in texts] == ["버스정류장 그늘막 설치", "그늘막 다섯 개"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE proposal_revision SET amount = 1",
        "UPDATE proposal_revision SET submitted_at = NULL",
        "DELETE FROM proposal_revision",
        "UPDATE proposal SET reference = 'X'",
        "UPDATE proposal SET submitted_at = now()",
        "DELETE FROM proposal",
        "DELETE FROM proposal_place",
        "UPDATE proposal SET state = 'funded'",
    ],
)
def test_nobody_changes_what_was_submitted_not_even_the_owner(town: Town, change: str) -> None:
    town.submitted(town.author(), places=[{"lat": 37.5663, "lon": 126.9779}])
    with no_trace(town.world), as_owner(town.world) as connection, pytest.raises(DatabaseError):
        connection.execute(change)


def test_what_does_not_come_again_in_time_has_lapsed_with_or_without_a_worker(town: Town) -> None:
    author, officer = town.author(), town.officers(1)[0]
    proposal = town.submitted(author)
    town.post(f"{proposal['id']}/return", officer, missing="견적서")
    town.revise(proposal, author, title="늦은 수정")
    town.let_time_run_out(proposal)
    assert town.get(proposal)["state"] == "lapsed"
    late = town.post(f"{proposal['id']}/submit", author)
    assert refused(late) == (409, "impossible-transition")
    assert refused(town.revise(proposal, author, title="더 늦은")) == (409, "impossible-transition")
    with Session(town.world.engines["api"]) as session, transaction(session):
        assert lapse_missed(session) == 1
    assert town.world.rows("SELECT state FROM proposal") == [("lapsed",)]


def test_a_rejection_is_appealed_once_in_its_time_by_an_author(world: World) -> None:
    town = Town(world, review={"body": "plenary", "appeal_body": "appeals"})
    author = town.author()
    proposal, late = town.rejected(author), town.rejected(author)
    path, grounds = f"{proposal['id']}/appeal", {"grounds": "시유지입니다."}
    assert refused(town.post(path, town.author(), **grounds)) == (403, "not-allowed")
    done = town.post(path, author, **grounds).get_json()
    assert done.get("state") == "appealed", done
    assert refused(town.post(path, author, **grounds)) == (409, "impossible-transition")
    town.put_in(proposal, "rejected")  # the appeal, too, ended with a rejection
    with no_trace(town.world):
        again = town.post(path, author, **grounds)
        assert (refused(again), again.get_json()["why"]) == (
            (409, "appeal-over"),
            "appealed before",
        )
    town.let_time_run_out(late)
    with no_trace(town.world):
        answer = town.post(f"{late['id']}/appeal", author, **grounds)
        assert (refused(answer), answer.get_json()["why"]) == ((409, "appeal-over"), "too late")


def test_where_nobody_judges_appeals_there_is_none_and_the_ballot_waits_for_none(
    world: World,
) -> None:
    town = Town(world, review={"body": "plenary"})
    author = town.author()
    proposal = town.rejected(author)
    assert proposal["due_at"] is None
    with no_trace(world):
        answer = town.post(f"{proposal['id']}/appeal", author, grounds="시유지입니다.")
        assert refused(answer) == (409, "appeal-over")
        assert answer.get_json()["why"] == "nobody judges appeals"


def test_an_idea_that_was_rejected_is_carried_over_into_the_next_cycle(town: Town) -> None:
    author = town.author()
    old = town.rejected(author)
    following = town.new_cycle(budget_year=2028)
    other = town.try_draft(town.author(), following, carried_from=old["id"])
    assert refused(other) == (403, "not-allowed")
    same = town.try_draft(author, carried_from=old["id"])
    assert refused(same) == (409, "cannot-carry-over")
    path = f"/v1/cycles/{following}/proposals"
    body = {"title": "다시 그늘막", "carried_from": old["id"]}
    new = town.world.client.post(path, json=body, headers=author.headers).get_json()
    assert (new["state"], new["carried_from"], new["title"]) == (
        "draft", old["id"], {"ko": "다시 그늘막"}
    )  # fmt: skip
    assert (new["description"], new["heading"]) == (old["description"], None)
