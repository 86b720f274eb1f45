"""A site stays where it is while a frozen poll is held there, whether or not it may be found."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.db import transaction, transaction_on
from geo.places import CityPlaces
from geo.sites import site_of
from mvote.budget.telling.telling import tell
from mvote.errors import ImpossibleTransition
from mvote.polls.poll import Poll
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.racing import Beside
from tests.support.rooms import PASSWORD
from tests.support.sites import AT_SITE, Place
from tests.support.waiting import PATIENCE_SECONDS, wait_until, wait_until_blocked
from tests.support.world import CITY_HALL, Person, World

AROUND = {"rule": "area", "area": {"center": CITY_HALL, "radius_m": 300}}
WHY = {"ko": "청사를 옮깁니다.", "en": "The office moves."}
WIDEN = "UPDATE site SET radius_m = 9000"


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


def room(place: Place, presence: dict[str, Any]) -> dict[str, Any]:
    return place.world.open_poll(place.officer, presence=presence, room_password=PASSWORD)


def changed(place: Place, **changes: Any) -> Any:
    """What an officer of another department gets who revises the site."""
    path, client = f"/v1/sites/{place.site['id']}", place.world.client
    tag = client.get(path).headers["ETag"]
    headers = place.world.officer().headers | {"If-Match": tag}
    return client.patch(path, json=changes, headers=headers)


@pytest.mark.parametrize("presence", [AT_SITE, AROUND], ids=["site", "area"])
def test_a_private_poll_holds_its_site_still_until_its_code_is_revoked(
    place: Place, presence: dict[str, Any]
) -> None:
    code = place.code("link", poll=room(place, presence))["code"]
    for change in ({"radius_m": 9_000}, {"lat": 37.0}, {"lon": 127.5}):
        assert refused(changed(place, **change)) == (409, "impossible-transition")
    facts = place.world.client.get(f"/v1/sites/{place.site['id']}").get_json()
    assert facts == place.site
    assert changed(place, name={"ko": "새 이름"}).status_code == 200
    place.world.client.delete(f"/v1/codes/{code}", headers=place.officer.headers)
    assert changed(place, radius_m=9_000).status_code == 200


def test_a_code_that_has_expired_holds_its_site_no_longer(place: Place) -> None:
    code = place.code("link", poll=room(place, AT_SITE))["code"]
    assert refused(changed(place, radius_m=90)) == (409, "impossible-transition")
    expire = "UPDATE site_code SET valid_from = now() - interval '2 h', valid_until = now()"
    with psycopg.connect(place.world.admin_url) as connection:
        connection.execute(f"{expire} WHERE code = %s".encode(), [code])
    assert changed(place, radius_m=90).status_code == 200


def freed(place: Place, by: Person) -> Any:
    path = f"/v1/sites/{place.site['id']}/free"
    return place.world.client.post(path, json={"reason": WHY}, headers=by.headers)


def test_an_officer_frees_a_site_of_private_polls_without_learning_of_them(place: Place) -> None:
    stranger, author = place.world.officer(), place.officer
    nothing_there = freed(place, stranger)
    assert nothing_there.status_code == 200
    held = room(place, AT_SITE)
    codes = [place.code(kind, poll=held)["code"] for kind in ("link", "rotating")]
    assert refused(changed(place, radius_m=90)) == (409, "impossible-transition")
    answer = freed(place, stranger)
    assert answer.get_data() == nothing_there.get_data()
    assert changed(place, radius_m=90).status_code == 200
    for code in codes:
        path = f"/v1/codes/{code}"
        shown = place.world.client.get(path, headers=author.headers).get_json()
        assert shown["active"] is False
        assert refused(place.world.client.get(path, headers=stranger.headers)) == (404, "not-found")
    with Session(place.world.engines["api"]) as session, transaction(session):
        tell(session)
    inbox = "/v1/me/inbox"
    [item] = place.world.client.get(inbox, headers=author.headers).get_json()["items"]
    assert (item["kind"], item["poll_id"]) == ("poll_codes_revoked", held["id"])
    assert item["text"]["ko"].endswith(f"사유: {WHY['ko']}")
    assert place.world.client.get(inbox, headers=stranger.headers).get_json()["items"] == []


def test_freeing_a_site_leaves_the_codes_of_polls_that_the_officer_may_know_of(
    place: Place,
) -> None:
    public = place.code("link")["code"]
    own = place.code("link", poll=room(place, AT_SITE))["code"]
    elsewhere = place.code("link", poll=room(place, AT_SITE), site=place.new_site())["code"]
    assert freed(place, place.officer).status_code == 200  # both are their own department's
    revoked = place.world.rows("SELECT code FROM site_code WHERE revoked_at IS NOT NULL")
    assert revoked == []
    assert freed(place, place.world.officer()).status_code == 200
    revoked = place.world.rows("SELECT code FROM site_code WHERE revoked_at IS NOT NULL")
    assert revoked == [(own,)]
    assert public != own != elsewhere


def test_who_frees_a_site_waits_for_whoever_opens_a_poll_there_and_holds_nothing_up(
    place: Place,
) -> None:
    draft = place.world.draft(place.officer, presence=AT_SITE, room_password=PASSWORD)
    code, poll_id = place.code("link", poll=draft)["code"], uuid.UUID(draft["id"])
    stranger, answers = place.world.officer(), list[Any]()
    freeing = Beside(lambda: answers.append(freed(place, stranger)))
    with transaction_on(place.world.engines["api"]) as session:
        session.get_one(Poll, poll_id, with_for_update=True)  # as whoever opens it
        freeing.__enter__()
        wait_until_blocked(place.world.admin_url, "poll")
        CityPlaces().show(session, poll_id=poll_id)
    freeing.__exit__()
    assert [each.status_code for each in answers] == [200]
    revoked = place.world.rows("SELECT code FROM site_code WHERE revoked_at IS NOT NULL")
    assert revoked == [(code,)]


def test_only_officers_free_a_site_and_only_one_that_is_there(place: Place) -> None:
    place.code("link", poll=room(place, AT_SITE))
    citizen, officer = place.world.citizen(), place.world.officer()
    with no_trace(place.world):
        assert refused(freed(place, citizen)) == (403, "not-allowed")
        path = f"/v1/sites/{uuid.uuid4()}/free"
        answer = place.world.client.post(path, json={"reason": WHY}, headers=officer.headers)
        assert refused(answer) == (404, "not-found")


def test_a_site_is_free_again_once_voting_is_over_whether_or_not_anybody_noted_it(
    place: Place,
) -> None:
    for poll in (room(place, AT_SITE), place.poll):
        place.code("link", poll=poll)
        assert changed(place, radius_m=90).status_code == 409
        place.world.end_voting(poll)
    assert changed(place, radius_m=90).status_code == 200


def test_a_draft_holds_no_site_still_and_a_poll_that_is_announced_does(place: Place) -> None:
    draft = place.world.draft(place.officer, presence=AT_SITE, room_password=PASSWORD,
                              opens_at="2099-01-01T00:00:00Z",
                              closes_at="2099-01-02T00:00:00Z")  # fmt: skip
    place.code("link", poll=draft)
    assert changed(place, radius_m=90).status_code == 200
    with psycopg.connect(place.world.admin_url, autocommit=True) as connection:
        connection.execute("UPDATE poll SET opens_at = now() + interval '1 hour',"
                           " closes_at = now() + interval '2 hours' WHERE id = %s",
                           [draft["id"]])  # fmt: skip
    opened = place.world.client.post(f"/v1/polls/{draft['id']}/open", headers=place.officer.headers)
    assert opened.get_json()["status"] == "scheduled"
    assert changed(place, radius_m=100).status_code == 409


def widen(place: Place) -> None:
    """As an officer does it, but past every rule that is not the database's own."""
    with Session(place.world.engines["api"]) as session, transaction(session):
        site_of(session, uuid.UUID(place.site["id"]), to_revise=True)
        session.execute(text(WIDEN))


def test_the_database_itself_moves_no_site_that_is_held_still(place: Place) -> None:
    place.code("link", poll=room(place, AT_SITE))
    with no_trace(place.world), pytest.raises(ImpossibleTransition):
        widen(place)


@contextmanager
def without(world: World, table: str, trigger: str | None) -> Iterator[None]:
    """A database that lacks one of its guards."""
    if trigger is None:
        yield
        return
    change = f"ALTER TABLE {table} {{}} TRIGGER {trigger}"
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute(change.format("DISABLE"))
        try:
            yield
        finally:
            connection.execute(change.format("ENABLE"))


def widened_beside(place: Place, go: threading.Event, *, guarded: bool) -> Exception | None:
    """What widening the site comes to that begins while something else is under way."""
    with Beside(lambda: widen(place)) as mover:
        if guarded:
            wait_until_blocked(place.world.admin_url, "FROM site")
        else:
            wait_until(lambda: radius(place) == 9000)
        go.set()
    return mover.error


def radius(place: Place) -> float:
    return float(place.world.rows("SELECT radius_m FROM site")[0][0])


@pytest.mark.parametrize("guarded", [True, False])
def test_nobody_moves_a_site_while_a_private_poll_is_opening_there(
    place: Place, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    draft = place.world.draft(place.officer, presence=AT_SITE, room_password=PASSWORD)
    place.code("link", poll=draft)
    frozen, go = threading.Event(), threading.Event()
    show = CityPlaces.show

    def later(self: CityPlaces, session: Session, **poll: Any) -> None:
        frozen.set()
        go.wait(PATIENCE_SECONDS)
        show(self, session, **poll)

    monkeypatch.setattr(CityPlaces, "show", later)
    client, path = place.world.app.test_client(), f"/v1/polls/{draft['id']}/open"
    with (
        without(place.world, "poll", None if guarded else "poll_holds_sites"),
        Beside(lambda: client.post(path, headers=place.officer.headers)),
    ):
        assert frozen.wait(PATIENCE_SECONDS)
        error = widened_beside(place, go, guarded=guarded)
    assert isinstance(error, ImpossibleTransition) is guarded
    assert radius(place) == (place.site["radius_m"] if guarded else 9000)
    assert place.world.rows("SELECT state FROM poll WHERE id = %s", draft["id"]) == [("open",)]


@pytest.mark.parametrize("guarded", [True, False])
def test_nobody_moves_a_site_to_which_a_private_poll_is_just_coming(
    place: Place, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    held = room(place, AT_SITE)
    joined, go = threading.Event(), threading.Event()
    join = CityPlaces.join_site

    def later(self: CityPlaces, session: Session, **which: Any) -> None:
        joined.set()
        go.wait(PATIENCE_SECONDS)
        join(self, session, **which)

    monkeypatch.setattr(CityPlaces, "join_site", later)
    client, path = place.world.app.test_client(), f"/v1/sites/{place.site['id']}/codes"
    body = {"poll_id": held["id"], "kind": "link"}
    with (
        without(place.world, "site_code", None if guarded else "site_code_guard"),
        Beside(lambda: client.post(path, json=body, headers=place.officer.headers)),
    ):
        assert joined.wait(PATIENCE_SECONDS)
        error = widened_beside(place, go, guarded=guarded)
    assert isinstance(error, ImpossibleTransition) is guarded
    assert radius(place) == (place.site["radius_m"] if guarded else 9000)
    assert place.world.count("site_code") == 1


def test_a_poll_that_opens_waits_for_whoever_moves_its_site(place: Place) -> None:
    draft = place.world.draft(place.officer, presence=AT_SITE, room_password=PASSWORD)
    place.code("link", poll=draft)
    client, path = place.world.app.test_client(), f"/v1/polls/{draft['id']}/open"
    with Session(place.world.engines["api"]) as session:
        session.execute(text(WIDEN))
        with Beside(lambda: client.post(path, headers=place.officer.headers)):
            wait_until_blocked(place.world.admin_url, "UPDATE poll SET")
            session.commit()
    assert place.world.rows("SELECT state FROM poll WHERE id = %s", draft["id"]) == [("open",)]
