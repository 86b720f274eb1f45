"""Who stands behind a proposal: supporters once each, co-authors, and what all authors decide."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session

from mvote.budget.agreeing import merge
from mvote.budget.looking_up import cycle_of, own_proposal
from mvote.budget.proposing import submit_proposal
from mvote.budget.supporting import support
from tests.support.hostile import no_trace
from tests.support.proposals import Town, refused
from tests.support.racing import race
from tests.support.world import Person, World


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle."""
    return Town(world)


def _support(town: Town, proposal: dict[str, str], who: Person) -> int:
    path = f"/v1/proposals/{proposal['id']}/support"
    answer = town.world.client.put(path, headers=who.headers)
    assert answer.status_code == 200
    return int(answer.get_json()["supports"])


def test_a_person_supports_once_however_often_they_say_so(town: Town) -> None:
    proposal, friend = town.submitted(town.author()), town.author()
    assert [_support(town, proposal, friend) for _ in range(3)] == [1, 1, 1]
    assert _support(town, proposal, town.author()) == 2
    path = f"/v1/proposals/{proposal['id']}/support"
    gone = town.world.client.delete(path, headers=friend.headers).get_json()
    assert gone == {"supported": False, "supports": 1}
    said = town.world.rows(
        "SELECT kind, actor_id FROM journal WHERE kind LIKE 'proposal:support%%' ORDER BY id"
    )
    assert said == [
        ("proposal:supported", None), ("proposal:supported", None),
        ("proposal:support_withdrawn", None),
    ]  # fmt: skip


def test_one_person_at_many_doors_at_once_counts_once(town: Town) -> None:
    proposal, friend = town.submitted(town.author()), town.author()
    proposal_id = uuid.UUID(proposal["id"])

    def act(session: Session) -> None:
        support(session, proposal_id=proposal_id, citizen_id=friend.id)

    assert race(town.world.engines["api"], 8, act) == [None] * 8
    assert town.get(proposal)["supports"] == 1
    kinds = "SELECT count(*) FROM journal WHERE kind = 'proposal:supported'"
    assert town.world.rows(kinds) == [(1,)]


@pytest.mark.parametrize("state", ["lapsed", "rejected", "on_ballot", "funded", "withdrawn"])
def test_what_is_over_or_on_the_ballot_takes_no_support(town: Town, state: str) -> None:
    proposal, friend = town.submitted(town.author()), town.author()
    town.put_in(proposal, state)
    path = f"/v1/proposals/{proposal['id']}/support"
    with no_trace(town.world):
        for method in ("PUT", "DELETE"):
            answer = town.world.client.open(path, method=method, headers=friend.headers)
            assert refused(answer) == (409, "impossible-transition")


def test_a_draft_takes_no_support_and_says_nothing_of_itself(town: Town) -> None:
    draft = town.draft(town.author())
    path = f"/v1/proposals/{draft['id']}/support"
    answer = town.world.client.put(path, headers=town.author().headers)
    assert refused(answer) == (404, "not-found")


def test_proposals_submitted_at_the_same_moment_are_numbered_without_a_gap(town: Town) -> None:
    drafts = [(town.draft(author), author) for author in [town.author() for _ in range(6)]]
    waiting = list(drafts)

    def act(session: Session) -> str | None:
        draft, author = waiting.pop()
        proposal = own_proposal(session, uuid.UUID(draft["id"]), author.id)
        submit_proposal(session, proposal=proposal, cycle=cycle_of(session, proposal), by=author.id)
        return proposal.reference

    given = race(town.world.engines["api"], 6, act)
    assert sorted(map(str, given)) == [f"2027-000{n}" for n in range(1, 7)]


def _joined(town: Town, author: Person) -> tuple[dict[str, str], Person]:
    """A submitted proposal with a co-author."""
    proposal, second = town.submitted(author), town.author()
    town.post(f"{proposal['id']}/co-authors", author, citizen_id=str(second.id))
    assert town.post(f"{proposal['id']}/co-authors/accept", second).status_code == 200
    return proposal, second


def test_a_co_author_is_one_only_once_they_have_accepted(town: Town) -> None:
    author, second = town.author(), town.author()
    draft = town.draft(author)
    assert refused(town.post(f"{draft['id']}/co-authors/accept", second)) == (404, "not-found")
    asked = town.post(f"{draft['id']}/co-authors", author, citizen_id=str(second.id))
    assert asked.get_json()["authors"] == 1
    assert town.get(draft, second)["state"] == "draft"  # who is asked may read what they sign
    assert refused(town.post(f"{draft['id']}/submit", second)) == (403, "not-allowed")
    mine = town.world.client.get("/v1/me/proposals", headers=second.headers).get_json()["items"]
    assert [each["accepted"] for each in mine] == [False]
    joined = town.post(f"{draft['id']}/co-authors/accept", second)
    assert joined.get_json()["authors"] == 2
    assert town.post(f"{draft['id']}/submit", second).status_code == 200


def test_a_proposal_asks_only_so_many_to_be_its_authors(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mvote.budget.co_authors.MOST", 2)
    author, second, third = town.author(), town.author(), town.author()
    path = f"{town.submitted(author)['id']}/co-authors"
    assert town.post(path, author, citizen_id=str(second.id)).status_code == 200
    with no_trace(town.world):
        answer = town.post(path, author, citizen_id=str(third.id))
    assert refused(answer) == (422, "invalid-request")


def test_a_co_author_may_leave_but_the_last_author_stays(town: Town) -> None:
    author = town.author()
    proposal, second = _joined(town, author)
    path = f"/v1/proposals/{proposal['id']}/co-authors/me"
    assert town.world.client.delete(path, headers=second.headers).status_code == 204
    assert refused(town.world.client.delete(path, headers=author.headers)) == (403, "not-allowed")


def test_a_proposal_is_withdrawn_when_all_its_authors_say_so(town: Town) -> None:
    author = town.author()
    proposal, second = _joined(town, author)
    path = f"{proposal['id']}/withdraw"
    assert refused(town.post(path, town.author())) == (403, "not-allowed")
    first = town.post(path, author)
    assert (first.status_code, first.get_json()) == (202, {"waiting_for": 1})
    assert town.post(path, author).get_json() == {"waiting_for": 1}
    assert town.post(path, second).get_json()["state"] == "withdrawn"


@pytest.mark.parametrize("state", ["on_ballot", "funded", "rejected", "merged"])
def test_nothing_is_withdrawn_once_it_is_frozen_or_over(town: Town, state: str) -> None:
    author = town.author()
    proposal, other = town.submitted(author), town.submitted(author)
    if state == "merged":
        town.post(f"{proposal['id']}/merge", author, into=other["id"])
    else:
        town.put_in(proposal, state)
    with no_trace(town.world):
        answer = town.post(f"{proposal['id']}/withdraw", author)
        assert refused(answer) == (409, "impossible-transition")


def test_merged_proposals_have_the_union_of_their_people_as_persons(town: Town) -> None:
    one, two = town.author(), town.author()
    first, second = town.submitted(one), town.submitted(two)
    both, only = town.author(), town.author()
    for proposal, friend in ((first, both), (first, only), (second, both)):
        _support(town, proposal, friend)
    asked = town.post(f"{first['id']}/merge", one, into=second["id"])
    assert (asked.status_code, asked.get_json()) == (202, {"waiting_for": 1})
    assert town.get(first)["state"] == "submitted"
    done = town.post(f"{first['id']}/merge", two, into=second["id"])
    assert (done.get_json()["state"], done.get_json()["merged_into"]) == ("merged", second["id"])
    target = town.get(second)
    assert (target["supports"], target["authors"], target["state"]) == (2, 2, "submitted")


def test_who_was_only_asked_at_one_is_an_author_of_both_after_they_are_merged(town: Town) -> None:
    one, two = town.author(), town.author()
    first, second = town.submitted(one), town.submitted(two)
    town.post(f"{second['id']}/co-authors", two, citizen_id=str(one.id))  # one never answered
    for author in (one, two):
        town.post(f"{first['id']}/merge", author, into=second["id"])
    assert town.get(second)["authors"] == 2
    assert town.post(f"{second['id']}/withdraw", one).get_json() == {"waiting_for": 1}


def test_who_supports_while_two_are_merged_is_carried_along_or_refused(town: Town) -> None:
    author, friends = town.author(), [town.author() for _ in range(5)]
    first, second = town.submitted(author), town.submitted(author)
    source, target = uuid.UUID(first["id"]), uuid.UUID(second["id"])
    turns = [*friends, None]

    def act(session: Session) -> str:
        friend = turns.pop(0)
        if friend is None:
            merge(session, proposal_id=source, into=target, by=author.id)
            return "merged"
        support(session, proposal_id=source, citizen_id=friend.id)
        return "supported"

    outcomes = race(town.world.engines["api"], 6, act)
    assert town.get(second)["supports"] == outcomes.count("supported")


def left_by_its_author(town: Town) -> tuple[Person, dict[str, Any], dict[str, Any]]:
    """Somebody with a proposal of their own, and one whose only author has deleted the account."""
    author, leaver = town.author(), town.author()
    mine, left = town.submitted(author), town.submitted(leaver)
    assert town.world.client.delete("/v1/me", headers=leaver.headers).status_code == 204
    return author, mine, left


def test_nobody_takes_over_what_its_authors_have_left(town: Town) -> None:
    """Of nobody all have agreed at once: a rival could swallow it with all who support it."""
    author, mine, left = left_by_its_author(town)
    for source, target in ((left, mine), (mine, left)):
        with no_trace(town.world):
            answer = town.post(f"{source['id']}/merge", author, into=target["id"])
        assert refused(answer) == (403, "not-allowed")


def test_a_twin_that_asks_only_who_is_there_takes_it_over(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mvote.budget.agreeing._check_somebody_can_agree", lambda *_: None)
    author, mine, left = left_by_its_author(town)
    answer = town.post(f"{left['id']}/merge", author, into=mine["id"])
    assert answer.get_json()["state"] == "merged"


def test_a_proposal_is_not_merged_with_itself_or_into_another_cycle(town: Town) -> None:
    author = town.author()
    first = town.submitted(author)
    elsewhere = town.submitted(author, town.new_cycle())
    with no_trace(town.world):
        for into in (first["id"], elsewhere["id"]):
            answer = town.post(f"{first['id']}/merge", author, into=into)
            assert refused(answer) == (422, "invalid-request")


def test_a_split_proposal_lives_on_in_its_parts_with_all_its_people(town: Town) -> None:
    author = town.author()
    proposal, second = _joined(town, author)
    _support(town, proposal, town.author())
    parts = [
        town.draft(author, title=title, split_from=proposal["id"])["id"]
        for title in ("정류장 하나", "정류장 둘")
    ]
    stray = town.draft(author)["id"]
    for other in (stray, parts[0]):  # one part alone is no split
        wrong = town.post(f"{proposal['id']}/split", author, parts=[parts[0], other])
        assert refused(wrong) == (422, "invalid-request")
    path, body = f"{proposal['id']}/split", {"parts": parts}
    assert town.post(path, author, **body).get_json() == {"waiting_for": 1}
    town.revise({"id": parts[0]}, author, title="바뀐 제목")  # what the other agrees to is another
    assert town.post(path, second, **body).get_json() == {"waiting_for": 1}
    assert town.post(path, author, **body).get_json()["state"] == "split"
    shown = [town.get({"id": part}) for part in parts]
    assert [each["state"] for each in shown] == ["submitted", "submitted"]
    assert [each["supports"] for each in shown] == [1, 1]
    assert [each["authors"] for each in shown] == [2, 2]
    assert {each["split_from"] for each in shown} == {proposal["id"]}
