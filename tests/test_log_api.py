"""The logs over HTTP: what anybody may check, and nothing that tells who voted or how."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from mvote.ballotbox import log, merkle
from mvote.ballotbox.log import CHECKPOINT_ENTRY, CITY
from tests.support.world import World

BALLOTS = 5
Get = Callable[..., TestResponse]


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    """A closed poll with a signed log: its definition, then five ballots."""
    poll = world.open_poll()
    poll["trackers"] = [
        world.cast(poll, voter).get_json()["tracker"] for voter in world.citizens(BALLOTS)
    ]
    world.close(poll)
    world.sign()
    return poll


@pytest.fixture
def get(world: World, poll: dict[str, Any]) -> Get:
    """Reads what lies under the poll."""
    return lambda path, **query: world.client.get(
        f"/v1/polls/{poll['id']}/{path}", query_string=query
    )


def _leaf(item: dict[str, Any]) -> bytes:
    return log.leaf_of(item["kind"], bytes.fromhex(item["data"]))


def _bytes(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(each) for each in hashes]


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


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


@pytest.mark.parametrize("tracker", ["0" * 32, "0" * 31, "0" * 33, "G" * 32, "A" * 32, "%00"])
def test_what_is_no_tracker_in_the_log_is_not_found(get: Get, tracker: str) -> None:
    assert refusal(get(f"ballots/{tracker}")) == (404, "not-found")


def test_a_ballot_that_waits_is_not_in_the_log(world: World) -> None:
    poll = world.open_poll()
    tracker = world.cast(poll, world.citizen()).get_json()["tracker"]
    answer = world.client.get(f"/v1/polls/{poll['id']}/ballots/{tracker}")
    assert refusal(answer) == (404, "not-found")


def test_a_ballot_of_another_poll_is_not_found(
    world: World, get: Get, poll: dict[str, Any]
) -> None:
    other = world.open_poll()
    world.close(other)
    world.sign()
    answer = world.client.get(f"/v1/polls/{other['id']}/ballots/{poll['trackers'][0]}")
    assert refusal(answer) == (404, "not-found")


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


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("entries", {"start": 3, "end": 2}),
        ("entries", {"end": 99}),
        ("entries", {"start": 99}),
        ("entries", {"start": -1}),
        ("entries", {"end": 10**30}),
        ("entries", {"start": "x"}),
        ("proof/inclusion", {}),
        ("proof/inclusion", {"index": 6}),
        ("proof/inclusion", {"index": 3, "size": 3}),
        ("proof/inclusion", {"index": 0, "size": 0}),
        ("proof/inclusion", {"index": 0, "size": 7}),
        ("proof/inclusion", {"index": -1}),
        ("proof/inclusion", {"index": 10**17, "size": 10**17}),
        ("proof/consistency", {}),
        ("proof/consistency", {"from": 3, "to": 2}),
        ("proof/consistency", {"from": 0, "to": 7}),
        ("proof/consistency", {"from": 7}),
        ("proof/consistency", {"from": -1, "to": 2}),
        ("proof/consistency", {"from": 10**18 - 1, "to": 10**18 - 1}),
    ],
)
def test_places_outside_the_log_or_in_the_wrong_order_are_refused(
    get: Get, path: str, query: dict[str, Any]
) -> None:
    answer = get(f"log/{path}", **query)
    assert refusal(answer) == (422, "invalid-request")
    assert {fault["in"] for fault in answer.get_json()["errors"]} == {"query"}


def test_before_a_signed_checkpoint_there_is_no_log_to_read(world: World) -> None:
    poll = world.open_poll()
    for log_of in (f"/v1/polls/{poll['id']}/log", "/v1/log"):
        for path in (
            "checkpoint",
            "entries",
            "proof/inclusion?index=0",
            "proof/consistency?from=0",
        ):
            assert refusal(world.client.get(f"{log_of}/{path}")) == (404, "not-found")


def test_the_log_of_a_draft_or_of_no_poll_is_not_found_not_even_by_its_author(
    world: World,
) -> None:
    author = world.officer()
    for poll_id in (world.draft(author)["id"], secrets.token_hex(16), str(CITY)):
        answer = world.client.get(f"/v1/polls/{poll_id}/log/checkpoint", headers=author.headers)
        assert refusal(answer) == (404, "not-found")


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
