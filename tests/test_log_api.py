"""The logs over HTTP: what anybody may check, and nothing that tells who voted or how."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox import log, merkle
from mvote.ballotbox.log import CHECKPOINT_ENTRY, CITY
from tests.support.log_reading import BALLOTS, Get, below, logged_poll
from tests.support.world import World


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    return logged_poll(world)


@pytest.fixture
def get(world: World, poll: dict[str, Any]) -> Get:
    return below(world, poll)


def _leaf(item: dict[str, Any]) -> bytes:
    return log.leaf_of(item["kind"], bytes.fromhex(item["data"]))


def _bytes(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(each) for each in hashes]


def test_the_entries_give_the_root_of_the_checkpoint(get: Get, poll: dict[str, Any]) -> None:
    note = get("log/checkpoint")
    assert note.content_type == "text/plain; charset=utf-8"
    _, size, root = note.get_data(as_text=True).split("\n")[:3]
    items = get("log/entries").get_json()["items"]
    assert len(items) == int(size) == BALLOTS + 1
    assert (items[0]["kind"], items[0]["data"]) == (0, poll["definition_hash"])
    assert merkle.root_of([_leaf(item) for item in items]) == base64.b64decode(root)


def test_every_entry_is_proven_to_be_in_the_log(get: Get) -> None:
    items = get("log/entries").get_json()["items"]
    for item in items:
        proof = get("log/proof/inclusion", index=item["index"]).get_json()
        path, root = _bytes(proof["proof"]), bytes.fromhex(proof["root"])
        assert merkle.verify_inclusion(item["index"], proof["size"], _leaf(item), path, root)


def test_every_size_is_proven_to_extend_every_smaller_one(get: Get) -> None:
    for new in range(BALLOTS + 2):
        for old in range(new + 1):
            found = get("log/proof/consistency", **{"from": old, "to": new}).get_json()
            roots = bytes.fromhex(found["old_root"]), bytes.fromhex(found["new_root"])
            assert merkle.verify_consistency(old, new, *roots, _bytes(found["proof"]))


def test_a_ballot_is_found_by_its_tracker_with_its_proof_and_nothing_of_its_choice(
    get: Get, poll: dict[str, Any]
) -> None:
    for tracker in poll["trackers"]:
        found = get(f"ballots/{tracker}").get_json()
        assert set(found) == {"poll_id", "tracker", "entry", "inclusion", "checkpoint"}
        assert found["entry"].startswith(f"01{tracker}")
        assert found["checkpoint"] == get("log/checkpoint").get_data(as_text=True)
        proof, entry = found["inclusion"], bytes.fromhex(found["entry"])
        leaf, root = merkle.leaf_hash(entry), bytes.fromhex(proof["root"])
        path = _bytes(proof["proof"])
        assert merkle.verify_inclusion(proof["index"], proof["size"], leaf, path, root)


def test_who_asks_for_a_ballot_is_not_looked_at(world: World, poll: dict[str, Any]) -> None:
    path = f"/v1/polls/{poll['id']}/ballots/{poll['trackers'][0]}"
    plain = world.client.get(path)
    for authorization in (
        "Bearer nonsense",
        "Basic AAAA",
        world.citizen().headers["Authorization"],
    ):
        answer = world.client.get(path, headers={"Authorization": authorization})
        assert (answer.status_code, answer.get_json()) == (200, plain.get_json())


def test_what_has_not_changed_is_answered_with_304(world: World, poll: dict[str, Any]) -> None:
    for path in ("checkpoint", "entries", "proof/inclusion?index=1", "proof/consistency?from=2"):
        url = f"/v1/polls/{poll['id']}/log/{path}"
        tag = world.client.get(url).headers["ETag"]
        again = world.client.get(url, headers={"If-None-Match": tag})
        assert (again.status_code, again.get_data()) == (304, b"")


def test_the_citys_log_is_read_in_pages_and_proven_alike(world: World) -> None:
    entries = [(CHECKPOINT_ENTRY, secrets.token_bytes(56)) for _ in range(2_499)]
    with Session(world.engines["shuffler"]) as session, transaction(session):
        log.append(session, log_id=CITY, entries=entries)
    world.close(world.open_poll())
    world.sign()
    items, query = [], dict[str, Any]()
    for expected in (1_000, 1_000, 500):
        page = world.client.get("/v1/log/entries", query_string=query).get_json()
        assert len(page["items"]) == expected
        items += page["items"]
        query = {"start": page["next_start"]}
    assert page["next_start"] is None
    whole = merkle.root_of([_leaf(item) for item in items])
    proof = world.client.get("/v1/log/proof/inclusion?index=1234&size=2000").get_json()
    path, root = _bytes(proof["proof"]), bytes.fromhex(proof["root"])
    assert merkle.verify_inclusion(1234, 2000, _leaf(items[1234]), path, root)
    steps = world.client.get("/v1/log/proof/consistency?from=2000").get_json()
    assert merkle.verify_consistency(2000, 2500, root, whole, _bytes(steps["proof"]))
    note = world.client.get("/v1/log/checkpoint").get_data(as_text=True)
    assert note.split("\n")[1] == "2500"


def test_turnout_before_the_count_is_the_ballots_of_the_signed_checkpoint(world: World) -> None:
    poll = world.open_poll()
    path = f"/v1/polls/{poll['id']}/turnout"
    for voter in world.citizens(3):
        world.cast(poll, voter)
    assert world.client.get(path).get_json()["turnout"] == {"ballots": 0}
    world.close(poll)
    world.sign()
    assert world.client.get(path).get_json()["turnout"] == {"ballots": 3}
