"""The inbox: whom it concerns is told what became of proposals and of cycles, once."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from api.db import transaction
from api.holders import open_keystore
from jobs import keeper_round
from mvote.budget.telling.telling import tell
from mvote.people.citizens import Citizen
from tests.support.delivering import (
    PAST,
    enacted,
    follow,
    inbox,
    let_keeper_tell,
    on_the_ballot,
    say,
    told,
    walk,
)
from tests.support.hostile import no_trace
from tests.support.proposals import INFEASIBLE, Town, refused
from tests.support.waiting import wait_until_blocked
from tests.support.world import Person, World


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle."""
    return Town(world)


def support(town: Town, proposal: dict[str, Any], person: Person) -> None:
    path = f"/v1/proposals/{proposal['id']}/support"
    assert town.world.client.put(path, headers=person.headers).status_code == 200


def test_authors_are_told_of_a_return_with_its_deadline_and_supporters_are_not(
    town: Town,
) -> None:
    author, supporter, (officer,) = town.author(), town.author(), town.officers(1)
    proposal = town.submitted(author)
    support(town, proposal, supporter)
    sent_back = town.post(f"{proposal['id']}/return", officer, missing="견적서")
    assert sent_back.status_code == 200
    let_keeper_tell(town)
    (item,) = inbox(town, author)
    assert (item["kind"], item["due_at"]) == ("returned", sent_back.get_json()["due_at"])
    assert (item["reference"], item["proposal_id"]) == (proposal["reference"], proposal["id"])
    assert inbox(town, supporter) == []


def test_authors_and_supporters_are_told_what_becomes_of_a_proposal(town: Town) -> None:
    author, supporter, stranger = town.author(), town.author(), town.author()
    officers = town.officers()
    proposal = town.submitted(author)
    support(town, proposal, supporter)
    for officer in officers:
        town.assess(proposal, officer)
    walk(town, proposal, "under_review", "approved", "on_ballot", "funded", "enacted")
    assert say(town, proposal, officers[0]).status_code == 201
    let_keeper_tell(town)
    public = ["approved", "on_ballot", "funded", "enacted", "update"]
    assert told(town, author) == ["under_review", *public]
    assert told(town, supporter) == public
    assert inbox(town, stranger) == []
    assert inbox(town, supporter)[0]["update_n"] == 1


def test_a_rejection_is_told_and_so_is_every_outcome_that_is_not_the_wished_one(
    town: Town,
) -> None:
    author, officers = town.author(), town.officers()
    proposal = town.submitted(author)
    for officer in officers:
        town.assess(proposal, officer, INFEASIBLE)
    others = {
        "struck": ["struck"],
        "reserve": ["reserve"],
        "not_funded": ["not_funded"],
        "reduced": ["funded", "reduced"],
        "dropped": ["funded", "dropped"],
    }
    for states in others.values():
        walk(town, on_the_ballot(town, author), *states)
    let_keeper_tell(town)
    assert {"rejected", *others} <= set(told(town, author))


def test_a_message_is_in_the_language_that_is_asked_for_and_both_stand_beside_it(
    town: Town,
) -> None:
    author, (officer,) = town.author(), town.officers(1)
    proposal = town.submitted(author, title={"ko": "그늘막", "en": "Shade"})
    town.post(f"{proposal['id']}/return", officer, missing="견적서")
    let_keeper_tell(town)
    (korean,), (english,) = inbox(town, author, "ko"), inbox(town, author, "en")
    assert korean["text"] == english["text"] == {
        "ko": korean["message"], "en": english["message"]
    }  # fmt: skip
    assert korean["message"].startswith(f"[{proposal['reference']}] 그늘막: 보완이 필요하여")
    assert english["message"].startswith(f"[{proposal['reference']}] Shade: It was sent back")


def test_nothing_is_told_twice_and_what_is_rolled_back_is_told_never(town: Town) -> None:
    author = town.author()
    proposal = town.submitted(author)
    town.put_in(proposal, "approved")
    freeze = "UPDATE proposal SET state = 'on_ballot' WHERE id = %s"
    with psycopg.connect(town.world.admin_url) as connection:
        connection.execute(freeze, [proposal["id"]])
        connection.rollback()
    walk(town, proposal, "on_ballot")
    for _ in range(3):
        let_keeper_tell(town)
    assert told(town, author) == ["on_ballot"]


def test_a_merged_idea_s_supporters_hear_on_of_the_one_it_went_into(town: Town) -> None:
    author, supporter = town.author(), town.author()
    source, target = town.submitted(author), town.submitted(author)
    support(town, source, supporter)
    assert town.post(f"{source['id']}/merge", author, into=target["id"]).status_code == 200
    town.put_in(target, "approved")
    walk(town, target, "on_ballot")
    let_keeper_tell(town)
    assert told(town, supporter) == ["merged", "on_ballot"]


def test_the_department_is_told_once_that_its_assessment_is_overdue(town: Town) -> None:
    (officer,), (other,) = town.officers(1), town.officers(1)
    proposal = town.submitted(town.author())
    town.assess(proposal, officer)
    town.let_time_run_out(proposal)
    for _ in range(2):
        let_keeper_tell(town)
    assert told(town, officer) == ["assessment_overdue"]
    assert inbox(town, other) == []


def test_the_department_that_delivers_is_told_that_it_is_late(town: Town) -> None:
    officer, other = town.officers()
    project = enacted(town, town.author(), officer)
    planned = [{"title": "착공", "planned_on": PAST}]
    assert say(town, project, officer, milestones=planned).status_code == 201
    for _ in range(2):
        let_keeper_tell(town)
    assert told(town, officer) == told(town, other) == ["delivery_overdue"]
    (item,) = inbox(town, other)
    assert item["due_at"] == "2026-03-02T15:00:00Z"  # the end of 2 March in the city
    moved = [{"title": "착공", "planned_on": "2026-03-05"}]
    assert say(town, project, officer, milestones=moved).status_code == 201
    let_keeper_tell(town)
    assert told(town, officer) == ["delivery_overdue", "delivery_overdue"]


def test_who_follows_a_cycle_is_told_in_one_message_of_all_its_projects(town: Town) -> None:
    follower = town.world.citizen()
    assert follow(town, follower).get_json() == {"followed": True}
    assert follow(town, follower).status_code == 200
    projects = [on_the_ballot(town, town.author()) for _ in range(3)]
    let_keeper_tell(town)
    (item,) = inbox(town, follower)
    assert (item["kind"], item["proposal_id"]) == ("on_ballot", None)
    assert item["references"] == [each["reference"] for each in projects]
    assert "3건" in item["message"]


def test_the_wish_to_be_told_can_be_withdrawn(town: Town) -> None:
    follower = town.world.citizen()
    follow(town, follower)
    assert follow(town, follower, "get").get_json() == {"followed": True}
    assert follow(town, follower, "delete").get_json() == {"followed": False}
    assert follow(town, follower, "get").get_json() == {"followed": False}
    on_the_ballot(town, town.author())
    let_keeper_tell(town)
    assert inbox(town, follower) == []


def test_nobody_follows_what_is_not_there_or_without_an_account(town: Town) -> None:
    nowhere, citizen = f"/v1/cycles/{uuid.uuid4()}/follow", town.world.citizen()
    with no_trace(town.world):
        answer = town.world.client.put(nowhere, headers=citizen.headers)
        assert refused(answer) == (404, "not-found")
        anonymous = town.world.client.put(f"/v1/cycles/{town.cycle_id}/follow")
        assert refused(anonymous) == (401, "token-missing")
        assert refused(town.world.client.get("/v1/me/inbox")) == (401, "token-missing")


def test_what_was_read_is_marked_and_only_by_its_reader(town: Town) -> None:
    author, other = town.author(), town.author()
    for _ in range(2):
        on_the_ballot(town, author)
    let_keeper_tell(town)
    newest, oldest = inbox(town, author)
    path = f"/v1/me/inbox/{newest['id']}/read"
    with no_trace(town.world):
        assert refused(town.world.client.put(path, headers=other.headers)) == (404, "not-found")
    assert town.world.client.put(path, headers=author.headers).get_json() == {"unread": 1}
    assert [each["id"] for each in inbox(town, author, unread="true")] == [oldest["id"]]
    read_at = inbox(town, author)[0]["read_at"]
    town.world.client.put(path, headers=author.headers)
    assert read_at is not None
    assert inbox(town, author)[0]["read_at"] == read_at
    everything = town.world.client.post("/v1/me/inbox/read", headers=author.headers)
    assert everything.get_json() == {"unread": 0}
    assert inbox(town, author, unread="true") == []


def test_pages_of_the_inbox_go_on_where_the_last_one_ended(town: Town) -> None:
    author = town.author()
    for _ in range(3):
        on_the_ballot(town, author)
    let_keeper_tell(town)
    whole = [each["id"] for each in inbox(town, author)]
    headers, seen, cursor = author.headers, [], ""
    for _ in range(2):
        path = f"/v1/me/inbox?limit=2{cursor}"
        page = town.world.client.get(path, headers=headers).get_json()
        seen += [each["id"] for each in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == whole
    for broken in ("x", "WyJhIiwiYiJd"):  # the second: ["a","b"]
        answer = town.world.client.get(f"/v1/me/inbox?cursor={broken}", headers=headers)
        assert refused(answer) == (422, "invalid-request")


def test_an_export_holds_the_inbox_and_deletion_takes_it_away(town: Town) -> None:
    author = town.author()
    follow(town, author)
    proposal = on_the_ballot(town, author)
    let_keeper_tell(town)
    export = town.world.client.get("/v1/me/export", headers=author.headers).get_json()
    assert export["follows"] == [{"cycle_id": town.cycle_id}]
    assert [each["proposal_id"] for each in export["inbox"]] == [proposal["id"], None]
    assert town.world.client.delete("/v1/me", headers=author.headers).status_code == 204
    assert town.world.count("inbox_item") == town.world.count("cycle_follower") == 0
    assert town.world.count("bulletin") == 2


def test_the_keeper_tells_in_its_round(town: Town) -> None:
    author = town.author()
    on_the_ballot(town, author)
    keystore = open_keystore(town.world.settings, "api")
    keeper_round(town.world.engines["api"], keystore)
    assert told(town, author) == ["on_ballot"]


def test_two_keepers_at_once_tell_everything_once(town: Town) -> None:
    author, follower = town.author(), town.world.citizen()
    follow(town, follower)
    for _ in range(4):
        on_the_ballot(town, author)
    engine = town.world.engines["api"]
    with Session(engine) as first, Session(engine) as second, transaction(first):
        assert tell(first) == 4
        with transaction(second):
            assert tell(second) == 0  # what another is at, it leaves alone
    assert told(town, author) == ["on_ballot"] * 4
    assert told(town, follower) == ["on_ballot"]


def test_who_deletes_their_account_while_they_are_told_breaks_nobody_s_telling(
    town: Town,
) -> None:
    author, supporter = town.author(), town.author()
    proposal = town.submitted(author)
    support(town, proposal, supporter)
    town.put_in(proposal, "approved")
    walk(town, proposal, "on_ballot")
    keeper = threading.Thread(target=let_keeper_tell, args=[town])
    with Session(town.world.engines["api"]) as leaving:
        leaving.execute(delete(Citizen).where(Citizen.id == supporter.id))
        keeper.start()
        wait_until_blocked(town.world.admin_url, "inbox_item")
        leaving.commit()
    keeper.join()
    assert told(town, author) == ["on_ballot"]
    assert town.world.count("inbox_item") == 1
