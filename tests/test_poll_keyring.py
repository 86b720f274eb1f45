"""Keys of polls are remembered for a minute, and then only if the keystore still has them."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mvote.ballotbox.keystore import HOLDERS, DirectoryKeystore
from mvote.ballotbox.poll_keys import KEPT_SECONDS, PollKeyring, key_name, make_poll_keys


@dataclass
class Ring:
    """A keyring whose clock the test moves, and the keystore that it reads."""

    keystore: DirectoryKeystore
    now: float = 0.0
    keyring: PollKeyring = field(init=False)

    def __post_init__(self) -> None:
        self.keyring = PollKeyring(self.keystore, clock=lambda: self.now)

    def poll(self) -> uuid.UUID:
        poll_id = uuid.uuid4()
        make_poll_keys(self.keystore, poll_id)
        return poll_id


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    stores = [DirectoryKeystore(tmp_path, holder, os.urandom(32)) for holder in HOLDERS]
    for store in stores:
        store.introduce()
    return Ring(stores[0])


def test_a_destroyed_key_is_used_for_a_minute_at_most(ring: Ring) -> None:
    poll_id = ring.poll()
    before = ring.keyring.of(poll_id)
    ring.keystore.destroy(key_name(poll_id, "L"))
    ring.now += KEPT_SECONDS - 1
    assert ring.keyring.of(poll_id) == before
    ring.now += 1
    after = ring.keyring.of(poll_id)
    assert before is not None
    assert after is not None
    assert after.L is None
    assert (after.V, after.R) == (before.V, before.R)


def test_a_poll_without_a_roll_key_any_more_has_no_keys(ring: Ring) -> None:
    poll_id = ring.poll()
    assert ring.keyring.of(poll_id)
    ring.keystore.destroy(key_name(poll_id, "V"))
    ring.now += KEPT_SECONDS
    assert ring.keyring.of(poll_id) is None


def test_keys_that_still_stand_are_not_read_again(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll_id = ring.poll()
    keys = ring.keyring.of(poll_id)
    monkeypatch.setattr(ring.keystore, "get", lambda name: pytest.fail(f"{name} was read again"))
    for _ in range(3):
        ring.now += KEPT_SECONDS
        assert ring.keyring.of(poll_id) is keys


def test_keys_that_nobody_asks_for_leave_the_memory_when_others_are_asked_for(ring: Ring) -> None:
    old, other = ring.poll(), ring.poll()
    ring.keyring.of(old)
    ring.now += 2 * KEPT_SECONDS + 1
    ring.keyring.of(other)
    assert list(ring.keyring._kept) == [other]


def test_a_key_in_one_of_two_copies_is_there_until_either_says_it_was_destroyed(
    tmp_path: Path,
) -> None:
    first, second, master = tmp_path / "first", tmp_path / "second", os.urandom(32)
    for folder in (first, second):
        folder.mkdir()
    store = DirectoryKeystore(first, "api", master, copy=second)
    store.introduce()
    store.put("poll/0/V", b"secret")
    assert store.has("poll/0/V")
    (first / "api/poll/0/V.key").unlink()
    assert store.has("poll/0/V")
    store.destroy("poll/0/V")
    assert not store.has("poll/0/V")
    assert not store.has("poll/1/V")
