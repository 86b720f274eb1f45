"""Reading a poll's log over HTTP, as anybody may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.test import TestResponse

from tests.support.world import World

BALLOTS = 5
Get = Callable[..., TestResponse]


def logged_poll(world: World) -> dict[str, Any]:
    """A closed poll with a signed log: its definition, then five ballots."""
    poll = world.open_poll()
    poll["trackers"] = [
        world.cast(poll, voter).get_json()["tracker"] for voter in world.citizens(BALLOTS)
    ]
    world.close(poll)
    world.sign()
    return poll


def below(world: World, poll: dict[str, Any]) -> Get:
    """Reads what lies under the poll's path."""
    return lambda path, **query: world.client.get(
        f"/v1/polls/{poll['id']}/{path}", query_string=query
    )
