"""The example in docs/client.md, run against the application: it does the app's whole part."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from docs.examples.client import Ask, cast, find
from tests.support.code import ROOT
from tests.support.contract import CheckedClient
from tests.support.world import World
from tests.test_bundles import verified


@pytest.fixture
def ask(client: CheckedClient) -> Ask:
    """The application, asked without a network."""

    def answer(method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, bytes]:
        response = client.open(path, method=method, json=body, headers=headers)
        return response.status_code, response.get_data()

    return answer


def test_the_example_casts_checks_finds_and_verifies(
    world: World, ask: Ask, tmp_path: Path
) -> None:
    poll = world.open_poll()
    receipt = cast(ask, poll["id"], world.citizen().token, ["no"])
    for voter in world.citizens(5):
        world.cast(poll, voter)
    world.finish(poll)
    bundle = world.make_bundle(poll)
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    (tmp_path / "checkpoint").write_bytes(find(ask, receipt))
    (tmp_path / "keys.json").write_bytes(ask("GET", "/.well-known/mvote-keys.json", None, {})[1])
    known = ["--receipt", "receipt.json", "--previous", "checkpoint", "--pin", "keys.json"]
    code, status = verified(tmp_path, bundle, *known)
    assert code == 0, status
    assert status["receipt"] == status["earlier download"] == status["keys"] == "ok"


def lie(ask: Ask, path: str, change: Callable[[dict[str, Any]], Any]) -> Ask:
    """The application, but answers from *path* on are changed on the way."""

    def answer(method: str, where: str, body: Any, headers: dict[str, str]) -> tuple[int, bytes]:
        status, data = ask(method, where, body, headers)
        if path not in where:
            return status, data
        document = json.loads(data)
        change(document)
        return status, json.dumps(document).encode()

    return answer


@pytest.mark.parametrize("name", ["tracker", "envelope_hash", "definition_hash", "ballot_salt"])
def test_the_example_takes_no_receipt_that_is_not_its_own(
    world: World, ask: Ask, name: str
) -> None:
    poll = world.open_poll()
    lying = lie(ask, "/ballots", lambda receipt: receipt.update({name: "00" * 32}))
    with pytest.raises((SystemExit, InvalidSignature)):
        cast(lying, poll["id"], world.citizen().token, ["no"])


def test_the_example_sees_that_another_choice_was_sealed(world: World, ask: Ask) -> None:
    poll = world.open_poll()

    def exchange(method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, bytes]:
        return ask(method, path, {"selections": ["yes"]} if body else None, headers)

    with pytest.raises(SystemExit, match="something else was sealed"):
        cast(exchange, poll["id"], world.citizen().token, ["no"])


@pytest.mark.parametrize("part", ["entry", "proof", "checkpoint"])
def test_the_example_believes_no_wrong_proof(world: World, ask: Ask, part: str) -> None:
    poll = world.open_poll()
    receipt = cast(ask, poll["id"], world.citizen().token, ["no"])
    world.cast(poll, world.citizen())
    world.close(poll)
    world.sign()
    assert find(ask, receipt)

    def change(found: dict[str, Any]) -> None:
        if part == "proof":
            found["inclusion"]["proof"][0] = "00" * 32
        elif part == "entry":
            found["entry"] = found["entry"][:-2] + "00"
        else:
            found["checkpoint"] = found["checkpoint"].replace("/poll/", "/pool/")

    with pytest.raises(SystemExit, match="complain"):
        find(lie(ask, "/ballots/", change), receipt)


def test_the_example_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "docs" / "examples" / "client.py").read_text().splitlines()) <= 150
