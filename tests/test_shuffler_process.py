"""The shuffler as it runs: a process that closes, signs and is witnessed, and may be killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.holders import open_keystore
from mvote.ballotbox.checkpoints import read_checkpoint
from mvote.ballotbox.log_keys import LogKeys
from mvote.ballotbox.notes import Verifier, open_note
from tests.support.code import ROOT
from tests.support.logs import CITY, notes_of, unsigned
from tests.support.waiting import wait_until
from tests.support.witnesses import new_witness
from tests.support.world import World
from verifier.mvote_witness import Witness, cosign_directory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "witness").mkdir()
    return tmp_path / "witness"


def ended_poll(world: World) -> dict[str, Any]:
    poll = world.open_poll()
    for voter in world.citizens(2):
        world.cast(poll, voter)
    world.end_voting(poll)
    return poll


@contextmanager
def shuffler(world: World, keys: Path, folder: Path, witness: Verifier) -> Iterator[None]:
    """`jobs.py shuffler` with a witness who looks into *folder*; killed with -9 at the end."""
    plain = world.settings.shuffler_url.replace("postgresql+psycopg://", "postgresql://")
    surroundings = os.environ | {
        "MVOTE_ENV": "test",
        "VAR_DIR": str(world.settings.var),
        "KEYSTORE_DIR": str(keys),
        "SHUFFLER_DATABASE_URL": plain,
        "WITNESSES": f"{witness.vkey} file://{folder}",
    }
    words = [sys.executable, str(ROOT / "jobs.py"), "shuffler"]
    with subprocess.Popen(words, cwd=ROOT, env=surroundings, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def cosigned(world: World, witness: Witness, folder: Path, size: int) -> bool:
    cosign_directory(witness, folder)
    rows = world.rows("SELECT 1 FROM cosignature WHERE size = %s", size)
    return bool(rows)


def test_the_shuffler_closes_signs_and_is_witnessed_and_goes_on_after_a_kill(
    world: World, tmp_path: Path, folder: Path
) -> None:
    keys = tmp_path / "keys"
    first = ended_poll(world)
    log = LogKeys(open_keystore(world.settings, "shuffler"))
    shutil.copytree(world.settings.keystore, keys)
    witness, key = new_witness(tmp_path / "home", log.verifiers(world.clerk.city))
    with shuffler(world, keys, folder, key):
        wait_until(lambda: cosigned(world, witness, folder, 1))
    second = ended_poll(world)
    shutil.copytree(world.settings.keystore, keys, dirs_exist_ok=True)
    with shuffler(world, keys, folder, key):
        wait_until(lambda: cosigned(world, witness, folder, 2))
    assert unsigned(world) == 0
    assert [len(notes_of(world, poll["id"])) for poll in (first, second)] == [1, 1]
    marked = (keys / "shuffler" / "city-checkpoint").read_text()
    assert read_checkpoint(marked) == read_checkpoint(notes_of(world, CITY)[-1])
    [(line,)] = world.rows("SELECT line FROM cosignature WHERE size = 2")
    assert open_note(notes_of(world, CITY)[-1] + line, [key]).signatures
