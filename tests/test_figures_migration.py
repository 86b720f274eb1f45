"""Records that were written one to a row are repacked, and unpacked again, without a change."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command

from mvote.ballotbox.vectors import PACK
from tests.support.database import TestCluster

BEFORE, AFTER = "0008", "0009"
RECORDS = 2 * PACK + 88
SINGLE = """
SET session_replication_role = replica;
INSERT INTO poll (id, author_id, origin, state, content, version, created_at, opens_at, closes_at,
    frozen_at, closed_at, published_at)
SELECT md5(n::text)::uuid, gen_random_uuid(), 'citizen', 'published', '{}', 1, now(), now(),
    now() + interval '1 hour', now(), now(), now() FROM generate_series(1, 2) AS n;
INSERT INTO result (poll_id, statement, participations, entries, records, quarantined, unopenable,
    records_public) SELECT id, 'x', 1, 1, 1, 0, 0, true FROM poll;
"""
# one poll has two options, the other three: vectors of 8 and of 10 bytes
RECORD = """
INSERT INTO record
SELECT md5('1')::uuid, j,
    CASE WHEN j < 300 THEN '\\x0101000200000001' ELSE '\\x0101000200010000' END ::bytea
FROM generate_series(0, %s) AS j
UNION ALL SELECT md5('2')::uuid, j, '\\x01010003000000010000'::bytea FROM generate_series(0, 2) AS j
"""
SHOWN = "SELECT poll_id, j, vector FROM published_record ORDER BY poll_id, j"


@pytest.fixture
def filled(cluster: TestCluster) -> Iterator[str]:
    """A database as it was before, with records of two polls."""
    name = cluster.empty("figures")
    cluster.migrate(name, BEFORE)
    with psycopg.connect(cluster.admin(name)) as connection:
        connection.execute(SINGLE)
        connection.execute(RECORD, [RECORDS - 1])
    yield name
    cluster.drop(name)


def _rows(cluster: TestCluster, name: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(cluster.admin(name)) as connection:
        return connection.execute(query.encode()).fetchall()


def test_records_are_repacked_and_unpacked_without_a_change(
    cluster: TestCluster, filled: str
) -> None:
    before = _rows(cluster, filled, SHOWN)
    assert len(before) == RECORDS + 3
    cluster.migrate(filled, AFTER)
    assert _rows(cluster, filled, SHOWN) == before
    packed = _rows(cluster, filled, "SELECT j, length(vectors) FROM record ORDER BY poll_id, j")
    assert sorted(packed) == sorted(
        [(0, 8 * PACK), (PACK, 8 * PACK), (2 * PACK, 8 * 88), (0, 3 * 10)]
    )
    command.downgrade(cluster.alembic(filled), BEFORE)
    assert _rows(cluster, filled, SHOWN) == before


def test_a_poll_counted_before_there_was_a_second_count_keeps_its_accounting(
    cluster: TestCluster, filled: str
) -> None:
    cluster.migrate(filled, AFTER)
    held = _rows(cluster, filled, "SELECT accounting_holds, recounted, log_agrees FROM accounting")
    assert held == [(True, None, None)] * 2
