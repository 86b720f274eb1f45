"""Signing: what is published is in the city's log, once, and extends all that was signed before."""

from __future__ import annotations

import uuid

import pytest

from api.holders import open_keystore
from mvote.ballotbox import signing
from mvote.ballotbox.checkpoints import open_checkpoint
from mvote.ballotbox.clerk import Clerk
from mvote.ballotbox.log_keys import LogKeys, rotate_log_key
from mvote.ballotbox.notes import open_note, parse_note
from tests.support.logs import (
    CITY,
    city_entries,
    grow,
    notes_of,
    place_of,
    unsigned,
)
from tests.support.world import World

Patch = pytest.MonkeyPatch


def test_a_polls_checkpoint_is_signed_and_stands_in_the_citys_log(
    world: World, clerk: Clerk
) -> None:
    poll = world.open_poll()
    grown = grow(world, poll)
    assert clerk.round()
    keys = LogKeys(open_keystore(world.settings, "shuffler"))
    [note] = notes_of(world, poll["id"])
    origin = f"{world.settings.host}/mvote/poll/{poll['id']}"
    state, _ = open_checkpoint(note, origin=origin, verifiers=keys.verifiers(origin))
    assert (state.size, state.root) == (3, grown.root)
    assert city_entries(world) == [place_of(poll["id"], 3) + grown.root]
    [city_note] = notes_of(world, CITY)
    city, _ = open_checkpoint(city_note, origin=clerk.city, verifiers=keys.verifiers(clerk.city))
    assert city.size == 1
    assert clerk.mark.read() == city


def test_every_checkpoint_is_named_once_each_polls_in_order_of_size(
    world: World, clerk: Clerk
) -> None:
    polls = [world.open_poll() for _ in range(3)]
    sizes = {poll["id"]: [grow(world, poll).size for _ in range(3)] for poll in polls}
    assert clerk.round()
    named = city_entries(world)
    for poll_id, expected in sizes.items():
        places = [entry[:24] for entry in named if entry[:16] == uuid.UUID(poll_id).bytes]
        assert places == [place_of(poll_id, size) for size in expected]
    assert (len(named), unsigned(world)) == (9, 0)
    assert len(notes_of(world, CITY)) == 1  # one signature of the city's covers them all
    assert clerk.round()
    assert len(city_entries(world)) == 9


def test_more_than_a_page_is_signed_in_one_round(
    world: World, clerk: Clerk, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(signing, "PAGE", 2)
    poll = world.open_poll()
    for _ in range(5):
        grow(world, poll)
    assert clerk.round()
    assert (unsigned(world), len(city_entries(world))) == (0, 5)


def test_a_signature_is_never_replaced(world: World, clerk: Clerk) -> None:
    poll = world.open_poll()
    grow(world, poll)
    clerk.round()
    before = notes_of(world, poll["id"])
    rotate_log_key(open_keystore(world.settings, "shuffler"))
    grow(world, poll)
    clerk.round()
    assert notes_of(world, poll["id"])[:1] == before


def test_after_a_rotation_both_keys_sign_and_both_are_published(world: World, clerk: Clerk) -> None:
    poll, keystore = world.open_poll(), open_keystore(world.settings, "shuffler")
    grow(world, poll)
    clerk.round()
    before = LogKeys(keystore).verifiers(clerk.city)
    rotate_log_key(keystore)
    grow(world, poll)
    clerk.round()
    after = LogKeys(keystore).verifiers(clerk.city)
    note = notes_of(world, CITY)[-1]
    assert after[:-1] == before
    assert len(parse_note(note).signatures) == 2
    for pinned in (before[-1], after[-1]):
        assert open_note(note, [pinned]).signatures
    published = {bytes(key) for (key,) in world.rows("SELECT public_key FROM log_key")}
    assert {verifier.public for verifier in after} == published
