"""Handing a key over takes no lock of its holder, and fits whatever that one does meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from mvote.ballotbox.keyfiles import KeyFiles
from mvote.ballotbox.keystore import DirectoryKeystore, KeyMissing
from tests.support.killing import meets
from tests.support.waiting import PATIENCE_SECONDS

OLD, NEW = bytes([1]) * 32, bytes([2]) * 32
NAME, SECRET = "poll/1/L", bytes(range(32))


class Pair:
    """The api and the shuffler, with two copies of their keystore."""

    def __init__(self, folder: Path) -> None:
        self.roots = (folder / "first", folder / "copy")
        for root in self.roots:
            root.mkdir(parents=True)
        self.shuffler(OLD).introduce()

    def shuffler(self, master: bytes, old: bytes | None = None) -> DirectoryKeystore:
        return DirectoryKeystore(self.roots[0], "shuffler", master, old=old, copy=self.roots[1])

    def hand_over(self) -> None:
        api = DirectoryKeystore(self.roots[0], "api", bytes([3]) * 32, copy=self.roots[1])
        api.hand_over("shuffler", NAME, SECRET)

    def try_to_hand_over(self) -> None:
        with suppress(OSError):
            self.hand_over()

    def left(self) -> list[str]:
        """The names of all files of the key, drafts too."""
        return sorted(path.name for root in self.roots for path in root.rglob("*L.key*"))


Act = Callable[[Pair], object]


def at_every_step(tmp_path: Path, meanwhile: Act, act: Act = Pair.hand_over) -> list[Pair]:
    """Hand a key over as often as that has steps, with *meanwhile* in front of one of them."""
    pairs = list[Pair]()
    for step in range(200):
        pair = Pair(tmp_path / str(step))
        if not meets(step, partial(act, pair), partial(meanwhile, pair)):
            assert len(pairs) > 10
            return pairs
        pairs.append(pair)
    raise AssertionError("it has no end")


def test_whoever_holds_the_holders_lock_keeps_nobody_from_handing_over(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    with KeyFiles(pair.roots).alone("shuffler"):
        handing = threading.Thread(target=pair.hand_over, daemon=True)
        handing.start()
        handing.join(PATIENCE_SECONDS)
        assert not handing.is_alive()
    assert pair.shuffler(OLD).get(NAME) == SECRET


def test_a_key_handed_over_while_the_master_key_changes_opens_with_the_new_one(
    tmp_path: Path,
) -> None:
    for pair in at_every_step(tmp_path, lambda pair: pair.shuffler(NEW, OLD).rewrap()):
        assert pair.shuffler(NEW).get(NAME) == SECRET
        assert pair.shuffler(NEW).flaws() == []
        assert pair.left() == ["L.key", "L.key"]


def test_a_key_that_is_mended_while_it_is_handed_over_is_whole(tmp_path: Path) -> None:
    for pair in at_every_step(tmp_path, lambda pair: pair.shuffler(OLD).mend()):
        assert pair.shuffler(OLD).flaws() == []
        assert pair.shuffler(OLD).get(NAME) == SECRET
        assert pair.left() == ["L.key", "L.key"]


def test_of_two_that_hand_over_one_key_at_a_time_one_succeeds(tmp_path: Path) -> None:
    for pair in at_every_step(tmp_path, Pair.try_to_hand_over, Pair.try_to_hand_over):
        assert pair.shuffler(OLD).get(NAME) == SECRET
        assert pair.shuffler(OLD).flaws() == []


def test_a_key_destroyed_while_it_is_handed_over_is_gone(tmp_path: Path) -> None:
    def destroy(pair: Pair) -> object:
        return pair.shuffler(OLD).destroy(NAME)

    for pair in at_every_step(tmp_path, destroy, Pair.try_to_hand_over):
        shuffler = pair.shuffler(OLD)
        shuffler.finish_destroying()
        with pytest.raises(KeyMissing):
            shuffler.get(NAME)
        assert pair.left() == []
