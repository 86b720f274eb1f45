"""A clerk who is killed at any moment: nothing is lost, nothing is named or signed twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from api.db import new_engine
from mvote.ballotbox import clerk as clerk_module
from mvote.ballotbox import log as logs
from mvote.ballotbox import signing
from mvote.ballotbox.checkpoints import read_checkpoint
from mvote.ballotbox.clerk import Clerk
from mvote.ballotbox.marks import MarkFile
from tests.support.logs import (
    CITY,
    city_entries,
    grow,
    notes_of,
    place_of,
    unsigned,
)
from tests.support.world import World

Patch = pytest.MonkeyPatch


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(act: Callable[..., object]) -> Callable[..., None]:
    """Does what *act* does, and dies before anybody hears of it."""

    def done(*given: object, **named: object) -> None:
        act(*given, **named)
        die()

    return done


def before_naming(patch: Patch) -> None:
    patch.setattr(clerk_module, "enter_city", die)


def while_naming(patch: Patch) -> None:
    patch.setattr(logs, "append", then_die(logs.append))


def after_naming(patch: Patch) -> None:
    patch.setattr(clerk_module, "sign", die)


def before_the_mark(patch: Patch) -> None:
    patch.setattr(MarkFile, "write", die)


def while_the_mark_is_written(patch: Patch) -> None:
    patch.setattr(Path, "replace", die)


def after_the_mark(patch: Patch) -> None:
    patch.setattr(MarkFile, "write", then_die(MarkFile.write))


def before_the_signatures_are_durable(patch: Patch) -> None:
    patch.setattr(signing, "_store", then_die(signing._store))


def after_signing(patch: Patch) -> None:
    patch.setattr(Clerk, "_sign_all", then_die(Clerk._sign_all))


MOMENTS = [
    before_naming,
    while_naming,
    after_naming,
    before_the_mark,
    while_the_mark_is_written,
    after_the_mark,
    before_the_signatures_are_durable,
    after_signing,
]


def killed(world: World, mark: Path, moment: Callable[[Patch], None]) -> None:
    """A round in a process of its own, which kills itself (-9) at that moment."""
    child = os.fork()
    if child == 0:
        with pytest.MonkeyPatch.context() as patch:
            world.engines = dict(world.engines) | {
                "shuffler": new_engine(world.settings.shuffler_url)
            }
            moment(patch)
            world.new_clerk(mark).round()
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_killed_at_any_moment_nothing_is_lost_or_named_twice(
    world: World, clerk: Clerk, tmp_path: Path, moment: Callable[[Patch], None]
) -> None:
    mark, poll = tmp_path / "keys" / "mark", world.open_poll()
    grow(world, poll)
    clerk.round()
    expected = [grow(world, poll).size, grow(world, poll).size]
    killed(world, mark, moment)
    published = notes_of(world, CITY) + notes_of(world, poll["id"])
    assert world.new_clerk(mark).round()
    assert unsigned(world) == 0
    assert [entry[:24] for entry in city_entries(world)] == [
        place_of(poll["id"], size) for size in (3, *expected)
    ]
    later = notes_of(world, CITY) + notes_of(world, poll["id"])
    assert set(published) <= set(later)
    assert MarkFile(mark).read() == read_checkpoint(notes_of(world, CITY)[-1])


def test_the_database_lets_a_checkpoint_be_named_once_only(
    world: World, clerk: Clerk, tmp_path: Path, monkeypatch: Patch
) -> None:
    """The sabotaged twin: a clerk who does not look what is named already."""
    grow(world, world.open_poll())
    killed(world, tmp_path / "keys" / "mark", after_naming)
    monkeypatch.setattr(signing, "_last_named", lambda *_: {})
    with pytest.raises(IntegrityError, match="uq_log_entry_city"):
        clerk.round()
    assert len(city_entries(world)) == 1


def test_two_clerks_at_once_name_each_checkpoint_once(world: World, tmp_path: Path) -> None:
    polls = [world.open_poll() for _ in range(4)]
    for _ in range(5):
        for poll in polls:
            grow(world, poll)
        clerks = [world.new_clerk(tmp_path / "mark") for _ in range(2)]
        with ThreadPoolExecutor(2) as pool:
            assert all(pool.map(Clerk.round, clerks))
    assert (len(city_entries(world)), unsigned(world)) == (20, 0)
