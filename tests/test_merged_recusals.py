"""Merging recuses at once, agreements are taken back; who may find, appeal and propose."""

from __future__ import annotations

import pytest
from psycopg.errors import Error as DatabaseError

from tests.support.hostile import no_trace
from tests.support.judgments import Court
from tests.support.proposals import INFEASIBLE, Town, as_owner, refused
from tests.support.world import World


def test_who_comes_to_a_proposal_by_a_merge_is_recused_and_what_was_judged_is_recounted(
    world: World,
) -> None:
    court = Court(world)
    court.seated()
    author = court.author()
    target = court.reviewed(author)
    court.enter("proposing")
    source = court.submitted(author, heading="f1")
    court.send("PUT", f"proposals/{source['id']}/support", court.members[0])
    court.enter("reviewing")
    court.votes(target, yes=2, no=1)
    court.votes(target, court.members[3:], yes=1)
    court.closed(target)
    assert court.state(target) == "approved"
    answer = court.post(f"{source['id']}/merge", author, into=target["id"])
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert court.recusals(target)[court.seat_of(court.members[0])] == ("supporter", "detected")
    [recount] = court.judgments(target)[0]["recounts"]
    assert (recount["entitled"], recount["yes"], recount["no"]) == (5, 2, 1)


def test_an_author_takes_back_what_the_others_have_not_agreed_to_yet(world: World) -> None:
    town = Town(world)
    author, other = town.author(), town.author()
    proposal = town.submitted(author)
    town.let_join(proposal, author, other)
    path = f"/v1/proposals/{proposal['id']}/agreements/me"
    assert town.post(f"{proposal['id']}/withdraw", author).status_code == 202
    stranger = town.author()
    with no_trace(world):
        answer = world.client.delete(path, headers=stranger.headers)
        assert refused(answer) == (403, "not-allowed")
    assert world.client.delete(path, headers=author.headers).status_code == 204
    assert town.post(f"{proposal['id']}/withdraw", other).get_json() == {"waiting_for": 1}
    assert town.post(f"{proposal['id']}/withdraw", author).get_json()["state"] == "withdrawn"
    with no_trace(world):
        late = world.client.delete(path, headers=author.headers)
        assert refused(late) == (409, "impossible-transition")


def test_an_authors_changes_are_not_stale_because_somebody_supports_it(world: World) -> None:
    town = Town(world)
    author, officers = town.author(), town.officers()
    proposal = town.submitted(author)
    path = f"/v1/proposals/{proposal['id']}"
    sent_back = town.post(f"{proposal['id']}/return", officers[0], missing="위치도")
    assert sent_back.status_code == 200, sent_back.get_data(as_text=True)
    read = world.client.get(path, headers=author.headers)
    supporter = town.author()
    assert world.client.put(f"{path}/support", headers=supporter.headers).status_code in (200, 204)
    again = world.client.get(path, headers=author.headers)
    assert again.headers["ETag"] != read.headers["ETag"]
    for tag in (read.headers["ETag"], again.headers["ETag"]):
        known = {"If-None-Match": tag}
        status = world.client.get(path, headers=author.headers | known).status_code
        assert status == (304 if tag == again.headers["ETag"] else 200)
    changed = world.client.patch(
        path, json={"problem": "밤에 어둡습니다."},
        headers=author.headers | {"If-Match": read.headers["ETag"]},
    )  # fmt: skip
    assert changed.status_code == 200, changed.get_data(as_text=True)
    with no_trace(world):
        stale = world.client.patch(
            path, json={"problem": "낮에도 어둡습니다."},
            headers=author.headers | {"If-Match": read.headers["ETag"]},
        )  # fmt: skip
        assert refused(stale) == (412, "stale-version")


def test_without_a_review_nobody_judges_appeals_and_none_holds_up_the_ballot(world: World) -> None:
    town = Town(world)
    author = town.author()
    rejected = town.submitted(author)
    with as_owner(world) as connection:
        connection.execute("RESET ROLE")
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE cycle SET definition = definition - 'review'")
        connection.commit()
    for officer in town.officers():
        town.assess(rejected, officer, INFEASIBLE)
    assert town.get(rejected)["due_at"] is None
    with no_trace(world):
        answer = town.post(f"{rejected['id']}/appeal", author, grounds="다시 보아 주세요.")
        assert refused(answer) == (409, "appeal-over")


def test_officers_alone_find_what_departments_find(world: World) -> None:
    town = Town(world)
    proposal, officers = town.submitted(town.author()), town.officers()
    town.assess(proposal, officers[0])
    with pytest.raises(DatabaseError, match="officers"), as_owner(world) as connection:
        connection.execute("UPDATE assessment SET found_by = %s", [town.author().id])


def test_what_a_heading_leaves_to_others_is_not_proposed_here(world: World) -> None:
    court = Court(world)
    court.enter("proposing")
    author, body = court.author(), {"title": "골목길", "heading": "local"}
    with no_trace(world):
        path = f"cycles/{court.cycle_id}/proposals"
        answer = court.send("POST", path, author, body)
        assert refused(answer) == (422, "invalid-request")
        assert answer.get_json()["errors"][0]["pointer"] == "/heading"
