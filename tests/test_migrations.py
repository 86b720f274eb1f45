"""Migrations: from nothing to now and back, on an empty and on a filled database."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from tests.support.database import TestCluster


@pytest.fixture
def empty(cluster: TestCluster) -> Iterator[str]:
    """A database without any migration."""
    name = cluster.empty("migrated")
    yield name
    cluster.drop(name)


def _schema(cluster: TestCluster, database: str) -> list[tuple[object, ...]]:
    with psycopg.connect(cluster.admin(database), autocommit=True) as connection:
        return connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable"
            " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
        ).fetchall()


def test_there_is_one_head_and_every_migration_names_its_predecessor(cluster: TestCluster) -> None:
    script = ScriptDirectory.from_config(cluster.alembic("unused"))
    revisions = [revision.revision for revision in script.walk_revisions()]
    assert len(script.get_heads()) == 1
    assert revisions == sorted(revisions, reverse=True)


def test_the_migrated_database_is_what_the_models_say(cluster: TestCluster, empty: str) -> None:
    cluster.migrate(empty)
    command.check(cluster.alembic(empty))


def test_upgrading_downgrading_and_upgrading_again_ends_where_it_began(
    cluster: TestCluster, empty: str
) -> None:
    untouched = _schema(cluster, empty)
    cluster.migrate(empty)
    migrated = _schema(cluster, empty)
    command.downgrade(cluster.alembic(empty), "base")
    left = [row for row in _schema(cluster, empty) if row[0] != "alembic_version"]
    assert left == untouched
    cluster.migrate(empty)
    assert _schema(cluster, empty) == migrated


def test_a_filled_database_is_upgraded_step_by_step_without_losing_a_row(
    cluster: TestCluster, empty: str
) -> None:
    config = cluster.alembic(empty)
    script = ScriptDirectory.from_config(config)
    steps = [revision.revision for revision in reversed(list(script.walk_revisions()))]
    command.upgrade(config, steps[0])
    with psycopg.connect(cluster.admin(empty), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO journal (id, at, kind, facts) VALUES"
            " (gen_random_uuid(), now(), 'test:written', '{}')"
        )
    for step in steps[1:]:
        command.upgrade(config, step)
    with psycopg.connect(cluster.admin(empty), autocommit=True) as connection:
        kept = connection.execute("SELECT kind FROM journal").fetchall()
    assert kept == [("test:written",)]


def test_no_roll_that_was_there_before_is_given_up_on_the_day_of_the_upgrade(
    cluster: TestCluster, empty: str
) -> None:
    cluster.migrate(empty, "0065")
    with psycopg.connect(cluster.admin(empty), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO poll (id, author_id, origin, state, is_private, content, version,"
            " created_at) SELECT id, id, 'citizen', 'draft', false, '{}', 1, now()"
            " FROM (SELECT gen_random_uuid() AS id) AS drafted"
        )
        connection.execute(
            "INSERT INTO roll (poll_id, size, rows, duplicates, rejected, file_sha256,"
            " imported_by, imported_at) SELECT id, 1, 1, 0, 0, sha256(''), author_id,"
            " now() - interval '100 days' FROM poll"
        )
    cluster.migrate(empty)
    with psycopg.connect(cluster.admin(empty), autocommit=True) as connection:
        given_up = connection.execute("SELECT give_up_roll(poll_id) FROM roll").fetchall()
    assert given_up == [(False,)]
