"""Positions with all that may come with them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from mvote.polls.integrity.checking import NOTHING_SAID
from mvote.polls.integrity.watching import Watch
from mvote.polls.presence import Position
from tests.support.world import CITY_HALL, GWANGHWAMUN, Person, World

CIRCLE = {"rule": "area", "area": {"center": GWANGHWAMUN, "radius_m": 500}}


def asking(demand: str | None) -> dict[str, Any]:
    """The presence of a poll within a circle that asks this of positions."""
    return CIRCLE if demand is None else CIRCLE | {"integrity": demand}


def nonce_of(world: World, citizen: Person) -> str:
    """A fresh nonce of theirs."""
    answer = world.client.post("/v1/positions/nonces", headers=citizen.headers)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["nonce"])


def site_of(world: World, officer: Person, **more: Any) -> str:
    """The id of a site: the city hall, unless said otherwise."""
    site = {"name": "시청", "address": "세종대로 110", "radius_m": 80, **CITY_HALL, **more}
    answer = world.client.post("/v1/sites", json=site, headers=officer.headers)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["id"])


def code_at(world: World, site_id: str, poll: dict[str, Any], officer: Person) -> str:
    """A printed code that joins the site to the poll."""
    body = {"poll_id": poll["id"], "kind": "link"}
    url = f"/v1/sites/{site_id}/codes"
    answer = world.client.post(url, json=body, headers=officer.headers)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["code"])


def see(
    watch: Watch,
    poll: dict[str, Any],
    anchor: bytes,
    place: tuple[float, float],
    at: dt.datetime,
    **more: Any,
) -> None:
    """Let the watch see somebody at a place and time; what time it is, the test decides."""
    there = Position(lat=place[0], lon=place[1], accuracy_m=9, captured_at=at)
    watch.see(uuid.UUID(poll["id"]), anchor, there, now=at, **{"said": NOTHING_SAID} | more)


def kinds(world: World) -> list[tuple[str, int]]:
    """The flags that were raised, with how often."""
    world.wiring.watch.write_now()
    assert world.wiring.watch.dropped == 0
    return world.rows("SELECT kind, times FROM flag ORDER BY kind, times")
