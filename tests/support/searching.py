"""Looking for bytes wherever a thief could: keystores, dump, data directory, WAL, base backup."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg

from ops.place import find
from tests.support.world import World

CLUSTER = "pg-test"


def places_of(world: World, needles: list[bytes], folder: Path) -> set[str]:
    """Where any of *needles* lies, raw or in hex; *folder* takes a base backup meanwhile."""
    forms = [form for needle in needles for form in (needle, needle.hex().encode())]
    haystacks: list[tuple[str, Iterator[bytes]]] = [
        ("keystore", _files(world.settings.keystore)),
        ("copy", _files(world.settings.keystore_copy)),
        ("dump", iter([_dump(world)])),
        ("data directory", _data_directory(world)),
        ("base backup", _base_backup(world, folder)),
    ]
    return {
        place
        for place, contents in haystacks
        if any(form in content for content in contents for form in forms)
    }


def _files(folder: Path | None) -> Iterator[bytes]:
    for path in paths_below(folder) if folder else ():
        with suppress(FileNotFoundError):  # the server runs, and tidies up
            yield path.read_bytes() if path.is_file() else b""


def paths_below(folder: Path) -> Iterator[Path]:
    """Every file below *folder*, where others make and drop whole databases meanwhile.

    `Path.rglob` ends with FileNotFoundError when a folder vanishes between being seen and entered.
    """

    def fails(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    for place, _, names in os.walk(folder, onerror=fails):
        yield from (Path(place, name) for name in names)


def _data_directory(world: World) -> Iterator[bytes]:
    """As it lies there now: what only the log had may go with its segment while we are reading."""
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    yield from _files(find(CLUSTER).data)


def _dump(world: World) -> bytes:
    program = shutil.which("pg_dump") or "pg_dump"
    done = subprocess.run([program, world.admin_url], capture_output=True, check=True)
    return done.stdout


def _base_backup(world: World, folder: Path) -> Iterator[bytes]:
    """A base backup as PostgreSQL's low-level interface has it taken, with its WAL."""
    target = folder / "base"
    shutil.rmtree(target, ignore_errors=True)
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        connection.execute("SELECT pg_backup_start('search', true)")
        _copy(find(CLUSTER).data, target)
        connection.execute("SELECT pg_switch_wal()")
        connection.execute("SELECT pg_backup_stop(false)")
        _copy(find(CLUSTER).data / "pg_wal", target / "wal")
    yield from _files(target)
    shutil.rmtree(target)


def _copy(source: Path, target: Path) -> None:
    for path in paths_below(source):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                shutil.copyfile(path, place)
