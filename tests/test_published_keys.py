"""The published keys: with them alone, receipts and logs are checked."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask

from api.settings import Misconfigured, Settings
from mvote.ballotbox.checkpoints import open_checkpoint
from mvote.ballotbox.clerk import Clerk
from mvote.ballotbox.notes import Verifier, log_verifier, open_note, parse_note, parse_vkey
from tests.support.logs import CITY, grow, notes_of
from tests.support.world import World
from verifier.mvote_verify import keys_in
from verifier.mvote_witness import read_key

WITNESS = Verifier("witness.example.org/w", 4, bytes(range(32)))


def published(world: World) -> dict[str, object]:
    answer = world.client.get("/.well-known/mvote-keys.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return dict(answer.get_json())


def test_the_citys_and_the_polls_checkpoints_are_checked_with_the_published_keys(
    world: World, clerk: Clerk
) -> None:
    poll = world.open_poll()
    grow(world, poll)
    world.sign()
    keys = published(world)
    city = parse_vkey(keys["log_keys"][-1])  # type: ignore[index]
    assert city.name == keys["city_origin"] == clerk.city
    open_checkpoint(notes_of(world, CITY)[0], origin=clerk.city, verifiers=[city])
    origin = str(keys["poll_origin"]).replace("{poll_id}", poll["id"])
    definition = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
    assert definition["origin"] == origin
    verifier = log_verifier(origin, city.public)
    open_checkpoint(notes_of(world, poll["id"])[0], origin=origin, verifiers=[verifier])
    assert read_key(city.vkey).public == city.public


def test_receipts_are_checked_with_the_published_keys(world: World) -> None:
    poll = world.open_poll()
    receipt = world.cast(poll, world.citizen()).get_json()
    keys = published(world)["receipt_keys"]
    public = base64.b64decode(keys[receipt["key_id"]])  # type: ignore[index]
    origin = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()["origin"]
    lines = (
        "mvote-receipt/1", origin, receipt["definition_hash"], receipt["tracker"],
        receipt["envelope_hash"],
    )  # fmt: skip
    message = "".join(f"{line}\n" for line in lines).encode()
    Ed25519PublicKey.from_public_bytes(public).verify(
        base64.b64decode(receipt["signature"]), message
    )


def test_the_witnesses_are_named_with_their_keys_and_without_their_addresses(
    settings: Settings, world: World, app_of: Callable[..., Flask], tmp_path: Path
) -> None:
    named = replace(settings, witnesses=(f"{WITNESS.vkey} https://witness.example.org",))
    answer = app_of(named).test_client().get("/.well-known/mvote-keys.json")
    assert answer.get_json()["witnesses"] == [WITNESS.vkey]
    assert b"https" not in answer.data
    (tmp_path / "keys.json").write_bytes(answer.data)
    pinned = [key.public for key in keys_in(str(tmp_path / "keys.json"))]
    assert pinned[-1] == WITNESS.public


def test_a_server_with_a_wrong_witness_does_not_start(
    settings: Settings, app_of: Callable[..., Flask]
) -> None:
    with pytest.raises(Misconfigured, match="is no key"):
        app_of(replace(settings, witnesses=("garbage https://witness.example.org",)))


def test_the_command_makes_a_log_key_that_signs_beside_the_one_before(
    world: World, clerk: Clerk
) -> None:
    poll = world.open_poll()
    grow(world, poll)
    world.sign()
    before = published(world)["log_keys"]
    result = world.app.test_cli_runner().invoke(args=["keys", "rotate", "--kind", "log"])
    assert result.exit_code == 0, result.output
    assert "made log/" in result.output
    grow(world, poll)
    world.sign()
    after = published(world)["log_keys"]
    assert after[:-1] == before  # type: ignore[index]
    note = notes_of(world, CITY)[-1]
    assert len(parse_note(note).signatures) == 2
    for vkey in after[-2:]:  # type: ignore[index]
        assert open_note(note, [parse_vkey(vkey)]).signatures


def test_a_new_log_key_is_published_while_there_is_nothing_to_sign(
    world: World, clerk: Clerk
) -> None:
    world.sign()
    before = published(world)["log_keys"]
    result = world.app.test_cli_runner().invoke(args=["keys", "rotate", "--kind", "log"])
    assert result.exit_code == 0, result.output
    world.sign()
    after = published(world)["log_keys"]
    assert after[:-1] == before  # type: ignore[index]
    assert world.count("checkpoint") == 0
