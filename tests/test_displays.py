"""Screens: a key that is bound to its site, shown once, revocable, and seen when it comes."""

from __future__ import annotations

import pytest

from mvote.polls.onsite import displays as displays_of_sites
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.rooms import PASSWORD
from tests.support.sites import AT_SITE, Place
from tests.support.world import World


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


@pytest.fixture
def code(place: Place) -> str:
    return str(place.code("rotating")["code"])


def displays(place: Place, **headers: str) -> list[dict[str, object]]:
    path = f"/v1/sites/{place.site['id']}/displays"
    answer = place.world.client.get(path, headers=headers or place.officer.headers)
    return list(answer.get_json()["items"])


def test_a_screen_is_told_what_to_show_and_what_it_shows_admits(place: Place, code: str) -> None:
    key = place.display()["key"]
    shown = place.show(code, key)
    assert shown.status_code == 200
    body = shown.get_json()
    assert body["url"].endswith(f"/q/{code}#{body['value']}")
    assert body["now"] < body["expires_at"] < body["accepted_until"]
    assert len(body["symbol"]) == len(body["symbol"][0])
    assert place.scan(code, place.world.citizen(), value=body["value"]).status_code == 201


def test_a_key_is_shown_once_and_the_database_keeps_its_hash(place: Place) -> None:
    made = place.display(name="1층 로비")
    assert made["url"].endswith(f"/display#{made['key']}")
    (listed,) = displays(place)
    assert listed["name"] == "1층 로비"
    assert "key" not in listed
    plain = made["key"].replace("-", "")
    kept = str(place.world.rows("SELECT * FROM display")) + str(
        place.world.rows("SELECT * FROM journal")
    )
    assert plain not in kept
    assert made["key"] not in kept


def test_a_screen_finds_out_what_hangs_at_its_site(place: Place, code: str) -> None:
    place.code("link")
    elsewhere = place.new_site(name="다른 곳")
    place.code("rotating", site=elsewhere)
    ended = place.code("rotating", valid_from="2020-01-01T00:00:00Z",
                       valid_until="2020-01-02T00:00:00Z")  # fmt: skip
    headers = {"Authorization": f"Bearer {place.display()['key'].lower()}"}
    body = place.world.client.get("/v1/display", headers=headers).get_json()
    assert [each["code"] for each in body["items"]] == [code]
    assert body["items"][0]["poll"]["title"] == place.poll["title"]
    assert body["site"]["id"] == place.site["id"]
    assert ended["code"] != code


def test_a_screen_is_seen_when_it_comes(place: Place, code: str) -> None:
    key = place.display()["key"]
    assert displays(place)[0]["last_seen_at"] is None
    place.show(code, key)
    assert displays(place)[0]["last_seen_at"] is not None


def test_a_revoked_key_shows_nothing_and_cannot_come_back(place: Place, code: str) -> None:
    made = place.display()
    path = f"/v1/displays/{made['id']}"
    for _ in range(2):
        answer = place.world.client.delete(path, headers=place.officer.headers)
        assert answer.status_code == 204
    with no_trace(place.world):
        assert refused(place.show(code, made["key"])) == (401, "token-invalid")
    assert displays(place)[0]["revoked_at"] is not None


def test_a_key_shows_codes_of_its_own_site_and_poll_only(place: Place, code: str) -> None:
    other_poll = place.world.open_poll(place.officer, presence=AT_SITE)
    for_other = place.display(poll_id=other_poll["id"])["key"]
    key = place.display()["key"]
    away = place.code("rotating", site=place.new_site())["code"]
    link = place.code("link")["code"]
    with no_trace(place.world):
        for which, shown_by in ((code, for_other), (away, key), (link, key)):
            assert refused(place.show(which, shown_by)) == (404, "not-found")
    own = place.code("rotating", poll=other_poll)["code"]
    assert place.show(own, for_other).status_code == 200


def test_a_code_that_is_revoked_or_whose_poll_is_over_is_shown_no_more(
    place: Place, code: str
) -> None:
    key = place.display()["key"]
    place.world.client.delete(f"/v1/codes/{code}", headers=place.officer.headers)
    assert refused(place.show(code, key)) == (404, "not-found")
    ending = place.code("rotating")["code"]
    assert place.show(ending, key).status_code == 200
    place.world.finish(place.poll)
    assert refused(place.show(ending, key)) == (404, "not-found")


def test_a_draft_is_on_no_screen(place: Place) -> None:
    draft = place.world.draft(place.officer, presence=AT_SITE)
    code = place.code("rotating", poll=draft)["code"]
    assert refused(place.show(code, place.display()["key"])) == (404, "not-found")


def on_screen(place: Place, key: str) -> list[str]:
    """The codes that the screen with this key is told of, in their order."""
    headers = {"Authorization": f"Bearer {key}"}
    body = place.world.client.get("/v1/display", headers=headers).get_json()
    return [each["code"] for each in body["items"]]


def test_no_citizens_poll_is_on_the_citys_own_screen(place: Place, code: str) -> None:
    author = place.world.citizen()
    own = place.world.open_poll(author, presence=AT_SITE)
    made = place.world.client.post(
        f"/v1/sites/{place.site['id']}/codes",
        json={"poll_id": own["id"], "kind": "rotating"},
        headers=author.headers,
    ).get_json()["code"]
    citys, theirs = place.display()["key"], place.display(poll_id=own["id"])["key"]
    assert (on_screen(place, citys), on_screen(place, theirs)) == ([code], [made])
    with no_trace(place.world):
        assert refused(place.show(made, citys)) == (404, "not-found")
    assert place.show(made, theirs).status_code == 200


def test_a_private_poll_is_on_no_screen_but_its_own(place: Place, code: str) -> None:
    room = place.world.open_poll(place.officer, presence=AT_SITE, room_password=PASSWORD)
    hidden = place.code("rotating", poll=room)["code"]
    citys, its_own = place.display()["key"], place.display(poll_id=room["id"])["key"]
    assert (on_screen(place, citys), on_screen(place, its_own)) == ([code], [hidden])
    with no_trace(place.world):
        assert refused(place.show(hidden, citys)) == (404, "not-found")
    assert place.show(hidden, its_own).status_code == 200


def test_the_poll_that_opened_first_keeps_the_screen(
    place: Place, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = place.world.open_poll(place.officer, presence=AT_SITE)
    second = place.code("rotating", poll=later)["code"]
    renewed = place.code("rotating")["code"]
    key = place.display()["key"]
    assert on_screen(place, key) == [renewed, code, second]
    monkeypatch.setattr(displays_of_sites, "MOST_CODES", 2)
    assert on_screen(place, key) == [renewed, code]


def test_officers_of_other_departments_learn_of_no_screen_of_a_private_poll(place: Place) -> None:
    room = place.world.open_poll(place.officer, presence=AT_SITE, room_password=PASSWORD)
    made, shared = place.display(poll_id=room["id"]), place.display()
    stranger, client = place.world.officer(), place.world.client
    assert [each["id"] for each in displays(place, **stranger.headers)] == [shared["id"]]
    path = f"/v1/displays/{made['id']}"
    with no_trace(place.world):
        assert refused(client.delete(path, headers=stranger.headers)) == (404, "not-found")
    assert {each["id"] for each in displays(place)} == {made["id"], shared["id"]}
    assert client.delete(path, headers=place.officer.headers).status_code == 204


def test_an_author_makes_screens_for_their_own_poll_and_nobody_else_does(place: Place) -> None:
    author, stranger = place.world.citizens(2)
    own = place.world.open_poll(author, presence=AT_SITE)
    path = f"/v1/sites/{place.site['id']}/displays"
    client = place.world.client

    def make(who: dict[str, str], poll_id: str | None) -> tuple[int, str]:
        body = {"name": "태블릿", "poll_id": poll_id}
        answer = client.post(path, json=body, headers=who)
        return answer.status_code, answer.get_json().get("code", "")

    with no_trace(place.world):
        assert make(author.headers, None) == (403, "not-allowed")
        assert make(author.headers, place.poll["id"]) == (403, "not-allowed")
        assert make(stranger.headers, own["id"]) == (403, "not-allowed")
    assert make(author.headers, own["id"])[0] == 201
    (made,) = displays(place, **author.headers)
    assert displays(place, **stranger.headers) == []
    with no_trace(place.world):
        gone = client.delete(f"/v1/displays/{made['id']}", headers=stranger.headers)
        assert refused(gone) == (404, "not-found")
    assert client.delete(f"/v1/displays/{made['id']}", headers=author.headers).status_code == 204


@pytest.mark.parametrize("key", ["0000-0000-0000-0000-0000-0000", "가" * 24, "x"])
def test_a_made_up_key_shows_nothing(place: Place, code: str, key: str) -> None:
    token = key.encode().decode("latin-1")
    with no_trace(place.world):
        assert refused(place.show(code, token)) == (401, "token-invalid")


def test_a_citizens_token_is_no_key_and_a_key_is_no_citizens_token(place: Place, code: str) -> None:
    key = place.display()["key"]
    assert refused(place.show(code, place.world.citizen().token)) == (403, "not-allowed")
    me = place.world.client.get("/v1/me", headers={"Authorization": f"Bearer {key}"})
    assert refused(me) == (401, "token-invalid")
