"""Keys outside the database: each opens to its holder alone, under its own name alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mvote.ballotbox.keystore import DirectoryKeystore, Holder, KeyMissing, KeyUnreadable

SECRET = bytes(range(32))


def keystore_of(holder: Holder, root: Path, master: bytes | None = None) -> DirectoryKeystore:
    keystore = DirectoryKeystore(root, holder, master or os.urandom(32))
    keystore.introduce()
    return keystore


@pytest.fixture
def api(tmp_path: Path) -> DirectoryKeystore:
    return keystore_of("api", tmp_path)


def test_what_was_put_in_is_taken_out(api: DirectoryKeystore) -> None:
    api.put("phone-hash", SECRET)
    assert api.get("phone-hash") == SECRET


def test_a_key_is_never_overwritten(api: DirectoryKeystore) -> None:
    api.put("anchor", SECRET)
    with pytest.raises(FileExistsError):
        api.put("anchor", bytes(32))
    assert api.get("anchor") == SECRET


def test_a_key_that_was_never_made_is_missing(api: DirectoryKeystore) -> None:
    with pytest.raises(KeyMissing):
        api.get("anchor")


def test_a_destroyed_key_is_missing_and_its_file_gone(
    api: DirectoryKeystore, tmp_path: Path
) -> None:
    api.put("poll/1/L", SECRET)
    assert api.destroy("poll/1/L")
    assert not list(tmp_path.rglob("L.key"))
    assert not api.destroy("poll/1/L")
    with pytest.raises(KeyMissing):
        api.get("poll/1/L")


def test_another_master_key_opens_nothing(tmp_path: Path) -> None:
    keystore_of("api", tmp_path, bytes(32)).put("anchor", SECRET)
    thief = DirectoryKeystore(tmp_path, "api", b"\x01" * 32)
    with pytest.raises(KeyUnreadable):
        thief.get("anchor")


def test_a_holder_with_another_master_key_is_not_introduced_again(tmp_path: Path) -> None:
    keystore_of("api", tmp_path, bytes(32))
    with pytest.raises(KeyUnreadable):
        keystore_of("api", tmp_path, b"\x01" * 32)


def test_a_key_handed_over_opens_to_the_receiver_alone(
    api: DirectoryKeystore, tmp_path: Path
) -> None:
    shuffler = keystore_of("shuffler", tmp_path)
    api.hand_over("shuffler", "poll/1/L", SECRET)
    assert shuffler.get("poll/1/L") == SECRET
    with pytest.raises(KeyMissing):
        api.get("poll/1/L")


def test_a_key_cannot_be_handed_to_a_holder_that_nobody_introduced(api: DirectoryKeystore) -> None:
    with pytest.raises(KeyMissing):
        api.hand_over("counter", "sealing/1", SECRET)


def test_a_file_moved_to_another_name_does_not_open(api: DirectoryKeystore, tmp_path: Path) -> None:
    api.put("anchor", SECRET)
    (tmp_path / "api" / "anchor.key").rename(tmp_path / "api" / "phone-hash.key")
    with pytest.raises(KeyUnreadable):
        api.get("phone-hash")


def test_a_file_moved_to_another_holder_does_not_open(tmp_path: Path) -> None:
    master = os.urandom(32)
    keystore_of("api", tmp_path, master).put("anchor", SECRET)
    counter = keystore_of("counter", tmp_path, master)
    (tmp_path / "api" / "anchor.key").rename(tmp_path / "counter" / "anchor.key")
    with pytest.raises(KeyUnreadable):
        counter.get("anchor")


def test_a_changed_byte_makes_a_key_unreadable(api: DirectoryKeystore, tmp_path: Path) -> None:
    api.put("anchor", SECRET)
    path = tmp_path / "api" / "anchor.key"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(KeyUnreadable):
        api.get("anchor")


def test_no_file_holds_the_secret_in_clear_or_is_open_to_others(
    api: DirectoryKeystore, tmp_path: Path
) -> None:
    api.put("poll/1/V", SECRET)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    for path in (tmp_path / "api", *files):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    assert all(SECRET not in path.read_bytes() for path in files)


@pytest.mark.parametrize("name", ["", "../anchor", "/etc/passwd", "a/../b", "A", "poll//V", "a/.b"])
def test_a_name_that_leads_elsewhere_is_refused(api: DirectoryKeystore, name: str) -> None:
    with pytest.raises(ValueError, match="not a name of a key"):
        api.put(name, SECRET)


def test_names_are_listed_by_their_beginning(api: DirectoryKeystore) -> None:
    for name in ("token/000002", "token/000001", "anchor"):
        api.put(name, SECRET)
    assert api.names("token/") == ["token/000001", "token/000002"]
    assert api.names("") == ["anchor", "token/000001", "token/000002"]
