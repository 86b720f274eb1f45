"""The demo's screen: an address to open, whose key ends the one before."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from api.db import transaction
from api.demo.ledger import DemoMade, note
from api.demo.screens import new_screen
from tests.support.sites import Place
from tests.support.world import World


def _screen(world: World) -> str | None:
    with (
        world.app.app_context(),
        Session(world.engines["api"]) as session,
        transaction(session),
    ):
        return new_screen(session)


def test_the_screen_in_the_library_shows_a_code_and_the_one_before_it_goes_dark(
    world: World,
) -> None:
    place = Place(world)
    made = {"poll:library-evenings": place.poll, "site:seoul-library": place.site}
    with Session(world.engines["api"]) as session, transaction(session):
        for name, thing in made.items():
            note(session, DemoMade(name=name, made=uuid.UUID(thing["id"])))
    addresses = [_screen(world) or "" for _ in range(2)]
    statuses = []
    for address in addresses:
        headers = {"Authorization": f"Bearer {address.partition('#')[2]}"}
        found = world.client.get("/v1/display", headers=headers)
        statuses.append(found.status_code)
    assert statuses == [401, 200]
    (item,) = found.get_json()["items"]
    scan = place.scan(item["code"], world.citizen(), value=place.value(item["code"]))
    assert scan.status_code == 201


def test_without_a_demo_there_is_no_screen(world: World) -> None:
    assert _screen(world) is None
