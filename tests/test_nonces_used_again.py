"""A nonce outlives what went wrong after it was used: the same ballot is taken again with it."""

from __future__ import annotations

from typing import Any

import pytest

from mvote.errors import Overloaded
from tests.support.integrity import asking, nonce_of
from tests.support.world import World, new_key, position
from tests.test_position_nonces import HERE, INVALID, recorded, refusal, send


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    """A poll that takes positions with a nonce only."""
    return world.open_poll(presence=asking("nonce"))


def test_a_paper_that_is_not_taken_leaves_the_nonce_for_the_next(
    world: World, poll: dict[str, Any]
) -> None:
    voter = world.citizen()
    nonce = nonce_of(world, voter)
    wrong = send(world, poll, voter, nonce, selections=["none such"])
    assert (refusal(wrong)[0], recorded(world)) == (422, 0)
    assert send(world, poll, voter, nonce).status_code == 201


def test_the_very_same_request_is_taken_again_while_its_first_try_is_under_way(
    world: World, poll: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nonce is used, the slot has not answered: once it is overloaded, then it is not."""
    voter, key = world.citizen(), new_key()
    nonce, here = nonce_of(world, voter), position(**HERE)

    def fail(*_: Any) -> Any:
        raise Overloaded

    with monkeypatch.context() as busy:
        busy.setattr(world.wiring.box.slot, "cast", fail)
        first = send(world, poll, voter, nonce, key=key, position=here)
    assert (first.status_code, recorded(world)) == (503, 0)
    assert refusal(send(world, poll, voter, nonce, position=here)) == INVALID  # another key
    elsewhere = position(**HERE | {"lat": HERE["lat"] + 1e-6})
    assert refusal(send(world, poll, voter, nonce, key=key, position=elsewhere)) == INVALID
    assert recorded(world) == 0
    assert send(world, poll, voter, nonce, key=key, position=here).status_code == 201
    assert recorded(world) == 1
