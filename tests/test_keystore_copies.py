"""Two copies of every key: one lost disk loses none."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from flask import Flask

from api.holders import open_keystore
from api.settings import Misconfigured, Settings, read_settings
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


def test_check_names_what_a_copy_lacks_and_mend_makes_it_whole(
    app: Flask, tmp_path: Path, tidy: None
) -> None:
    runner, kept = app.test_cli_runner(), dict(app.extensions)
    (tmp_path / "copy").mkdir()
    settings = replace(kept["settings"], keystore=tmp_path / "keys",
                       keystore_copy=tmp_path / "copy")  # fmt: skip
    app.extensions["settings"] = settings
    app.extensions["keystore"] = open_keystore(settings, "api")
    try:
        assert runner.invoke(args=["keys", "init"]).exit_code == 0
        assert runner.invoke(args=["keys", "check"]).exit_code == 0
        (tmp_path / "copy/api/anchor.key").unlink()
        (tmp_path / "copy/api/phone-hash.key").write_bytes(b"rubbish")
        result = runner.invoke(args=["keys", "check"])
        assert result.exit_code == 1
        assert set(result.stderr.splitlines()) == {
            "api/anchor: missing in the copy",
            "api/phone-hash: unreadable in the copy",
        }
        mended = runner.invoke(args=["keys", "mend"]).stdout.splitlines()
        assert mended == ["mended api/anchor", "mended api/phone-hash"]
        assert runner.invoke(args=["keys", "check"]).exit_code == 0
    finally:
        app.extensions.update(kept)


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    return {"MVOTE_ENV": "test", "VAR_DIR": str(tmp_path),
            "KEYSTORE_COPY_DIR": str(tmp_path / "copy")}  # fmt: skip


def test_the_copy_may_not_be_the_keystore_itself(given: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no second copy"):
        read_settings(given | {"KEYSTORE_COPY_DIR": str(tmp_path / "keys" / "..") + "/keys"})


def test_a_process_starts_without_its_copy_because_voting_must_go_on(
    given: dict[str, str], tmp_path: Path
) -> None:
    settings: Settings = read_settings(given)
    (tmp_path / "copy").mkdir()
    open_keystore(settings, "api").put("anchor", SECRET)
    shutil.rmtree(tmp_path / "copy")
    assert open_keystore(settings, "api").get("anchor") == SECRET
