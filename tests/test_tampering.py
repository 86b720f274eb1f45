"""Somebody with a superuser's password changes what was shuffled: it shows against what was seen.

Seen is a bundle that somebody downloaded before: with it the signed checkpoints of poll and city,
the ones that witnesses cosign. What shows it stands beside each kind: the bundle that is no longer
served, the log and its tree against the checkpoint, the sealed ballots opened by observers, the
accounting.
"""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from mvote.ballotbox import log
from mvote.ballotbox.bundling import BundleDiffers, newest_bundle, write_archive
from mvote.ballotbox.log import CITY, TreeHead, leaf_of
from mvote.ballotbox.merkle import root_of
from tests.support.code import ROOT
from tests.support.logs import as_superuser
from tests.support.world import World

BALLOTS = 8
TABLES = (
    "participation", "box", "log_entry", "tree_tile", "checkpoint", "record", "result",
    "poll_definition", "bundle",
)  # fmt: skip
KIND = re.compile(r"^-- (.+) \| (.+)\n([^;]+);$", re.MULTILINE)


def tamperings() -> dict[str, tuple[str, set[str]]]:
    """By kind: the statement, and what shows it."""
    text = (ROOT / "tests/support/tamperings.sql").read_text("utf-8")
    return {
        kind: (statement, set(shown_by.split(", ")))
        for kind, shown_by, statement in KIND.findall(text)
    }


@dataclass(frozen=True)
class Seen:
    """What somebody keeps who looked before: the bundle, and the key that observers hold."""

    poll_id: uuid.UUID
    bundle: bytes
    private_key: Path

    def head(self, name: str) -> TreeHead:
        """Size and root of a signed checkpoint in the bundle."""
        with zipfile.ZipFile(io.BytesIO(self.bundle)) as archive:
            _, size, root, *_ = archive.read(name).decode().split("\n")
        return TreeHead(int(size), base64.b64decode(root))

    @property
    def statement(self) -> dict[str, Any]:
        """The count's statement."""
        with zipfile.ZipFile(io.BytesIO(self.bundle)) as archive:
            return dict(json.loads(archive.read("statement.json")))


@pytest.fixture
def seen(world: World, app: Flask, tmp_path: Path) -> Seen:
    """A published poll whose bundle was downloaded, and nothing found wrong with it."""
    poll = world.open_poll()
    for place, voter in enumerate(world.citizens(BALLOTS)):
        assert world.cast(poll, voter, [("yes", "no")[place % 2]]).status_code == 201
    world.finish(poll)
    made = Seen(uuid.UUID(poll["id"]), world.make_bundle(poll), tmp_path / "key")
    words = ["box", "key", "--poll", poll["id"], str(made.private_key)]
    assert app.test_cli_runner().invoke(args=words).exit_code == 0
    return made


def found(world: World, seen: Seen, folder: Path) -> set[str]:
    """What no longer agrees with what was seen."""
    wrong = set()
    if not _log_agrees(world, seen.poll_id, seen.head("checkpoint")):
        wrong.add("log")
    if not _log_agrees(world, CITY, seen.head("city/checkpoint")):
        wrong.add("city")
    if not _tree_agrees(world, seen):
        wrong.add("tree")
    if not _bundle_agrees(world, seen, folder):
        wrong.add("bundle")
    if world.count("participation") != seen.statement["participations"]:
        wrong.add("accounting")
    return wrong


def _log_agrees(world: World, log_id: uuid.UUID, head: TreeHead) -> bool:
    query = "SELECT kind, data FROM log_entry WHERE poll_id = %s ORDER BY idx"
    leaves = [leaf_of(kind, bytes(data)) for kind, data in world.rows(query, log_id)]
    newest = world.rows("SELECT max(size) FROM checkpoint WHERE poll_id = %s", log_id)
    return root_of(leaves[: head.size]) == head.root and newest == [(len(leaves),)]


def _tree_agrees(world: World, seen: Seen) -> bool:
    head = seen.head("checkpoint")
    with Session(world.engines["api"]) as session:
        try:
            return log.root_at(session, seen.poll_id, head.size) == head.root
        except LookupError:
            return False


def _bundle_agrees(world: World, seen: Seen, folder: Path) -> bool:
    """Whether it is still served, byte for byte."""
    file = folder / "again.zip"
    file.unlink(missing_ok=True)
    with Session(world.engines["api"]) as session:
        bundle = newest_bundle(session, seen.poll_id)
        try:
            assert bundle
            write_archive(session, bundle, file)
        except (BundleDiffers, LookupError, NoResultFound):
            return False
    return file.read_bytes() == seen.bundle


def _box_agrees(app: Flask, seen: Seen, folder: Path) -> bool:
    """Whether observers with the key find in the box what the log and the records say."""
    box, bundle = folder / "box.bin", folder / "bundle.zip"
    box.unlink(missing_ok=True)
    bundle.write_bytes(seen.bundle)
    words = ["box", "export", "--poll", str(seen.poll_id), str(box)]
    if app.test_cli_runner().invoke(args=words).exit_code != 0:
        return False
    program = [sys.executable, "-I", str(ROOT / "verifier/mvote_verify.py"), str(bundle)]
    program += ["--box", str(box), "--private-key", str(seen.private_key)]
    return subprocess.run(program, capture_output=True, check=False).returncode == 0


@contextmanager
def put_back(world: World) -> Iterator[None]:
    """Afterwards the tables are as they were."""
    kept = {name: _rows(world, name) for name in TABLES}
    yield
    with psycopg.connect(world.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        for name, (columns, rows) in kept.items():
            table = sql.Identifier(name)
            connection.execute(sql.SQL("DELETE FROM {}").format(table))
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            places = sql.SQL(", ").join(sql.Placeholder() * len(columns))
            into = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(table, names, places)
            connection.cursor().executemany(into, rows)


def contents(world: World) -> list[list[tuple[Any, ...]]]:
    """All that can be tampered with, to see that a statement has changed something."""
    return [sorted(_rows(world, name)[1], key=repr) for name in TABLES]


def _rows(world: World, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns that can be written, and all rows."""
    query = (
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped AND attgenerated = ''"
    )
    columns = [name for (name,) in world.rows(query, table)]
    quoted = ", ".join(f'"{name}"' for name in columns)
    return columns, world.rows(f"SELECT {quoted} FROM {table}")  # noqa: S608


def test_every_kind_of_tampering_after_shuffling_shows_against_what_was_seen(
    world: World, app: Flask, seen: Seen, tmp_path: Path
) -> None:
    assert found(world, seen, tmp_path) == set()
    assert _box_agrees(app, seen, tmp_path)
    missed, harmless = {}, set()
    for kind, (statement, shown_by) in tamperings().items():
        before = contents(world)
        with put_back(world):
            as_superuser(world, statement)
            shown = found(world, seen, tmp_path)
            if "sealed ballots" in shown_by and not _box_agrees(app, seen, tmp_path):
                shown.add("sealed ballots")
            if contents(world) == before:
                harmless.add(kind)
        if not shown_by <= shown:
            missed[kind] = shown
    assert missed == {}
    assert harmless == set()
    assert len(tamperings()) >= 20
    assert found(world, seen, tmp_path) == set()  # each was shown by itself


def test_nothing_is_appended_to_a_log_whose_tree_was_changed(world: World, seen: Seen) -> None:
    as_superuser(world, tamperings()["another hash in the tree"][0])
    with Session(world.engines["shuffler"]) as session, pytest.raises(log.TreeDamaged):
        log.append(session, log_id=seen.poll_id, entries=[(3, bytes(32))])
