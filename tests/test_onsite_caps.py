"""An author makes so many codes, screens and slips for a poll; officers make what is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from api.codes import displays, slips, views
from mvote.polls.onsite import caps
from mvote.polls.onsite.caps import CODES, DISPLAYS, SLIPS, Cap, check_room
from mvote.polls.onsite.displays import make_display
from mvote.polls.onsite.errors import TooManyOnSite
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.racing import race
from tests.support.sites import AT_SITE, Place
from tests.support.waiting import is_blocked, wait_until
from tests.support.world import Person, World


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


@pytest.fixture
def author(place: Place) -> Person:
    """The author of the place's poll, who is no officer."""
    author = place.world.citizen()
    place.poll = place.world.open_poll(author, presence=AT_SITE)
    return author


def two_are_made(place: Place, who: Person, path: str, body: dict[str, Any]) -> None:
    """Two are made, the third is refused to the author and given to an officer."""
    client = place.world.client
    for _ in range(2):
        assert client.post(path, json=body, headers=who.headers).status_code == 201
    with no_trace(place.world):
        answer = client.post(path, json=body, headers=who.headers)
    assert refused(answer) == (409, "too-many-on-site")
    assert answer.get_json()["most"] in (2, 6)
    assert client.post(path, json=body, headers=place.officer.headers).status_code == 201


def test_an_author_makes_so_many_codes_for_a_poll(
    place: Place, author: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "CODES", replace(CODES, most=2))
    body = {"poll_id": place.poll["id"], "kind": "link"}
    two_are_made(place, author, f"/v1/sites/{place.site['id']}/codes", body)


def test_an_author_makes_so_many_screens_for_a_poll(
    place: Place, author: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(displays, "DISPLAYS", replace(DISPLAYS, most=2))
    body = {"poll_id": place.poll["id"], "name": "태블릿"}
    two_are_made(place, author, f"/v1/sites/{place.site['id']}/displays", body)


def test_an_author_makes_so_many_slips_for_a_poll_at_whatever_codes(
    place: Place, author: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slips, "SLIPS", replace(SLIPS, most=6))
    first, second = (place.code("steward")["code"] for _ in range(2))
    path = f"/v1/codes/{first}/slips"
    made = place.world.client.post(path, json={"count": 1}, headers=author.headers)
    assert made.status_code == 201
    two_are_made(place, author, f"/v1/codes/{second}/slips", {"count": 2})


def test_the_caps_are_a_hundred_codes_twenty_screens_and_ten_thousand_slips() -> None:
    assert [each.most for each in (CODES, DISPLAYS, SLIPS)] == [100, 20, 10_000]


def _made_at_once(place: Place, author: Person, engine: Engine, cap: Cap) -> list[object]:
    """What two get who make a screen at the same moment when there is room for one."""
    poll_id, site_id = place.poll["id"], place.site["id"]
    looked: list[Session] = []

    def make(session: Session) -> bool:
        check_room(session, cap, poll_id=poll_id)
        looked.append(session)
        wait_until(lambda: len(looked) == 2 or is_blocked(place.world.admin_url, "advisory"))
        make_display(session, site_id=site_id, poll_id=poll_id, name="x", actor_id=author.id)
        return True

    return list(race(engine, 2, make))


@pytest.mark.parametrize(("guarded", "screens"), [(True, 1), (False, 2)])
def test_of_two_at_the_same_moment_one_finds_room_and_without_the_lock_both(
    place: Place, author: Person, engines: dict[str, Engine], monkeypatch: pytest.MonkeyPatch,
    guarded: bool, screens: int,
) -> None:  # fmt: skip
    if not guarded:
        monkeypatch.setattr(caps, "_ONE_AT_A_TIME", text("SELECT CAST(:poll_id AS text)"))
    outcomes = _made_at_once(place, author, engines["api"], replace(DISPLAYS, most=1))
    assert outcomes.count(True) == screens == place.world.count("display")
    assert sum(isinstance(each, TooManyOnSite) for each in outcomes) == 2 - screens
