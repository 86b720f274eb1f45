"""When nothing is signed: after a restore, on a full disk, and for logs that were tampered with."""

from __future__ import annotations

import logging
import resource
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.holders import open_keystore
from jobs import shuffler_round
from mvote.ballotbox.checkpoints import LogState, read_checkpoint
from mvote.ballotbox.clerk import Clerk
from mvote.ballotbox.keystore import KeyMissing
from mvote.ballotbox.log_keys import LogKeys
from mvote.ballotbox.marks import MarkFile
from mvote.ballotbox.poll_keys import key_name
from tests.support.logs import (
    CITY,
    as_superuser,
    city_entries,
    grow,
    kept,
    notes_of,
    unsigned,
)
from tests.support.world import World

Patch = pytest.MonkeyPatch


def test_after_a_restore_nothing_is_signed_until_the_log_extends_what_was_signed(
    world: World, clerk: Clerk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    poll = world.open_poll()
    grow(world, poll)
    assert clerk.round()
    with kept(world) as restore_earlier:
        grow(world, poll)
        assert clerk.round()
        with kept(world) as restore_later:
            signed = notes_of(world, CITY)
            restore_earlier()
            grow(world, poll)
            assert not clerk.round()
            restarted = world.new_clerk(tmp_path / "keys" / "mark")
            assert not restarted.round()
            assert (len(notes_of(world, CITY)), len(notes_of(world, poll["id"]))) == (1, 1)
            assert len(city_entries(world)) == 1
            assert "restored to an earlier state" in _reasons(caplog)
            restore_later()
    grow(world, poll)
    assert clerk.round()
    assert notes_of(world, CITY)[:2] == signed
    assert (unsigned(world), len(city_entries(world))) == (0, 3)


def test_without_the_mark_a_restored_log_would_be_signed_anew(
    world: World, clerk: Clerk, tmp_path: Path
) -> None:
    """The sabotaged twin: the same restore, with a clerk that has no mark."""
    poll = world.open_poll()
    with kept(world) as restore:
        grow(world, poll)
        assert clerk.round()
        first = read_checkpoint(notes_of(world, CITY)[-1])
        restore()
    grow(world, poll)
    assert not clerk.round()
    assert world.new_clerk(tmp_path / "no-mark").round()
    second = read_checkpoint(notes_of(world, CITY)[-1])
    assert first.size == second.size
    assert first.root != second.root


def test_another_history_of_the_same_length_is_not_signed(
    world: World, clerk: Clerk, caplog: pytest.LogCaptureFixture
) -> None:
    poll = world.open_poll()
    grow(world, poll)
    assert clerk.round()
    marked = clerk.mark.read()
    assert marked
    other = LogState(origin=clerk.city, size=marked.size, root=bytes(32))
    clerk.mark.write(LogKeys(clerk.keystore).sign(other.text, origin=clerk.city))
    grow(world, poll)
    assert not clerk.round()
    assert "knows another city log" in _reasons(caplog)
    assert unsigned(world) == 1


def test_while_signing_is_refused_no_link_key_is_destroyed(
    world: World, clerk: Clerk, tmp_path: Path
) -> None:
    poll, keystore = world.open_poll(), open_keystore(world.settings, "shuffler")
    world.end_voting(poll)
    name = key_name(uuid.UUID(poll["id"]), "L")
    ahead = LogState(origin=clerk.city, size=1000, root=bytes(32))
    clerk.mark.write(LogKeys(keystore).sign(ahead.text, origin=clerk.city))
    shuffler_round(world.engines["shuffler"], keystore, clerk=clerk)
    assert keystore.get(name)
    shuffler_round(world.engines["shuffler"], keystore, clerk=world.new_clerk(tmp_path / "other"))
    with pytest.raises(KeyMissing):
        keystore.get(name)


# bad luck and bad will


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can grow any more: the kernel refuses each write."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_with_a_full_disk_under_the_mark_nothing_is_signed(
    world: World, clerk: Clerk, caplog: pytest.LogCaptureFixture
) -> None:
    poll = world.open_poll()
    grow(world, poll)
    clerk.round()
    marked = clerk.mark.read()
    grow(world, poll)
    with full_disk():
        assert not clerk.round()
    assert clerk.mark.read() == marked
    assert (len(notes_of(world, CITY)), len(notes_of(world, poll["id"]))) == (1, 1)
    assert "File too large" in _reasons(caplog)
    assert clerk.round()
    assert unsigned(world) == 0


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\xfe", b"a\nb\nc\n\n"])
def test_a_mark_that_cannot_be_read_is_no_mark_of_nothing(
    world: World, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mark").write_bytes(content)
    grow(world, world.open_poll())
    assert not world.new_clerk(tmp_path / "mark").round()
    assert unsigned(world) == 1
    assert str(tmp_path / "mark") in _reasons(caplog)


def test_the_mark_lies_in_two_places_and_the_further_one_counts(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = tmp_path / "a" / "mark", tmp_path / "b" / "mark"
    clerk, poll = world.new_clerk(first), world.open_poll()
    clerk.mark = MarkFile(first, second)
    grow(world, poll)
    assert clerk.round()
    assert first.read_bytes() == second.read_bytes()
    with kept(world) as restore:
        grow(world, poll)
        assert clerk.round()
        restore()
    first.unlink()  # the disk of the first was lost
    grow(world, poll)
    assert not clerk.round()
    assert "restored to an earlier state" in _reasons(caplog)


def test_a_second_place_out_of_reach_is_said_and_stops_nothing(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clerk = world.new_clerk(tmp_path / "mark")
    clerk.mark = MarkFile(tmp_path / "mark", tmp_path / "away" / "shuffler" / "mark")
    grow(world, world.open_poll())
    assert clerk.round()
    assert unsigned(world) == 0
    assert "mark not copied" in caplog.text


OTHER_ROOT = "UPDATE checkpoint SET root = sha256('other') WHERE note IS NULL AND poll_id = '{}'"
OTHER_TREE = (
    "UPDATE tree_tile SET hashes = sha256('other') || substr(hashes, 33)"
    " WHERE level = 0 AND poll_id = '{}'"
)
LOST_TREE = "DELETE FROM tree_tile WHERE poll_id = '{}'"


@pytest.mark.parametrize("tampering", [OTHER_ROOT, OTHER_TREE, LOST_TREE])
def test_a_poll_whose_log_does_not_extend_what_was_signed_is_left_unsigned_alone(
    world: World, clerk: Clerk, tampering: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = world.open_poll(), world.open_poll()
    for poll in (broken, sound):
        grow(world, poll)
    clerk.round()
    for poll in (broken, sound):
        grow(world, poll)
    as_superuser(world, tampering.format(broken["id"]))
    clerk.round()
    assert len(notes_of(world, broken["id"])) == 1
    assert len(notes_of(world, sound["id"])) == 2
    assert len(city_entries(world)) == 3
    [record] = [record for record in caplog.records if record.message == "log broken"]
    assert str(vars(record)["poll_id"]) == broken["id"]


def test_a_tampered_city_log_is_not_signed(world: World, clerk: Clerk) -> None:
    poll = world.open_poll()
    grow(world, poll)
    clerk.round()
    grow(world, poll)
    as_superuser(world, OTHER_TREE.format(CITY))
    assert not clerk.round()
    assert unsigned(world) == 1


def test_the_figures_say_how_many_checkpoints_wait_for_a_signature(
    world: World, clerk: Clerk
) -> None:
    poll = world.open_poll()
    grow(world, poll)
    grow(world, poll)
    waiting = "mvote_unsigned_checkpoints 2.0"
    assert waiting in world.client.get("/metrics").get_data(as_text=True)
    assert clerk.round()
    figures = world.client.get("/metrics").get_data(as_text=True)
    assert "mvote_unsigned_checkpoints 0.0" in figures


def test_a_refusal_is_said_at_once_and_then_each_minute(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mark").write_bytes(b"garbage")
    now = [0.0]
    clerk = world.new_clerk(tmp_path / "mark")
    clerk.clock = lambda: now[0]
    for seconds in (0, 1, 30, 59, 61, 90):
        now[0] = seconds
        clerk.round()
    assert len([r for r in caplog.records if r.message == "signing refused"]) == 2


def _reasons(caplog: pytest.LogCaptureFixture) -> str:
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    return "\n".join(str(vars(record).get("reason")) for record in records)
