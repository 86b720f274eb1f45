"""Two copies of every key: one lost disk loses none."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path

import pytest

from mvote.ballotbox.keystore import DirectoryKeystore, KeystoreAway, KeyUnreadable
from tests.support.disks import NAME, SECRET, Disks
from tests.support.killing import dies_at


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    return Disks(tmp_path)


def test_a_key_lies_in_both_copies_before_it_is_used(disks: Disks) -> None:
    api, shuffler = disks.keystore(), disks.keystore("shuffler")
    api.put(NAME, SECRET)
    api.hand_over("shuffler", NAME, SECRET)
    assert shuffler.get(NAME) == SECRET
    for holder in ("api", "shuffler"):
        first, copy = (path.read_bytes() for path in disks.files(holder=holder))
        assert first == copy


@pytest.mark.parametrize("lost", [0, 1])
def test_a_key_that_one_copy_has_lost_is_read_from_the_other_and_mended(
    disks: Disks, lost: int
) -> None:
    api = disks.keystore()
    api.put(NAME, SECRET)
    disks.files()[lost].unlink()
    assert api.get(NAME) == SECRET
    first, copy = (path.read_bytes() for path in disks.files())
    assert first == copy


def test_a_key_that_is_damaged_in_the_first_copy_is_read_from_the_other_and_mended(
    disks: Disks,
) -> None:
    api = disks.keystore()
    api.put(NAME, SECRET)
    for damage in (b"", b"rubbish", os.urandom(80)):
        disks.files()[0].write_bytes(damage)
        assert api.get(NAME) == SECRET
        assert disks.files()[0].read_bytes() == disks.files()[1].read_bytes()


def test_a_key_that_is_damaged_in_both_copies_is_unreadable_and_neither_is_changed(
    disks: Disks,
) -> None:
    api = disks.keystore()
    api.put(NAME, SECRET)
    for path in disks.files():
        path.write_bytes(b"rubbish")
    with pytest.raises(KeyUnreadable):
        api.get(NAME)
    assert [path.read_bytes() for path in disks.files()] == [b"rubbish", b"rubbish"]


def test_a_lost_disk_loses_no_key_and_no_name(disks: Disks) -> None:
    disks.keystore().put(NAME, SECRET)
    shutil.rmtree(disks.first)
    api = disks.keystore()
    assert api.names("poll/") == [NAME]
    with pytest.raises(FileExistsError):
        api.put(NAME, bytes(32))
    assert api.get(NAME) == SECRET
    assert all(path.exists() for path in disks.files())


def test_a_copy_set_up_later_is_filled_as_keys_are_used_and_by_mending(disks: Disks) -> None:
    alone = DirectoryKeystore(disks.first, "api", disks.masters["api"])
    alone.introduce()
    for name in ("anchor", NAME):
        alone.put(name, SECRET)
    api = disks.keystore()
    assert api.get("anchor") == SECRET
    assert disks.files("anchor")[1].exists()
    assert [(flaw.name, flaw.what) for flaw in api.flaws()] == [(NAME, "missing")]
    assert api.mend() == [NAME]
    assert api.flaws() == []


def test_while_the_copy_is_away_keys_are_read_but_none_is_made(disks: Disks) -> None:
    api = disks.keystore()
    api.put(NAME, SECRET)
    disks.copy.rename(disks.copy.with_name("away"))
    assert api.get(NAME) == SECRET
    with pytest.raises(KeystoreAway):
        api.put("poll/2/L", SECRET)
    assert api.names("") == [NAME]
    assert not disks.copy.exists()  # nothing is made where the disk should be


def test_a_key_whose_making_was_killed_at_any_step_is_whole_or_not_there(disks: Disks) -> None:
    api = disks.keystore()
    for step in range(100):
        name = f"poll/{step}/L"
        if not dies_at(step, partial(api.put, name, SECRET)):
            break
        try:
            api.put(name, bytes(32))
        except FileExistsError:
            assert api.get(name) == SECRET
        else:
            assert api.get(name) == bytes(32)
        first, copy = (path.read_bytes() for path in disks.files(name))
        assert first == copy
        api.destroy(name)
        assert disks.left_of(name) == []
    assert step > 6
