"""The private PostgreSQL: what it promises, who gets in, and how it comes up after accidents."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from ops import server
from ops.cluster import ensure_cluster, remove_cluster, stop_cluster
from ops.machine import birth
from ops.place import find
from ops.roles import (
    ROLES,
    bootstrap_roles,
    connect,
    create_database,
    drop_database,
    role_passwords,
    role_url,
)
from ops.testing import drop_leftovers

NAME = "pg-private"


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster for this file alone: it is killed and misled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAR_DIR", str(tmp_path_factory.mktemp("var")))
        yield ensure_cluster(NAME)
        remove_cluster(NAME)


@pytest.fixture(scope="module")
def passwords(admin_url: str) -> dict[str, str]:
    """The passwords of the roles, which exist."""
    passwords = role_passwords(NAME)
    bootstrap_roles(admin_url, passwords)
    return passwords


@pytest.fixture
def database(admin_url: str, passwords: dict[str, str]) -> Iterator[str]:
    """An empty database of ours."""
    assert set(passwords) == set(ROLES)
    create_database(admin_url, "mvote_try")
    yield "mvote_try"
    drop_database(admin_url, "mvote_try")


def value(url: str, query: str) -> object:
    with connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def process() -> int:
    pid = server.running(find(NAME))
    assert pid
    return pid


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("server_encoding", "UTF8"),
    ],
)
def test_the_server_keeps_what_it_confirms_and_hears_no_network(
    admin_url: str, setting: str, wanted: str
) -> None:
    assert value(admin_url, f"SHOW {setting}") == wanted


def test_nobody_gets_in_without_the_password(admin_url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(role_url(admin_url, "postgres", "guessed"))


def test_no_value_and_no_row_of_a_failed_statement_reaches_the_log(admin_url: str) -> None:
    with connect(admin_url) as connection:
        connection.execute("CREATE TEMP TABLE t (secret text PRIMARY KEY)")
        for _ in range(2):
            with pytest.raises(psycopg.errors.Error):
                connection.execute("INSERT INTO t VALUES (%s), (%s)", ["s3cret", "s3cret"])
        with pytest.raises(psycopg.errors.Error):
            connection.execute("SELECT 's3cret'::int")
    assert "s3cret" not in find(NAME).log.read_text()


def test_eight_at_once_bootstrap_the_roles_and_all_can_log_in(admin_url: str) -> None:
    passwords = role_passwords(NAME)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: bootstrap_roles(admin_url, passwords), range(8)))
    for role, password in passwords.items():
        url = role_url(admin_url, role, password, "postgres")
        assert value(url, "SELECT current_user") == role


def test_a_role_may_nothing_but_log_in(admin_url: str, passwords: dict[str, str]) -> None:
    powers = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    strong = f"SELECT count(*) FROM pg_roles WHERE rolname LIKE 'mvote%' AND ({powers})"  # noqa: S608
    assert value(admin_url, strong) == 0
    assert set(passwords) == set(ROLES)


@pytest.mark.usefixtures("admin_url")
def test_passwords_are_made_once_and_only_their_owner_reads_them() -> None:
    assert role_passwords(NAME) == role_passwords(NAME)
    assert (find(NAME).home / "roles.json").stat().st_mode & 0o777 == 0o600


def test_making_a_database_again_changes_nothing(admin_url: str, database: str) -> None:
    assert create_database(admin_url, database) is False


def test_only_the_owner_makes_tables(
    admin_url: str, passwords: dict[str, str], database: str
) -> None:
    for role, password in passwords.items():
        url = role_url(admin_url, role, password, database)
        may = value(url, "SELECT has_schema_privilege('public', 'CREATE')")
        assert may is (role == "mvote_owner")


def test_a_role_that_is_not_ours_cannot_enter_a_database_of_ours(
    admin_url: str, database: str
) -> None:
    bootstrap_roles(admin_url, {"stranger": "pw"})
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        connect(role_url(admin_url, "stranger", "pw", database))


def test_a_copy_of_a_database_has_its_tables_and_its_closed_door(
    admin_url: str, passwords: dict[str, str], database: str
) -> None:
    owner = role_url(admin_url, "mvote_owner", passwords["mvote_owner"], database)
    with connect(owner) as connection:
        connection.execute("CREATE TABLE thing (id int)")
    create_database(admin_url, "mvote_copy", template=database)
    assert (
        value(role_url(owner, *_login(passwords), "mvote_copy"), "SELECT count(*) FROM thing") == 0
    )
    bootstrap_roles(admin_url, {"stranger": "pw"})
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        connect(role_url(admin_url, "stranger", "pw", "mvote_copy"))
    drop_database(admin_url, "mvote_copy")


def _login(passwords: dict[str, str]) -> tuple[str, str]:
    return "mvote_owner", passwords["mvote_owner"]


def test_a_database_is_dropped_with_whoever_is_connected(
    admin_url: str, passwords: dict[str, str]
) -> None:
    create_database(admin_url, "mvote_busy")
    with connect(role_url(admin_url, *_login(passwords), "mvote_busy")):
        drop_database(admin_url, "mvote_busy")
    drop_database(admin_url, "mvote_busy")


def test_a_test_run_drops_what_earlier_ones_left_but_the_newest_templates(
    admin_url: str, database: str
) -> None:
    names = [f"mvote_template_{number}" for number in (3, 1, 4, 5)]
    for name in names:
        create_database(admin_url, name, template=database)
    drop_leftovers(admin_url)
    left = "SELECT array_agg(datname ORDER BY oid) FROM pg_database WHERE datname LIKE 'mvote%'"
    assert value(admin_url, left) == names[1:]
    for name in names:
        drop_database(admin_url, name)


def test_a_running_server_is_left_as_it_is(admin_url: str) -> None:
    before = process()
    assert ensure_cluster(NAME) == admin_url
    assert process() == before


@pytest.mark.usefixtures("admin_url")
def test_a_server_whose_programs_were_replaced_is_restarted() -> None:
    before, note = process(), find(NAME).home / "running.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"programs": "older"}))
    ensure_cluster(NAME)
    assert process() != before


@pytest.mark.usefixtures("admin_url")
def test_a_killed_server_comes_up_though_another_process_has_its_number() -> None:
    cluster, pid = find(NAME), process()
    started = birth(pid)
    os.kill(pid, signal.SIGKILL)
    while birth(pid) == started:
        pass
    lock = cluster.data / "postmaster.pid"
    lock.write_text(lock.read_text().replace(str(pid), str(os.getpid()), 1))
    assert server.running(cluster) is None
    assert value(ensure_cluster(NAME), "SELECT 1") == 1


@pytest.mark.usefixtures("admin_url")
def test_a_copied_clone_does_not_take_the_originals_server_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, pid = find(NAME), process()
    copied = tmp_path / "var"
    shutil.copytree(os.environ["VAR_DIR"], copied, ignore=shutil.ignore_patterns("s", ".*"))
    monkeypatch.setenv("VAR_DIR", str(copied))
    copy = find(NAME)
    assert copy.home != original.home
    assert server.running(copy) is None
    remove_cluster(NAME)
    assert birth(pid)


@pytest.mark.usefixtures("admin_url")
def test_a_stopped_server_is_stopped_once() -> None:
    assert [stop_cluster(NAME), stop_cluster(NAME)] == [True, False]
    ensure_cluster(NAME)
