"""A destroyed key is gone from every copy and never comes back, whoever is killed, or late."""

from __future__ import annotations

import shutil
import threading
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest

from mvote.ballotbox.keyfiles import KeyFiles
from mvote.ballotbox.keystore import DirectoryKeystore, KeyMissing, KeystoreAway
from tests.support.disks import NAME, SECRET, Disks
from tests.support.killing import dies_at
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    return Disks(tmp_path)


def test_a_destroyed_key_is_gone_from_both_copies_and_its_name_is_never_used_again(
    disks: Disks,
) -> None:
    api = disks.keystore()
    api.put(NAME, SECRET)
    assert api.destroy(NAME)
    assert disks.left_of() == []
    assert not api.is_held(NAME)
    with pytest.raises(FileExistsError):
        api.put(NAME, SECRET)
    with pytest.raises(KeyMissing):
        api.get(NAME)


@pytest.mark.parametrize("root", ["first", "copy"])
def test_an_old_copy_that_comes_back_does_not_bring_a_destroyed_key_back(
    disks: Disks, root: str
) -> None:
    api = disks.keystore()
    api.put(NAME, SECRET)
    disk: Path = getattr(disks, root)
    shutil.copytree(disk, disk.with_name("old"))
    api.destroy(NAME)
    shutil.rmtree(disk)
    disk.with_name("old").rename(disk)
    api = disks.keystore()
    with pytest.raises(KeyMissing):
        api.get(NAME)
    assert api.names("") == []
    assert api.is_held(NAME)
    assert api.finish_destroying() == [NAME]
    assert not api.is_held(NAME)
    assert disks.left_of() == []


def test_without_the_mark_the_old_copy_would_bring_the_key_back(
    disks: Disks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(KeyFiles, "is_destroyed", lambda *_: False)
    api = disks.keystore()
    api.put(NAME, SECRET)
    kept = disks.files()[1].read_bytes()
    api.destroy(NAME)
    disks.files()[1].parent.mkdir(exist_ok=True)
    disks.files()[1].write_bytes(kept)
    assert api.get(NAME) == SECRET


def test_a_key_counts_as_held_while_the_copy_is_away_and_goes_when_it_is_back(
    disks: Disks,
) -> None:
    api = disks.keystore()
    api.put(NAME, SECRET)
    away = disks.copy.rename(disks.copy.with_name("away"))
    for _ in range(2):
        with pytest.raises(KeystoreAway):
            api.destroy(NAME)
    with pytest.raises(KeystoreAway):
        api.is_held(NAME)
    with pytest.raises(KeyMissing):
        api.get(NAME)
    away.rename(disks.copy)
    with pytest.raises(KeyMissing):
        api.get(NAME)
    assert api.finish_destroying() == [NAME]
    assert disks.left_of() == []


def test_a_destruction_killed_at_any_step_is_finished_in_the_next_round(disks: Disks) -> None:
    api = disks.keystore()
    for step in range(100):
        name = f"poll/{step}/L"
        api.put(name, SECRET)
        if not dies_at(step, partial(api.destroy, name)):
            break
        begun = KeyFiles((disks.first, disks.copy)).is_destroyed("api", name)
        if begun:  # it must never be used again, whatever is left of it
            with pytest.raises(KeyMissing):
                api.get(name)
        else:
            assert api.get(name) == SECRET
        api.finish_destroying()
        assert api.is_held(name) == (not begun)
        assert bool(disks.left_of(name)) == (not begun)
        api.destroy(name)
    assert step > 6


def test_mending_and_destroying_at_once_leave_nothing(disks: Disks) -> None:
    """Whoever mends looks again, alone, whether the key may still be there."""
    api, other = disks.keystore(), disks.keystore()
    for number in range(30):
        name = f"poll/{number}/L"
        api.put(name, SECRET)
        disks.files(name)[0].unlink()
        begin = threading.Barrier(2)

        def read(name: str = name, begin: threading.Barrier = begin) -> None:
            begin.wait(PATIENCE_SECONDS)
            try:
                api.get(name)
            except KeyMissing:
                return

        reader = threading.Thread(target=read)
        reader.start()
        begin.wait(PATIENCE_SECONDS)
        other.destroy(name)
        reader.join(PATIENCE_SECONDS)
        assert not [path for path in disks.files(name) if path.exists()]


def test_mending_without_being_alone_would_leave_a_destroyed_key(
    disks: Disks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: the key is destroyed between the look and the mending."""

    class Slow(DirectoryKeystore):
        def _copy(self, good: Path, root: Path, name: str, level: int) -> None:
            wrapped = disks.files(name)[1].read_bytes()
            disks.keystore().destroy(name)
            self._files.replace(root, self._holder, name, wrapped)

    monkeypatch.setattr(KeyFiles, "alone", lambda *_: nullcontext())
    slow = Slow(disks.first, "api", disks.masters["api"], copy=disks.copy)
    slow.put(NAME, SECRET)
    disks.files()[0].unlink()
    slow.get(NAME)
    assert disks.left_of() == [disks.files()[0]]
