"""The migration that gives logs their trees: on a filled database, up, down, and up again."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command

from tests.support.database import TestCluster
from tests.support.logs import as_superuser
from tests.support.world import World
from tests.test_bundles import verified

BEFORE, AFTER = "0006", "0007"
SIZES = (1, 2, 33, 1025)
CITY = uuid.UUID(int=0)
Entry = tuple[int, bytes]


@pytest.fixture
def filled(cluster: TestCluster) -> Iterator[tuple[str, dict[uuid.UUID, list[Entry]]]]:
    """A database from before the migration, with logs of several sizes."""
    name = cluster.empty("logs")
    cluster.migrate(name, BEFORE)
    logs = {uuid.uuid4(): _entries(size) for size in SIZES}
    with psycopg.connect(cluster.admin(name)) as connection:
        connection.execute("SET session_replication_role = replica")
        for poll_id, entries in logs.items():
            rows = [(poll_id, idx, *entry) for idx, entry in enumerate(entries)]
            into = "INSERT INTO log_entry VALUES (%s, %s, %s, %s)"
            connection.cursor().executemany(into, rows)
    yield name, logs
    cluster.drop(name)


def _entries(size: int) -> list[Entry]:
    return [(0, secrets.token_bytes(32))] + [(1, secrets.token_bytes(48)) for _ in range(size - 1)]


def _root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, as it is written there."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + _root(leaves[:half]) + _root(leaves[half:])).digest()


def _leaves(entries: list[Entry]) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + bytes([kind]) + data).digest() for kind, data in entries]


def _rows(cluster: TestCluster, name: str, query: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(cluster.admin(name)) as connection:
        return connection.execute(query.encode(), values).fetchall()


def test_every_log_that_exists_gets_its_tree_and_one_checkpoint_that_nobody_has_signed(
    cluster: TestCluster, filled: tuple[str, dict[uuid.UUID, list[Entry]]]
) -> None:
    name, logs = filled
    for _ in range(2):
        cluster.migrate(name, AFTER)
        for poll_id, entries in logs.items():
            leaves = _leaves(entries)
            found = _rows(cluster, name, "SELECT * FROM checkpoint WHERE poll_id = %s", poll_id)
            assert found == [(poll_id, len(entries), _root(leaves), None)]
            assert _tiles(cluster, name, poll_id) == _expected_tiles(leaves)
        command.downgrade(cluster.alembic(name), BEFORE)
    kept = "SELECT kind, data FROM log_entry WHERE poll_id = %s ORDER BY idx"
    for poll_id, entries in logs.items():
        assert _rows(cluster, name, kept, poll_id) == entries


def _tiles(cluster: TestCluster, name: str, poll_id: uuid.UUID) -> dict[tuple[object, ...], object]:
    query = "SELECT level, n, hashes FROM tree_tile WHERE poll_id = %s"
    return {(level, n): hashes for level, n, hashes in _rows(cluster, name, query, poll_id)}


def _expected_tiles(leaves: list[bytes]) -> dict[tuple[object, ...], object]:
    """By the words of the format: position i of tile n of level l is over 32^l leaves."""
    expected: dict[tuple[object, ...], object] = {}
    for level in range(3):
        width = 32**level
        roots = [
            _root(leaves[start : start + width])
            for start in range(0, len(leaves) - width + 1, width)
        ]
        for n in range(0, len(roots), 32):
            expected[level, n // 32] = b"".join(roots[n : n + 32])
    return expected


def test_going_back_takes_the_citys_log_away_which_the_schema_before_has_no_place_for(
    cluster: TestCluster, filled: tuple[str, dict[uuid.UUID, list[Entry]]]
) -> None:
    name, logs = filled
    cluster.migrate(name, AFTER)
    with psycopg.connect(cluster.admin(name)) as connection:
        entry = (CITY, 0, 5, secrets.token_bytes(56))
        connection.execute("INSERT INTO log_entry VALUES (%s, %s, %s, %s)", entry)
    command.downgrade(cluster.alembic(name), BEFORE)
    left = {row[0] for row in _rows(cluster, name, "SELECT poll_id FROM log_entry")}
    assert left == set(logs)


AS_OLD_DEFINITIONS = """
WITH old AS (
    SELECT poll_id, convert_to((convert_from(canonical, 'UTF8')::jsonb - 'cautions')::text, 'UTF8')
        AS content FROM poll_definition)
UPDATE poll_definition d SET canonical = content, hash = sha256(content)
FROM old WHERE old.poll_id = d.poll_id
"""
AS_OLD_STATEMENTS = """
UPDATE result SET statement = convert_to(
    (convert_from(statement, 'UTF8')::jsonb - 'log_size' - 'log_root')::text, 'UTF8')
"""


def test_a_poll_that_was_published_before_gets_its_statement_into_the_log_and_is_not_proven(
    cluster: TestCluster, database: str, world: World, tmp_path: Path
) -> None:
    poll = world.open_poll()
    as_superuser(world, AS_OLD_DEFINITIONS)
    for voter in world.citizens(6):
        world.cast(poll, voter)
    world.finish(poll)
    as_superuser(world, AS_OLD_STATEMENTS)
    command.downgrade(cluster.alembic(database), BEFORE)
    cluster.migrate(database)
    world.run_shuffler()
    assert world.rows("SELECT count(*) FROM log_entry WHERE kind = 4") == [(1,)]
    code, status = verified(tmp_path, world.make_bundle(poll))
    assert (code, status["statement"]) == (0, "NOT PROVEN")
    rest = {name for name, found in status.items() if found == "ok"}
    assert {"log", "definition", "checkpoints", "city log", "accounting", "totals"} <= rest


def test_a_poll_that_is_open_at_that_moment_gets_its_tree_when_it_is_shuffled(
    cluster: TestCluster, database: str, world: World
) -> None:
    poll = world.open_poll()
    for voter in world.citizens(3):
        world.cast(poll, voter)
    command.downgrade(cluster.alembic(database), BEFORE)
    cluster.migrate(database)
    assert world.count("checkpoint") == world.count("tree_tile") == 0
    world.close(poll)
    entries = world.rows("SELECT kind, data FROM log_entry ORDER BY idx")
    leaves = _leaves([(kind, bytes(data)) for kind, data in entries])
    assert world.rows("SELECT size, root FROM checkpoint") == [(4, _root(leaves))]
