"""A poll that is held back is cancelled or ends, or somebody of it leaves, as anywhere else."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from api.db import transaction_on
from geo.places import CityPlaces
from mvote.base import utc_now
from mvote.moderation import deciding
from mvote.people.citizens import Citizen
from mvote.polls.drafting import cancel_poll, own_poll
from mvote.polls.places import Places
from tests.support.racing import Beside
from tests.support.reporting import (
    case_of,
    citizens_poll,
    decided,
    held_back,
    inbox,
    is_listed,
    reported,
    shown,
    version_of,
)
from tests.support.waiting import wait_until_blocked
from tests.support.world import CITY_HALL, Person, World

CIRCLE = {"rule": "area", "area": {"center": CITY_HALL, "radius_m": 500}}


@pytest.fixture
def author(world: World) -> Person:
    return world.citizen()


@pytest.fixture
def announced(world: World, author: Person) -> dict[str, Any]:
    """A poll that has not begun, held back, and found at a place when it is not."""
    tomorrow, later = ((utc_now() + dt.timedelta(days=days)).isoformat() for days in (1, 2))
    return held_back(world, author, presence=CIRCLE, opens_at=tomorrow, closes_at=later)


def released_behind_the_cancelling(
    world: World, poll: dict[str, Any], author: Person
) -> Callable[[], list[tuple[Any, ...]]]:
    """Let an officer release a poll that is being cancelled; then: whether it is found near by."""
    officer, read = world.officer(), version_of(world, poll)
    releasing = Beside(lambda: decided(world, poll, "release", officer, version=read))
    with transaction_on(world.engines["api"]) as session:
        mine = own_poll(session, uuid.UUID(poll["id"]), session.get_one(Citizen, author.id))
        cancel_poll(session, poll=mine, actor_id=author.id, places=CityPlaces())
        releasing.__enter__()
        wait_until_blocked(world.admin_url, "bulletin")
    releasing.__exit__()
    assert case_of(world, poll)[0] == "released"
    return lambda: world.rows("SELECT live FROM poll_place WHERE poll_id = %s", poll["id"])


def test_what_is_cancelled_while_it_is_released_is_not_found_near_by(
    world: World, announced: dict[str, Any], author: Person
) -> None:
    assert released_behind_the_cancelling(world, announced, author)() == [(False,)]
    assert shown(world, announced)["status"] == "cancelled"


def test_by_the_status_it_had_it_would_be_found_near_by(
    world: World,
    announced: dict[str, Any],
    author: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sabotaged twin: it was announced when the officer's decision began."""

    def show(session: Session, *, poll_id: uuid.UUID, places: Places) -> None:
        places.show(session, poll_id=poll_id)

    monkeypatch.setattr(deciding, "show_again", show)
    assert released_behind_the_cancelling(world, announced, author)() == [(True,)]


def test_what_was_closed_or_cancelled_while_held_back_is_decided_and_shown_nowhere_near(
    world: World, announced: dict[str, Any], author: Person
) -> None:
    world.stock_keys()
    closed = held_back(world, author, presence=CIRCLE)
    url = f"/v1/polls/{announced['id']}/cancel"
    assert world.client.post(url, headers=author.headers).status_code == 200
    world.close(closed)
    for poll in (announced, closed):
        assert decided(world, poll, "release").status_code == 200
        assert is_listed(world, poll)
    assert world.rows("SELECT DISTINCT live FROM poll_place") == [(False,)]


# an account is deleted


def test_a_poll_whose_author_has_left_is_held_back_decided_and_told_to_nobody(
    world: World, author: Person
) -> None:
    poll = held_back(world, author)
    assert world.client.delete("/v1/me", headers=author.headers).status_code == 204
    assert decided(world, poll, "keep").status_code == 200
    assert inbox(world, world.citizen()) == []
    assert world.rows("SELECT count(*) FROM bulletin WHERE told_at IS NULL") == [(0,)]
    assert world.count("inbox_item") == 0


def test_what_a_reporter_wrote_before_leaving_is_decided_without_the_words(
    world: World, author: Person
) -> None:
    poll = citizens_poll(world, author)
    [reporter] = reported(world, poll, 1, text="전화번호가 있어요.")
    read = version_of(world, poll)
    assert world.client.delete("/v1/me", headers=reporter.headers).status_code == 204
    assert decided(world, poll, "keep", version=read).get_json()["decisions"][0]["grounds"] == [
        {"ground": "advertising", "reports": 1}
    ]
