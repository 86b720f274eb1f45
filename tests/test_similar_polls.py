"""Polls that ask nearly the same are shown before posting; lists leave out what is held back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.contract import contract
from tests.support.people import problem
from tests.support.reporting import decided, held_back, reported, try_report
from tests.support.rooms import PASSWORD
from tests.support.world import CITY_HALL, Person, World, position, question, tomorrow

PLAYGROUND = "공원에 반려견 놀이터를 만들까요?"


@pytest.fixture
def author(world: World) -> Person:
    return world.citizen()


def similar(world: World, **body: Any) -> list[dict[str, Any]]:
    asked = {"title": PLAYGROUND} | body
    answer = world.client.post("/v1/polls/similar", json=asked, headers=world.citizen().headers)
    assert answer.status_code == 200
    return list(answer.get_json()["items"])


def test_what_reads_alike_is_found_the_nearest_first(world: World) -> None:
    same = world.open_poll(title=PLAYGROUND)
    near = world.open_poll(title="동네 공원에 반려견 놀이터 만들기")
    world.open_poll(title="도서관을 밤에도 열까요?")
    found = similar(world)
    assert [each["id"] for each in found] == [same["id"], near["id"]]
    assert found[0]["score"] == 1 > found[1]["score"] > 0.4
    assert [each["id"] for each in similar(world, limit=1)] == [same["id"]]


def test_the_question_counts_less_than_the_title(world: World) -> None:
    words = {"text": "어떻게 생각하세요?"}
    world.open_poll(title="도서관을 밤에도 열까요?", question=question() | words)
    poll = world.open_poll(title=PLAYGROUND, question=question() | words)
    (found,) = similar(world, question="어떻게 생각하세요?")
    assert (found["id"], found["score"]) == (poll["id"], 1)
    (found,) = similar(world, question="반대하시나요?", description="공원에서 뛰어놀게 합시다.")
    assert found["score"] == pytest.approx(0.8)


def test_a_poll_in_two_languages_is_found_by_either(world: World) -> None:
    both = world.open_poll(title={"ko": PLAYGROUND, "en": "Shall we build a dog park?"})
    english = world.open_poll(title={"en": "A dog park for everybody"})
    found = similar(world, title={"en": "Build a dog park"})
    assert [each["id"] for each in found] == [both["id"], english["id"]]
    assert similar(world, title="Build dog parks")[0]["id"] == both["id"]
    assert [each["id"] for each in similar(world)] == [both["id"]]
    mixed = {"ko": "강아지가 뛰노는 곳", "en": "Build a dog park"}
    assert similar(world, title=mixed)[0]["score"] == 1


def test_drafts_private_held_back_and_ended_polls_are_never_called_similar(
    world: World, author: Person
) -> None:
    world.draft(author, title=PLAYGROUND)
    world.open_poll(title=PLAYGROUND, room_password=PASSWORD)
    held_back(world, title=PLAYGROUND)
    world.close(world.open_poll(title=PLAYGROUND))
    later = world.open_poll(title=PLAYGROUND, **tomorrow())
    assert [each["id"] for each in similar(world)] == [later["id"]]


def test_asking_keeps_nothing(world: World) -> None:
    person = world.citizen()
    before = [world.count(each) for each in ("poll", "journal", "allowance", "kept_answer")]
    headers = person.headers | {"Idempotency-Key": "k" * 30}
    body = {"title": PLAYGROUND}
    assert world.client.post("/v1/polls/similar", json=body, headers=headers).status_code == 200
    assert before == [world.count(each) for each in ("poll", "journal", "allowance", "kept_answer")]


@pytest.mark.parametrize(
    "wrong",
    [{"title": ""}, {"title": "가" * 201}, {"title": "\x00"}, {"limit": 21}, {"more": 1}],
    ids=["empty", "long", "nul", "many", "unknown"],
)
def test_a_question_of_another_shape_is_refused(world: World, wrong: dict[str, Any]) -> None:
    body = {"title": PLAYGROUND} | wrong
    answer = world.client.post("/v1/polls/similar", json=body, headers=world.citizen().headers)
    assert problem(answer) == (422, "invalid-request")


def test_a_title_without_two_signs_is_similar_to_nothing(world: World) -> None:
    world.open_poll(title="가")
    assert similar(world, title="가") == similar(world, title="🎉🎉") == []


# before posting


def test_the_author_sees_them_with_the_draft_and_again_at_opening(
    world: World, author: Person
) -> None:
    other = world.open_poll(title=PLAYGROUND)
    draft = world.draft(author, title=PLAYGROUND)
    named = [{"id": other["id"], "title": other["title"], "score": 1}]
    assert [(each["code"], each["polls"]) for each in draft["warnings"]] == [
        ("similar-polls", named)
    ]
    url = f"/v1/polls/{draft['id']}"
    found = world.client.get(f"{url}/similar", headers=author.headers).get_json()["items"]
    assert [each["id"] for each in found] == [other["id"]]
    opened = world.client.post(f"{url}/open", headers=author.headers)
    assert opened.status_code == 200
    assert [each["code"] for each in opened.get_json()["warnings"]] == ["similar-polls"]


def test_another_title_ends_the_warning_and_the_tag_of_the_answer_is_good_for_changing(
    world: World, author: Person
) -> None:
    world.open_poll(title=PLAYGROUND)
    body = {"title": PLAYGROUND, "question": question()}
    drafted = world.client.post("/v1/polls", json=body, headers=author.headers)
    tag = {"If-Match": drafted.headers["ETag"]}
    url = f"/v1/polls/{drafted.get_json()['id']}"
    changes = {"title": "도서관을 밤에도 열까요?"}
    changed = world.client.patch(url, json=changes, headers=author.headers | tag)
    assert (changed.status_code, changed.get_json()["warnings"]) == (200, [])


def test_officers_and_authors_of_private_polls_are_not_warned(world: World, author: Person) -> None:
    world.open_poll(title=PLAYGROUND)
    assert world.draft(title=PLAYGROUND)["warnings"] == []
    assert world.draft(author, title=PLAYGROUND, room_password=PASSWORD)["warnings"] == []


def test_what_is_similar_to_a_poll_only_its_own_people_ask(world: World, author: Person) -> None:
    draft = world.draft(author)
    stranger = world.citizen().headers
    url = f"/v1/polls/{draft['id']}/similar"
    assert problem(world.client.get(url, headers=stranger)) == (404, "not-found")
    poll = world.open_poll()
    url = f"/v1/polls/{poll['id']}/similar"
    assert problem(world.client.get(url, headers=stranger)) == (403, "not-allowed")


# every list there is


OF_THE_LOG = ("/v1/log/",)
"""The city's log takes nothing back: compared with it, lists show what they leave out."""


def lists() -> list[str]:
    """Every public call that reads something and names nothing."""
    return [
        path
        for path, item in contract()["paths"].items()
        if "get" in item and "{" not in path and not path.startswith(OF_THE_LOG)
        and item["get"].get("security") == []
    ]  # fmt: skip


def whole_site(world: World) -> dict[str, str]:
    """What every such call answers anybody, and the searches that take a body."""
    answers = {path: world.client.get(path).get_data(as_text=True) for path in lists()}
    here = {"position": position(**CITY_HALL), "radius_m": 50_000}
    answers["nearby"] = world.client.post("/v1/polls/nearby", json=here).get_data(as_text=True)
    answers["similar"] = str(similar(world))
    for status in ("open", "scheduled", "published"):
        answers[status] = world.client.get(f"/v1/polls?status={status}").get_data(as_text=True)
    return answers


def test_no_list_no_search_and_no_count_tells_of_a_poll_that_is_held_back(world: World) -> None:
    circle = {"rule": "area", "area": {"center": CITY_HALL, "radius_m": 500}}
    poll = world.open_poll(world.citizen(), title=PLAYGROUND, presence=circle)
    before = [path for path, text in whole_site(world).items() if poll["id"] in text]
    assert {"/v1/polls", "nearby", "similar", "open"} <= set(before)
    reported(world, poll, world.settings.reports_to_hold)
    assert [path for path, text in whole_site(world).items() if poll["id"] in text] == []
    assert decided(world, poll, "keep").status_code == 200
    assert [path for path, text in whole_site(world).items() if poll["id"] in text] == []
    assert decided(world, poll, "release").status_code == 200
    assert [path for path, text in whole_site(world).items() if poll["id"] in text] == before


# the officers' queue


def test_the_queue_has_what_is_held_back_first_then_what_waits_then_the_decided(
    world: World,
) -> None:
    officer = world.officer()
    done, waiting = world.open_poll(), world.open_poll()
    for poll in (done, waiting):
        reported(world, poll, 1)
    held = held_back(world)
    assert decided(world, done, "release", officer).status_code == 200
    order, more = list[str](), [""]
    for cursor in more:
        page = world.client.get(
            f"/v1/moderation?limit=1{cursor}", headers=officer.headers
        ).get_json()
        order += [each["poll"]["id"] for each in page["items"]]
        more += [f"&cursor={page['next_cursor']}"] if page["next_cursor"] else []
    assert order == [held["id"], waiting["id"], done["id"]]
    counts = world.client.get("/v1/moderation/summary").get_json()
    assert (counts["reported"], counts["held_now"], counts["released"]) == (1, 1, 1)
    assert (counts["held"], counts["median_hours_held"]) == (1, None)
    assert decided(world, held, "keep", officer).status_code == 200
    counts = world.client.get("/v1/moderation/summary").get_json()
    assert (counts["held"], counts["held_now"], counts["kept_now"]) == (1, 0, 1)
    assert counts["median_hours_held"] in (0, 1)  # an hour may have struck since


def test_only_officers_see_the_queue_and_none_decides_on_what_they_made_or_reported(
    world: World, author: Person
) -> None:
    officer, reporter = world.officer(), world.officer()
    poll, own = world.open_poll(author), world.open_poll(officer)
    reported(world, own, 1)
    assert try_report(world, poll, reporter).status_code == 201
    assert problem(world.client.get("/v1/moderation", headers=author.headers)) == (
        403, "not-allowed"
    )  # fmt: skip
    assert problem(decided(world, poll, "release", author)) == (403, "not-allowed")
    assert problem(decided(world, own, "release", officer)) == (403, "not-impartial")
    assert problem(decided(world, poll, "keep", reporter)) == (403, "not-impartial")
    assert problem(decided(world, world.open_poll(), "release")) == (404, "not-found")
    assert world.count("moderation_decision") == 0
    assert world.rows("SELECT 1 FROM journal WHERE kind = 'poll:reports-decided'") == []
