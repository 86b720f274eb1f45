"""Witnesses that cannot be reached or answer nonsense: they are named, and delay nobody."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace

import pytest

from api.holders import open_keystore
from api.settings import Misconfigured, read_settings
from api.witnesses import witnesses_of
from api.witnesses.directory import DirectoryWitness
from api.witnesses.git import GitWitness
from api.witnesses.http import HttpWitness
from mvote.ballotbox.clerk import Clerk
from mvote.ballotbox.log_keys import LogKeys
from mvote.ballotbox.notes import Verifier
from mvote.ballotbox.witnessing import Answer
from mvote.ballotbox.witnessing import Witness as Adapter
from tests.support.logs import CITY, grow, kept, notes_of, unsigned
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.witnesses import answering, new_witness, served, serving, settle, trickling
from tests.support.world import World
from verifier import mvote_witness


def log_verifiers(world: World) -> list[Verifier]:
    return LogKeys(open_keystore(world.settings, "shuffler")).verifiers(world.clerk.city)


def clerk_with(world: World, tmp_path: Path, *witnesses: Adapter) -> Clerk:
    world.clerk = world.new_clerk(tmp_path / "keys" / "mark", *witnesses)
    return world.clerk


def cosigned_sizes(world: World) -> list[int]:
    rows = world.rows("SELECT size FROM cosignature WHERE poll_id = %s ORDER BY size", CITY)
    return [size for (size,) in rows]


STRANGER = Verifier("stranger.example.org", 4, bytes(32))


@pytest.fixture
def honest(world: World, tmp_path: Path) -> Iterator[HttpWitness]:
    """One that does as it should, beside the one that does not."""
    witness, key = new_witness(tmp_path / "home", log_verifiers(world))
    with served(witness) as url:
        yield HttpWitness(key, url)


@pytest.mark.parametrize(
    ("handler", "word"),
    [
        (answering(200, b"garbage"), "signature lines"),
        (answering(200, "— stranger.example.org AAAAAAAAAAAA\n".encode()), "without a signature"),
        (answering(200, b"\xff\xff\n"), "no text"),
        (answering(200, b"x" * 100_000), "more than"),
        (answering(302, Location="http://127.0.0.1:1/"), "302"),
        (answering(400), "400"),
        (answering(403), "pinned"),
        (answering(404), "does not know our log"),
        (answering(409), "without the size"),
        (answering(409, b"many\n", "text/x.tlog.size"), "without the size"),
        (answering(409, b"07\n", "text/x.tlog.size"), "without the size"),
        (answering(500), "500"),
    ],
)
def test_a_witness_that_answers_nonsense_is_named_and_delays_nobody(
    world: World,
    tmp_path: Path,
    honest: HttpWitness,
    handler: type[BaseHTTPRequestHandler],
    word: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    poll = world.open_poll()
    grow(world, poll)
    with serving(handler) as url:
        clerk = clerk_with(world, tmp_path, HttpWitness(STRANGER, url), honest)
        assert settle(clerk)
    assert (unsigned(world), cosigned_sizes(world)) == (0, [1])
    complaints = [vars(r) for r in caplog.records if r.message == "witness failed"]
    assert {each["witness"] for each in complaints} == {STRANGER.name}
    assert word in str(complaints[-1]["reason"])


def test_a_wrong_cosignature_is_not_kept(
    world: World, tmp_path: Path, honest: HttpWitness, caplog: pytest.LogCaptureFixture
) -> None:
    imposter, _ = new_witness(tmp_path / "imposter", log_verifiers(world))
    pinned = honest.verifier  # the same name, but another key than the one that answers
    grow(world, world.open_poll())
    with served(imposter) as url:
        assert settle(clerk_with(world, tmp_path, HttpWitness(pinned, url)))
    assert cosigned_sizes(world) == []
    line = imposter.line(notes_of(world, CITY)[0].partition("\n\n")[0] + "\n")
    _, _, signature = line.rstrip().split(" ")
    forged = f"— {pinned.name} {signature}\n".encode()
    with serving(answering(200, forged)) as url:
        assert settle(clerk_with(world, tmp_path, HttpWitness(pinned, url)))
    assert cosigned_sizes(world) == []
    assert "witness failed" in caplog.text


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1/x", "http://[::1"])
def test_an_unreachable_witness_is_named_and_delays_nobody(
    world: World, tmp_path: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    poll = world.open_poll()
    world.end_voting(poll)
    clerk = clerk_with(world, tmp_path, HttpWitness(STRANGER, url))
    world.run_shuffler()
    assert settle(clerk)
    assert world.client.get(f"/v1/polls/{poll['id']}").get_json()["status"] == "closed"
    assert unsigned(world) == 0
    assert "witness failed" in caplog.text


def test_a_missing_directory_and_a_missing_remote_are_named(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = Verifier("other.example.org", 4, bytes(32))
    clerk = clerk_with(
        world,
        tmp_path,
        DirectoryWitness(STRANGER, tmp_path / "not mounted"),
        GitWitness(other, f"file://{tmp_path}/none.git", tmp_path / "copy"),
    )
    grow(world, world.open_poll())
    assert settle(clerk)
    assert unsigned(world) == 0
    named = {vars(r).get("witness") for r in caplog.records if r.message == "witness failed"}
    assert named == {STRANGER.name, other.name}
    assert not (tmp_path / "not mounted").exists()


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff", b"x" * 1_000_000])
def test_garbage_in_a_witnesss_directory_is_named_and_not_overwritten(
    world: World, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "checkpoint").write_bytes(content)
    grow(world, world.open_poll())
    assert settle(clerk_with(world, tmp_path, DirectoryWitness(STRANGER, folder)))
    assert (unsigned(world), (folder / "checkpoint").read_bytes()) == (0, content)
    assert "witness failed" in caplog.text


def test_a_witness_that_lies_about_its_size_stops_signing_and_is_named(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    grow(world, world.open_poll())
    with serving(answering(409, b"1000\n", "text/x.tlog.size")) as url:
        assert not settle(clerk_with(world, tmp_path, HttpWitness(STRANGER, url)))
    assert unsigned(world) == 1
    assert STRANGER.name in "".join(str(vars(r).get("reason")) for r in caplog.records)


def test_what_a_witness_knew_is_not_forgotten_when_it_talks_nonsense(
    world: World, tmp_path: Path
) -> None:
    folder, poll = tmp_path / "folder", world.open_poll()
    folder.mkdir()
    with kept(world) as restore:
        grow(world, poll)
        settle(clerk_with(world, tmp_path, DirectoryWitness(STRANGER, folder)))
        restore()
    clerk = world.new_clerk(tmp_path / "lost" / "mark", DirectoryWitness(STRANGER, folder))
    assert not settle(clerk)
    (folder / "checkpoint").write_text("garbage")
    grow(world, poll)
    assert not settle(clerk)
    assert unsigned(world) == 1


@pytest.mark.parametrize("hours", [-1, 1, 24 * 365 * 100])
def test_the_time_in_a_cosignature_is_the_witnesss_own(
    world: World, tmp_path: Path, honest: HttpWitness, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    jumped = time.time() + 3600 * hours
    monkeypatch.setattr(mvote_witness, "time", SimpleNamespace(time=lambda: jumped))
    grow(world, world.open_poll())
    assert settle(clerk_with(world, tmp_path, honest))
    assert cosigned_sizes(world) == [1]


def test_a_slow_witness_delays_no_round_and_is_given_up(world: World, tmp_path: Path) -> None:
    poll, stop = world.open_poll(), threading.Event()
    with serving(trickling(stop)) as url:
        clerk = clerk_with(world, tmp_path, HttpWitness(STRANGER, url, timeout_s=0.5))
        grow(world, poll)
        assert not clerk.round()  # nothing is signed before it was asked once
        clerk.wait(PATIENCE_SECONDS)
        assert clerk.round()
        stop.set()
    assert unsigned(world) == 0


def test_who_hangs_for_ever_counts_as_asked_after_half_a_minute(
    world: World, tmp_path: Path
) -> None:
    released = threading.Event()

    class Hanging(DirectoryWitness):
        def look(self) -> Answer:
            released.wait(PATIENCE_SECONDS)
            return super().look()

    now = [0.0]
    clerk = world.new_clerk(tmp_path / "mark", Hanging(STRANGER, tmp_path))
    for letter in clerk._letters:
        letter._clock = lambda: now[0]
    grow(world, world.open_poll())
    assert not clerk.round()
    now[0] = 29
    assert not clerk.round()
    now[0] = 31
    assert clerk.round()
    assert unsigned(world) == 0
    released.set()
    clerk.wait(PATIENCE_SECONDS)


# configuration


def settings_with(tmp_path: Path, value: str) -> list[Adapter]:
    environ = {"MVOTE_ENV": "test", "VAR_DIR": str(tmp_path), "WITNESSES": value}
    return witnesses_of(read_settings(environ))


def key(name: str) -> str:
    return Verifier(name, 4, os.urandom(32)).vkey


def test_each_kind_of_address_has_its_adapter(tmp_path: Path) -> None:
    value = (
        f"{key('a.example')} https://a.example/w/;{key('b.example')}   git+ssh://git@b.example/w;\n"
        f"\n{key('c.example')} file:///mnt/w%20c\n {key('d.example')} git+file:///srv/w.git;"
    )
    found = settings_with(tmp_path, value)
    kinds = [type(each) for each in found]
    assert kinds == [HttpWitness, GitWitness, DirectoryWitness, GitWitness]
    assert [each.verifier.name for each in found] == [f"{x}.example" for x in "abcd"]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("https://a.example", "is no key"),
        (f"{key('a.example')}", "begins with"),
        (f"{key('a.example')} ftp://a.example", "begins with"),
        (f"{key('a.example')} file://", "begins with"),
        (f"{Verifier('a.example', 1, bytes(32)).vkey} https://a.example", "kind 4"),
        (f"{key('a.example')} https://a.example;{key('a.example')} https://b.example", "twice"),
    ],
    ids=["no key", "no address", "unknown kind", "no folder", "wrong key", "twice"],
)
def test_a_witness_that_is_named_wrongly_is_said_at_the_start(
    tmp_path: Path, value: str, word: str
) -> None:
    with pytest.raises(Misconfigured, match=word):
        settings_with(tmp_path, value)
