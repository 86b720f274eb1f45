"""A database that somebody else administers: what we make there, and what we ask for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from ops.cluster import ensure_cluster, remove_cluster
from ops.environment import read_env_file
from ops.given import prepare_given
from ops.machine import SetupError
from ops.roles import LOGINS, bootstrap_roles, connect, role_url

NAME = "pg-given"


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of somebody else's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAR_DIR", str(tmp_path_factory.mktemp("var")))
        yield ensure_cluster(NAME)
        remove_cluster(NAME)


@pytest.fixture
def given(admin_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The URL of a database there, of a user `city` who may do nothing else."""
    for variable in LOGINS:
        monkeypatch.delenv(variable, raising=False)
    with connect(admin_url) as connection:
        bootstrap_roles(admin_url, {"city": "pw"})
        connection.execute("CREATE DATABASE given OWNER city")
        monkeypatch.setenv("VAR_DIR", str(tmp_path))
        yield role_url(admin_url, "city", "pw", "given")
        connection.execute("DROP DATABASE given WITH (FORCE)")
        for role in ("city", *LOGINS.values()):
            connection.execute(f"DROP ROLE IF EXISTS {role}".encode())


def as_admin(admin_url: str, statement: str, database: str = "given") -> None:
    with connect(admin_url, database) as connection:
        connection.execute(statement.encode())


def roles_of_ours(admin_url: str) -> int:
    with connect(admin_url) as connection:
        query = "SELECT 1 FROM pg_roles WHERE rolname = ANY(%s)"
        return len(connection.execute(query, [list(LOGINS.values())]).fetchall())


def test_all_that_an_administrator_must_do_is_asked_for_at_once(admin_url: str, given: str) -> None:
    with pytest.raises(SetupError) as refusal:
        prepare_given(given)
    for statement in ("CREATE EXTENSION postgis;", *(f"CREATE ROLE {r}" for r in LOGINS.values())):
        assert statement in str(refusal.value)
    assert all(variable in str(refusal.value) for variable in LOGINS)
    assert roles_of_ours(admin_url) == 0


def test_roles_are_made_once_where_the_user_may_and_kept_to_ourselves(
    admin_url: str, given: str
) -> None:
    as_admin(admin_url, "CREATE EXTENSION postgis")
    as_admin(admin_url, "ALTER ROLE city CREATEROLE")
    urls = prepare_given(given.replace("postgresql://", "postgresql+psycopg://"))
    assert prepare_given(given) == urls | {"DATABASE_URL": given}
    file = Path(os.environ["VAR_DIR"]) / "roles.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_env_file(file) == {
        "DATABASE_URL": given.replace("city:pw@", "@"),
        **{variable: urls[variable] for variable in LOGINS},
    }
    for variable, role in LOGINS.items():
        with connect(urls[variable]) as connection:
            row = connection.execute("SELECT current_user, current_database()").fetchone()
            assert row == (role, "given")


def test_logins_that_the_administrator_has_made_are_used(
    admin_url: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_admin(admin_url, "CREATE EXTENSION postgis")
    bootstrap_roles(admin_url, dict.fromkeys(LOGINS.values(), "theirs"))
    with pytest.raises(SetupError, match="ALTER ROLE mvote_api LOGIN PASSWORD"):
        prepare_given(given)
    urls = {variable: role_url(given, role, "theirs") for variable, role in LOGINS.items()}
    for variable, url in urls.items():
        monkeypatch.setenv(variable, url)
    assert prepare_given(given) == {"DATABASE_URL": given, **urls}
    file = Path(os.environ["VAR_DIR"]) / "roles.env"
    assert "theirs" not in file.read_text(encoding="utf-8")


def test_no_login_makes_temporary_tables(admin_url: str, given: str) -> None:
    """One named `pg_class` or `poll` would deceive the guards: votes closed by the web's login."""
    as_admin(admin_url, "CREATE EXTENSION postgis")
    as_admin(admin_url, "ALTER ROLE city CREATEROLE")
    for variable, url in prepare_given(given).items():
        if variable in LOGINS:
            with connect(url) as connection, pytest.raises(InsufficientPrivilege):
                connection.execute("CREATE TEMPORARY TABLE poll (id uuid)")


def test_what_the_user_cannot_take_from_all_is_asked_for(admin_url: str, given: str) -> None:
    """PostgreSQL only warns where one who does not own a thing takes others' rights from it."""
    as_admin(admin_url, "ALTER DATABASE given OWNER TO CURRENT_USER")
    as_admin(admin_url, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    with pytest.raises(SetupError) as refusal:
        prepare_given(given)
    assert "REVOKE CREATE ON SCHEMA public FROM PUBLIC;" in str(refusal.value)
    assert 'REVOKE TEMPORARY ON DATABASE "given" FROM PUBLIC;' in str(refusal.value)


def test_a_login_of_another_name_is_refused(
    admin_url: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_admin(admin_url, "CREATE EXTENSION postgis")
    as_admin(admin_url, "ALTER ROLE city CREATEROLE")
    monkeypatch.setenv("COUNTER_DATABASE_URL", given)
    bootstrap_roles(admin_url, {"mvote_counter": "theirs"})
    with pytest.raises(SetupError, match="COUNTER_DATABASE_URL must log in as mvote_counter"):
        prepare_given(given)


def test_a_database_that_cannot_be_reached_is_a_sentence_not_a_traceback(given: str) -> None:
    with pytest.raises(SetupError, match="DATABASE_URL cannot be used"):
        prepare_given(given.replace("city:pw", "city:wrong"))


def test_the_password_is_not_told_when_the_database_refuses(given: str) -> None:
    with pytest.raises(SetupError) as refusal:
        prepare_given(given.replace("city:pw", "city:s3cret"))
    assert "s3cret" not in str(refusal.value)
    assert isinstance(refusal.value.__context__, psycopg.Error)
