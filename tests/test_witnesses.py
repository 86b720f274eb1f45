"""Witnesses of the city's log: who cosigns is kept, who cannot be reached delays nobody."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.holders import open_keystore
from api.witnesses.directory import DirectoryWitness
from api.witnesses.git import GitWitness
from api.witnesses.http import HttpWitness
from mvote.ballotbox.clerk import Clerk
from mvote.ballotbox.log_keys import LogKeys
from mvote.ballotbox.notes import Verifier, open_note
from mvote.ballotbox.witnessing import Witness as Adapter
from tests.support.git_servers import git_server
from tests.support.logs import CITY, grow, kept, notes_of, unsigned
from tests.support.witnesses import new_witness, served, serving, settle
from tests.support.world import World
from verifier.mvote_witness import Witness, cosign_directory


class Honest:
    """Our witness program behind one of the three ways to reach it."""

    def __init__(self, witness: Witness, key: Verifier, adapter: Adapter, folder: Path) -> None:
        self.witness, self.key, self.adapter, self.folder = witness, key, adapter, folder

    def come_and_see(self) -> int:
        """What its operator's cron does; over HTTP there is nothing to do."""
        if isinstance(self.adapter, HttpWitness):
            return 0
        if isinstance(self.adapter, GitWitness):
            git(self.folder, "pull", "-q", "origin", "main")
        done = cosign_directory(self.witness, self.folder)
        if isinstance(self.adapter, GitWitness) and not done:
            git(self.folder, "add", ".")
            git(self.folder, "commit", "-q", "--allow-empty", "-m", "cosigned")
            git(self.folder, "push", "-q", "origin", "HEAD:main")
        return done


def git(folder: Path, *words: str) -> None:
    named = ("-c", "user.name=w", "-c", "user.email=w@localhost")
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True)


def log_verifiers(world: World) -> list[Verifier]:
    return LogKeys(open_keystore(world.settings, "shuffler")).verifiers(world.clerk.city)


@pytest.fixture(params=["http", "directory", "git", "git over http"])
def honest(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Honest]:
    witness, key = new_witness(tmp_path / "home", log_verifiers(world))
    folder = tmp_path / "folder"
    folder.mkdir()
    if request.param == "http":
        with served(witness) as url:
            yield Honest(witness, key, HttpWitness(key, url), folder)
    elif request.param == "directory":
        yield Honest(witness, key, DirectoryWitness(key, folder), folder)
    else:
        remotes = tmp_path / "remotes"
        git(tmp_path, "init", "-q", "--bare", "--initial-branch=main", "remotes/log.git")
        with serving(git_server(remotes)) as server:
            remote = f"{server if 'http' in request.param else f'file://{remotes}'}/log.git"
            git(tmp_path, "clone", "-q", remote, str(folder))
            adapter = GitWitness(key, remote, tmp_path / "copy")
            yield Honest(witness, key, adapter, folder)


def clerk_with(world: World, tmp_path: Path, *witnesses: Adapter) -> Clerk:
    world.clerk = world.new_clerk(tmp_path / "keys" / "mark", *witnesses)
    return world.clerk


def cosigned_sizes(world: World) -> list[int]:
    rows = world.rows("SELECT size FROM cosignature WHERE poll_id = %s ORDER BY size", CITY)
    return [size for (size,) in rows]


def test_a_witness_cosigns_each_state_of_the_city_that_it_is_shown(
    world: World, tmp_path: Path, honest: Honest
) -> None:
    clerk, poll = clerk_with(world, tmp_path, honest.adapter), world.open_poll()
    for _ in range(2):
        grow(world, poll)
        assert settle(clerk)
        assert honest.come_and_see() == 0
        assert settle(clerk)
    assert cosigned_sizes(world) == [1, 2]
    for note, (line,) in zip(
        notes_of(world, CITY), world.rows("SELECT line FROM cosignature ORDER BY size"), strict=True
    ):
        opened = open_note(note + line, [honest.key, *log_verifiers(world)])
        assert {each.name for each in opened.signatures} == {honest.key.name, clerk.city}


def test_a_clerk_who_starts_anew_goes_on_where_the_witness_is(
    world: World, tmp_path: Path, honest: Honest
) -> None:
    poll = world.open_poll()
    for _ in range(3):
        clerk = clerk_with(world, tmp_path, honest.adapter)
        grow(world, poll)
        settle(clerk)
        assert honest.come_and_see() == 0
        settle(clerk)
    assert cosigned_sizes(world) == [1, 2, 3]


def test_a_restored_log_is_not_signed_until_it_extends_what_was_witnessed(
    world: World, tmp_path: Path, honest: Honest
) -> None:
    poll = world.open_poll()
    grow(world, poll)
    settle(clerk_with(world, tmp_path, honest.adapter))
    honest.come_and_see()
    with kept(world) as restore_earlier:
        grow(world, poll)
        settle(clerk_with(world, tmp_path, honest.adapter))
        honest.come_and_see()
        settle(world.clerk)
        with kept(world) as restore_later:
            restore_earlier()
            grow(world, poll)
            without_mark = world.new_clerk(tmp_path / "lost" / "mark", honest.adapter)
            assert not settle(without_mark)
            assert (unsigned(world), len(notes_of(world, CITY))) == (1, 1)
            honest.come_and_see()
            restore_later()
    grow(world, poll)
    assert settle(without_mark)
    honest.come_and_see()
    assert settle(without_mark)
    assert cosigned_sizes(world)[-1] == 3


def test_without_a_witness_and_a_mark_the_restored_log_is_signed(
    world: World, tmp_path: Path
) -> None:
    """The sabotaged twin: nobody remembers."""
    poll = world.open_poll()
    with kept(world) as restore_earlier:
        grow(world, poll)
        assert settle(clerk_with(world, tmp_path))
        restore_earlier()
    grow(world, poll)
    assert settle(world.new_clerk(tmp_path / "lost" / "mark"))
    assert unsigned(world) == 0


def test_a_fork_of_the_witnessed_log_is_refused_for_good(
    world: World, tmp_path: Path, honest: Honest, caplog: pytest.LogCaptureFixture
) -> None:
    poll = world.open_poll()
    with kept(world) as restore_earlier:
        grow(world, poll)
        settle(clerk_with(world, tmp_path, honest.adapter))
        honest.come_and_see()
        settle(world.clerk)
        restore_earlier()
    for _ in range(2):  # the history goes on differently, signed by somebody without memory
        grow(world, poll)
        assert settle(world.new_clerk(tmp_path / "forger" / "mark"))
    forked = len(notes_of(world, CITY))
    clerk = world.new_clerk(tmp_path / "lost" / "mark", honest.adapter)
    grow(world, poll)
    assert not settle(clerk)
    assert len(notes_of(world, CITY)) == forked
    assert any("another" in str(vars(record).get("reason")) for record in caplog.records)
