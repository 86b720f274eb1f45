"""A new master key: all is wrapped anew, whatever interrupts it, and the old one opens nothing."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from api.holders import open_keystore
from api.settings import Misconfigured, Settings
from mvote.ballotbox.keystore import DirectoryKeystore, KeyMissing, KeyUnreadable
from tests.support.killing import dies_at

OLD, NEW, STRANGER = (bytes([byte]) * 32 for byte in (1, 2, 3))
NAMES = [f"poll/{number}/V" for number in range(3)]
SECRETS = {name: os.urandom(32) for name in [*NAMES, "handed"]}


class Store:
    """The api's keystore in two copies, as any master key sees it."""

    def __init__(self, folder: Path) -> None:
        self.roots = (folder / "first", folder / "copy")
        for root in self.roots:
            root.mkdir(parents=True)

    def as_of(self, master: bytes, old: bytes | None = None) -> DirectoryKeystore:
        return DirectoryKeystore(self.roots[0], "api", master, old=old, copy=self.roots[1])

    def filled(self) -> Store:
        keystore = self.as_of(OLD)
        keystore.introduce()
        for name in NAMES:
            keystore.put(name, SECRETS[name])
        return self

    def opened_by(self, master: bytes) -> set[tuple[str, str]]:
        """Root and name of every file, drafts too, that a master key opens."""
        found = set()
        for root in self.roots:
            seen = DirectoryKeystore(root, "api", master)
            for path in root.rglob("*.key*"):
                for name in SECRETS:
                    if seen._unwrapped(path.read_bytes(), name, seen._privates) is not None:
                        found.add((root.name, name))
        return found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path).filled()


def test_afterwards_the_new_key_opens_all_in_both_copies_and_the_old_one_nothing(
    store: Store,
) -> None:
    assert len(store.opened_by(OLD)) == 2 * len(NAMES)
    assert store.as_of(NEW, OLD).rewrap() == []
    assert len(store.opened_by(NEW)) == 2 * len(NAMES)
    assert store.opened_by(OLD) == set()
    new = store.as_of(NEW)
    new.introduce()
    assert {name: new.get(name) for name in new.names("")} == {n: SECRETS[n] for n in NAMES}
    with pytest.raises(KeyUnreadable):
        store.as_of(OLD).introduce()


def test_before_and_during_the_rotation_a_process_with_both_keys_reads_and_writes(
    store: Store,
) -> None:
    both = store.as_of(NEW, OLD)
    both.introduce()
    both.put("handed", SECRETS["handed"])
    assert store.as_of(OLD).get("handed") == SECRETS["handed"]  # not yet begun: as it was
    both.rewrap()
    assert both.get("handed") == SECRETS["handed"]


def test_what_is_handed_over_after_the_rotation_opens_with_the_new_key(
    store: Store, tmp_path: Path
) -> None:
    store.as_of(NEW, OLD).rewrap()
    counter = DirectoryKeystore(store.roots[0], "counter", os.urandom(32), copy=store.roots[1])
    counter.introduce()
    counter.hand_over("api", "handed", SECRETS["handed"])
    assert store.as_of(NEW).get("handed") == SECRETS["handed"]
    with pytest.raises(KeyUnreadable):
        store.as_of(OLD).get("handed")


def test_a_rotation_killed_at_any_step_loses_nothing_and_is_finished_by_the_next(
    tmp_path: Path,
) -> None:
    for step in range(200):
        store = Store(tmp_path / str(step)).filled()
        if not dies_at(step, store.as_of(NEW, OLD).rewrap):
            break
        interrupted = store.as_of(NEW, OLD)
        interrupted.introduce()
        assert {name: interrupted.get(name) for name in NAMES} == {n: SECRETS[n] for n in NAMES}
        assert interrupted.rewrap() == []
        assert store.opened_by(OLD) == set()
        assert len(store.opened_by(NEW)) == 2 * len(NAMES)
    assert step > 20


def test_a_half_written_file_of_a_killed_process_does_not_keep_the_old_key_alive(
    store: Store,
) -> None:
    path = store.roots[0] / "api" / "poll/1"
    (path / ".V.key.4711.00c0ffee").write_bytes((path / "V.key").read_bytes())
    store.as_of(NEW, OLD).rewrap()
    assert store.opened_by(OLD) == set()


def test_a_key_that_neither_opens_is_named_and_left_as_it_is(store: Store) -> None:
    damaged = [root / "api" / "poll/1/V.key" for root in store.roots]
    for path in damaged:
        path.write_bytes(b"rubbish")
    assert store.as_of(NEW, OLD).rewrap() == ["poll/1/V"]
    assert [path.read_bytes() for path in damaged] == [b"rubbish", b"rubbish"]
    assert store.as_of(NEW).get("poll/0/V") == SECRETS["poll/0/V"]


def test_a_key_destroyed_meanwhile_does_not_come_back(store: Store) -> None:
    store.as_of(OLD).destroy("poll/1/V")
    both = store.as_of(NEW, OLD)
    both.rewrap()
    with pytest.raises(KeyMissing):
        both.get("poll/1/V")
    assert not both.is_held("poll/1/V")


@pytest.mark.parametrize("published", [True, False])
def test_a_wrong_master_key_is_refused_and_nothing_is_made_over_what_is_there(
    store: Store, published: bool
) -> None:
    if not published:
        for root in store.roots:
            (root / "api/wrapping.pub").unlink()
    before = _files(store)
    for wrong in (store.as_of(STRANGER), store.as_of(STRANGER, NEW)):
        with pytest.raises(KeyUnreadable, match="master key"):
            wrong.introduce()
    assert _files(store) == before


def test_a_developers_machine_that_lost_its_master_key_makes_no_new_one_over_its_keys(
    settings: Settings, tmp_path: Path
) -> None:
    own = replace(settings, keystore=tmp_path / "keys")
    open_keystore(own, "api").put("anchor", bytes(32))
    (tmp_path / "keys/api.master").unlink()
    with pytest.raises(Misconfigured, match="master key is gone"):
        open_keystore(own, "api")
    assert not (tmp_path / "keys/api.master").exists()


@pytest.mark.parametrize("given", ["\udce0", "열쇠", "AAAA", "no base64"])
def test_what_is_no_master_key_is_refused_by_its_name(
    settings: Settings, tmp_path: Path, given: str
) -> None:
    own = replace(settings, keystore=tmp_path, master_keys={"api": given})
    with pytest.raises(Misconfigured, match="API_MASTER_KEY is not the base64 of 32 bytes"):
        open_keystore(own, "api")


def test_the_command_wraps_a_holders_keys_anew_and_then_only_the_new_key_is_accepted(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    old, new = (base64.b64encode(key).decode() for key in (OLD, NEW))
    before = replace(settings, keystore=tmp_path, master_keys={"counter": old})
    during = replace(before, master_keys={"counter": new}, old_master_keys={"counter": old})
    after = replace(before, master_keys={"counter": new})
    open_keystore(before, "counter").put("sealing/1", SECRETS["handed"])
    with pytest.raises(Misconfigured, match="MASTER_KEY_OLD"):
        open_keystore(after, "counter")
    app.extensions["settings"] = during
    try:
        result = app.test_cli_runner().invoke(args=["keys", "rewrap", "--holder", "counter"])
        app.extensions["settings"] = after
        refused = app.test_cli_runner().invoke(args=["keys", "rewrap", "--holder", "counter"])
    finally:
        app.extensions["settings"] = settings
    assert (result.exit_code, result.stdout) == (0, "1 key wrapped for the new master key\n")
    assert (refused.exit_code, "COUNTER_MASTER_KEY_OLD" in refused.stderr) == (1, True)
    assert open_keystore(after, "counter").get("sealing/1") == SECRETS["handed"]
    with pytest.raises(Misconfigured):
        open_keystore(before, "counter")


def _files(store: Store) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for root in store.roots
        for path in root.rglob("*")
        if path.is_file() and path.name != ".lock"
    }
