"""The example in docs/client.md, run against the application: it does the app's whole part."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from docs.examples.client import KEYS, Answer, Ask, cast, find, get, over_http, patient
from tests.support.code import ROOT
from tests.support.contract import CheckedClient
from tests.support.witnesses import answering, serving
from tests.support.world import World
from tests.test_bundles import verified


@pytest.fixture
def ask(client: CheckedClient) -> Ask:
    """The application, asked without a network."""

    def answer(method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        response = client.open(path, method=method, json=body, headers=headers)
        later = response.headers.get("Retry-After", "")
        return Answer(response.status_code, response.get_data(), later)

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
    (tmp_path / "keys.json").write_bytes(get(ask, KEYS))
    known = ["--receipt", "receipt.json", "--previous", "checkpoint", "--pin", "keys.json"]
    code, status = verified(tmp_path, bundle, *known)
    assert code == 0, status
    assert status["receipt"] == status["earlier download"] == status["keys"] == "ok"


def lie(ask: Ask, path: str, change: Callable[[dict[str, Any]], Any]) -> Ask:
    """The application, but answers from *path* on are changed on the way."""

    def answer(method: str, where: str, body: Any, headers: dict[str, str]) -> Answer:
        truth = ask(method, where, body, headers)
        if path not in where:
            return truth
        document = json.loads(truth.body)
        change(document)
        return truth._replace(body=json.dumps(document).encode())

    return answer


class Busy:
    """The application, but so many answers are lost on the way: 503 comes instead of them.

    `seen` holds in their order what was asked with POST, and how long was waited.
    """

    def __init__(self, ask: Ask, lost: int, retry_after: str = "3") -> None:
        self._ask, self._lost, self._retry_after = ask, lost, retry_after
        self.seen: list[str | float] = []

    def __call__(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        truth = self._ask(method, path, body, headers)
        if method != "POST":
            return truth
        self.seen.append(headers["Idempotency-Key"])
        self._lost -= 1
        return truth if self._lost < 0 else Answer(503, b"outcome-unknown", self._retry_after)


@pytest.mark.parametrize(
    ("said", "waited"),
    [("3", 3), ("0", 0), ("86400", 60), ("", 2), ("Wed, 21 Oct 2026 07:28:00 GMT", 2)],
)
def test_the_example_waits_as_long_as_it_is_told_and_sends_the_same_ballot_again(
    world: World, ask: Ask, said: str, waited: float
) -> None:
    poll, busy = world.open_poll(), Busy(ask, lost=2, retry_after=said)
    assert cast(patient(busy, busy.seen.append), poll["id"], world.citizen().token, ["no"])
    key = busy.seen[0]
    assert busy.seen == [key, waited, key, waited, key]
    assert world.count("participation") == world.count("envelope") == 1


def test_the_example_gives_up_after_five_tries_without_waiting_once_more(
    world: World, ask: Ask
) -> None:
    poll, busy = world.open_poll(), Busy(ask, lost=9)
    with pytest.raises(SystemExit, match="not cast: 503"):
        cast(patient(busy, busy.seen.append), poll["id"], world.citizen().token, ["no"])
    key = busy.seen[0]
    assert busy.seen == [key, 3, key, 3, key, 3, key, 3, key]


def test_the_example_hears_over_http_how_long_to_wait() -> None:
    with serving(answering(503, b"later", **{"Retry-After": "7"})) as url:
        assert over_http(url)("POST", "/", {"selections": []}, {}) == Answer(503, b"later", "7")


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

    def exchange(method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
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
    assert len((ROOT / "docs" / "examples" / "client.py").read_text().splitlines()) <= 180
