"""Bundles as they are served: what the one file says of them, and when there are none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.polls import bundles
from mvote.ballotbox.bundle_making import bundles_due, make_bundle
from mvote.ballotbox.bundling import BundleDiffers, newest_bundle, write_archive
from mvote.ballotbox.notes import sign_note
from tests.support.code import ROOT
from tests.support.contract import CheckedClient
from tests.support.logs import as_superuser
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.world import World, question

PROGRAM = ROOT / "verifier" / "mvote_verify.py"


def verified(folder: Path, bundle: bytes, *options: object) -> tuple[int, dict[str, str]]:
    """What the program says of *bundle*, run as anyone would run it."""
    path = folder / "bundle.zip"
    path.write_bytes(bundle)
    words = [sys.executable, "-I", str(PROGRAM), str(path), "--json", *map(str, options)]
    run = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    return run.returncode, {c["name"]: c["status"] for c in json.loads(run.stdout)["checks"]}


def published(world: World, ballots: int = 6, **content: Any) -> dict[str, Any]:
    """A poll that so many have voted in, closed, counted and published."""
    poll = world.open_poll(**content)
    for place, voter in enumerate(world.citizens(ballots)):
        assert world.cast(poll, voter, [("yes", "no")[place % 2]]).status_code == 201
    world.finish(poll)
    return poll


def names_in(bundle: bytes) -> set[str]:
    """The files of a bundle, as its manifest lists them."""
    start = bundle.index(b'{"files":')
    manifest, _ = json.JSONDecoder().raw_decode(bundle[start:].decode("latin-1"))
    return set(manifest["files"])


def test_what_is_served_passes_the_one_file(world: World, tmp_path: Path) -> None:
    poll = world.open_poll()
    receipts = [world.cast(poll, voter, ["no"]).get_json() for voter in world.citizens(6)]
    world.finish(poll)
    bundle, receipt = world.make_bundle(poll), tmp_path / "receipt.json"
    receipt.write_text(json.dumps(receipts[0]))
    code, status = verified(tmp_path, bundle, "--receipt", receipt, "--selections", "no")
    assert code == 0, status
    unchecked = {name for name, found in status.items() if found == "not checked"}
    assert unchecked == {"keys", "witnesses", "earlier download", "sealed ballots"}


def test_a_receipt_of_a_ballot_that_was_lost_before_shuffling_shows_it_missing(
    world: World, tmp_path: Path
) -> None:
    poll = world.open_poll()
    lost = world.cast(poll, world.citizen()).get_json()
    as_superuser(world, "DELETE FROM envelope", "DELETE FROM participation")  # a deleted pair
    for voter in world.citizens(6):
        world.cast(poll, voter)
    world.finish(poll)
    (tmp_path / "receipt.json").write_text(json.dumps(lost))
    bundle = world.make_bundle(poll)
    assert verified(tmp_path, bundle)[0] == 0
    code, status = verified(tmp_path, bundle, "--receipt", tmp_path / "receipt.json")
    assert (code, status["receipt"]) == (1, "FAILED")


def test_observers_open_the_box_that_the_counter_exports(
    world: World, app: Flask, tmp_path: Path
) -> None:
    poll = published(world)
    bundle, box, key = world.make_bundle(poll), tmp_path / "box.bin", tmp_path / "key"
    run = app.test_cli_runner()
    for words in (["export", str(box)], ["key", str(key)]):
        done = run.invoke(args=["box", words[0], "--poll", poll["id"], words[1]])
        assert done.exit_code == 0, done.output
    code, status = verified(tmp_path, bundle, "--box", box, "--private-key", key)
    assert (code, status["sealed ballots"]) == (0, "ok")
    assert key.stat().st_mode & 0o077 == 0


def test_nothing_of_the_box_is_exported_while_people_vote(
    world: World, app: Flask, tmp_path: Path
) -> None:
    poll = world.open_poll()
    world.cast(poll, world.citizen())
    for name in ("export", "key"):
        done = app.test_cli_runner().invoke(
            args=["box", name, "--poll", poll["id"], str(tmp_path / name)]
        )
        assert done.exit_code == 1
        assert not (tmp_path / name).exists()


def test_before_publication_there_is_no_bundle(world: World, client: CheckedClient) -> None:
    path = "/v1/polls/{}/bundle.zip"
    poll = world.open_poll()
    for act in (lambda _: None, world.end_voting, world.close):
        act(poll)
        answer = client.get(path.format(poll["id"]))
        assert (answer.status_code, answer.get_json()["code"]) == (409, "results-not-available")
    assert client.get(path.format(uuid.uuid4())).status_code == 404
    assert world.count("bundle") == 0


def test_a_published_result_whose_bundle_is_not_signed_yet_asks_to_come_back_in_a_moment(
    world: World, client: CheckedClient
) -> None:
    poll = published(world)
    answer = client.get(f"/v1/polls/{poll['id']}/bundle.zip")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "bundle-not-ready")
    assert answer.headers["Retry-After"] == "1"
    assert client.get(f"/v1/polls/{poll['id']}/results").status_code == 200
    assert world.make_bundle(poll)


@pytest.mark.parametrize(
    ("ballots", "content", "files"),
    [
        (6, {}, {"records.bin"}),
        (3, {}, set()),
        (6, {"records": "totals"}, set()),
        (6, {"question": question("yes", "no", kind="multiple", max_selections=2)}, set()),
    ],
)
def test_records_are_in_the_bundle_only_where_they_are_public(
    world: World, tmp_path: Path, ballots: int, content: dict[str, Any], files: set[str]
) -> None:
    poll = published(world, ballots, **content)
    bundle = world.make_bundle(poll)
    assert verified(tmp_path, bundle)[0] == 0
    assert names_in(bundle) & {"records.bin"} == files
    if ballots < 5:
        for secret in (b'"totals"', b'"blank"', b'"valid"', b'"records_hash"'):
            assert secret not in bundle


def test_a_bundle_is_the_same_bytes_wherever_it_is_rebuilt(
    world: World, client: CheckedClient, tmp_path: Path
) -> None:
    poll = published(world)
    served = world.make_bundle(poll)
    with Session(world.engines["api"]) as session:
        bundle = newest_bundle(session, uuid.UUID(poll["id"]))
        assert bundle is not None
        write_archive(session, bundle, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == served
    with client.get(f"/v1/polls/{poll['id']}/bundle.zip") as first:
        tag = first.headers["ETag"]
    unchanged = {"If-None-Match": tag}
    with client.get(f"/v1/polls/{poll['id']}/bundle.zip", headers=unchanged) as second:
        assert (second.status_code, second.get_data()) == (304, b"")


def test_who_waits_for_a_bundle_that_is_being_made_keeps_no_connection(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a crowd that comes for a great poll's bundle would keep everybody else from voting."""
    poll = published(world)
    world.make_bundle(poll)
    shutil.rmtree(world.settings.var / "bundles")
    monkeypatch.setattr(bundles.archives, "patience_s", 1.0)
    answers: list[int] = []

    def come() -> None:
        with app.test_client().get(f"/v1/polls/{poll['id']}/bundle.zip") as answer:
            answers.append(answer.status_code)

    crowd = [threading.Thread(target=come) for _ in range(22)]
    with bundles.archives.turn:
        for each in crowd:
            each.start()
        assert world.client.get(f"/v1/polls/{poll['id']}").status_code == 200
        for each in crowd:
            each.join(PATIENCE_SECONDS)
    assert answers == [503] * len(crowd)
    with world.client.get(f"/v1/polls/{poll['id']}/bundle.zip") as answer:
        assert answer.status_code == 200


TAMPERING = [
    "UPDATE log_entry SET data = set_byte(data, 20, get_byte(data, 20) # 1) WHERE kind = 1",
    "DELETE FROM log_entry WHERE idx = 2",
    "UPDATE record SET vectors = set_byte(vectors, 5, get_byte(vectors, 5) # 1)",
    "UPDATE result SET statement = statement || ' '",
    "UPDATE poll_definition SET canonical = canonical || ' ', hash = sha256(canonical || ' ')",
    "UPDATE checkpoint SET root = sha256(root) WHERE note IS NOT NULL",
    "UPDATE result SET records_public = false",
]


@pytest.mark.parametrize("tampering", TAMPERING)
def test_what_was_changed_in_the_database_after_signing_is_never_served(
    world: World, tmp_path: Path, tampering: str
) -> None:
    poll = published(world)
    world.make_bundle(poll)
    as_superuser(world, tampering)
    with Session(world.engines["api"]) as session:
        bundle = newest_bundle(session, uuid.UUID(poll["id"]))
        assert bundle is not None
        with pytest.raises((BundleDiffers, LookupError)):
            write_archive(session, bundle, tmp_path / "bundle.zip")
    assert list(tmp_path.iterdir()) == []


def test_the_database_takes_no_bundle_of_a_poll_that_is_not_published(
    world: World, engines: dict[str, Engine]
) -> None:
    poll = world.open_poll()
    statement = text(
        "INSERT INTO bundle (poll_id, log_size, city_size, cosignatures, keys, city_checkpoint,"
        " manifest, signature, made_at) VALUES (:id, 1, 1, 0, '', '', '', '', now())"
    )
    with Session(engines["shuffler"]) as session, pytest.raises(IntegrityError, match="published"):
        session.execute(statement, {"id": poll["id"]})


def test_a_bundle_waits_until_log_and_city_are_signed_and_then_is_made_once(
    world: World,
) -> None:
    poll = published(world)
    poll_id = uuid.UUID(poll["id"])
    key = _Signer()
    with Session(world.engines["shuffler"]) as session:
        assert bundles_due(session) == []
        made = make_bundle(session, poll_id=poll_id, signer=key, witnesses=[])
        assert made is None
        session.rollback()
    world.make_bundle(poll)
    world.run_shuffler()
    world.make_bundle(poll)
    assert world.count("bundle") == 1
    assert world.count("bundle_wanted") == 0


class _Signer:
    """Signs with a key of its own."""

    def sign(self, text: str, *, origin: str) -> str:
        return sign_note(text, name=origin, keys=[Ed25519PrivateKey.generate()])
