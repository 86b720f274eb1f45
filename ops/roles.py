"""Roles and databases on a PostgreSQL of which the superuser's URL is known.

Roles belong to the whole cluster and are named once for all: migrations grant rights to them.
"""

import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ops.machine import only_one, var_dir
from ops.place import find

OWNER = "mvote_owner"  # owns the database and runs the migrations
LOGINS = {
    "API_DATABASE_URL": "mvote_api",
    "SHUFFLER_DATABASE_URL": "mvote_shuffler",
    "COUNTER_DATABASE_URL": "mvote_counter",
    "AUDITOR_DATABASE_URL": "mvote_auditor",
}
ROLES = (OWNER, *LOGINS.values())
POWERS = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
LOCK = 0x6D766F7465  # "mvote" in ASCII: the advisory lock for all that is cluster-wide

LOCKS = tuple(
    f"pg_{kind}({key})"
    for kind in (
        "advisory_lock", "advisory_lock_shared", "advisory_xact_lock", "advisory_xact_lock_shared",
        "try_advisory_lock", "try_advisory_lock_shared", "try_advisory_xact_lock",
        "try_advisory_xact_lock_shared",
    )
    for key in ("bigint", "integer, integer")
)  # fmt: skip
LOCKS_OF_ROLES = {
    # what casts, closes and governs runs as the owner
    OWNER: (
        "pg_advisory_xact_lock(bigint)",
        "pg_advisory_xact_lock_shared(bigint)",
        "pg_try_advisory_xact_lock_shared(bigint)",
    ),
    # one at a time: the same request, an author's polls, an act of two officers, the demo's load
    "mvote_api": ("pg_advisory_xact_lock(bigint)", "pg_advisory_lock(bigint)"),
    # one at a time: a log's writer, its signer
    "mvote_shuffler": ("pg_advisory_xact_lock(bigint)", "pg_try_advisory_xact_lock(bigint)"),
}

Connection = psycopg.Connection[tuple[object, ...]]


def role_url(url: str, role: str, password: str, database: str | None = None) -> str:
    """The same server's URL for another role, and for another database if one is named."""
    parts = urlsplit(url)
    address = f"{quote(role)}:{quote(password, safe='')}@{parts.netloc.rpartition('@')[2]}"
    path = parts.path if database is None else f"/{quote(database)}"
    return urlunsplit(("postgresql", address, path, parts.query, ""))


def database_urls(url: str, passwords: Mapping[str, str], database: str) -> dict[str, str]:
    """The five variables of the application's configuration, for one database."""
    names = {"DATABASE_URL": OWNER, **LOGINS}
    return {
        variable: role_url(url, role, passwords[role], database) for variable, role in names.items()
    }


def role_passwords(cluster_name: str = "pg") -> dict[str, str]:
    """The roles' passwords on a cluster of this clone, made at random when first asked for."""
    with only_one(var_dir() / f".{cluster_name}.passwords"):
        cluster = find(cluster_name)
        file = cluster.home / "roles.json"
        known: dict[str, str] = json.loads(cluster.owner.read(file) or "{}")
        wanted = {role: known.get(role) or secrets.token_urlsafe(24) for role in ROLES}
        if wanted != known:
            cluster.owner.write(file, json.dumps(wanted))
        return wanted


def connect(url: str, database: str | None = None) -> Connection:
    """An autocommit connection; the URL may name SQLAlchemy's driver."""
    scheme, separator, rest = url.partition("://")
    plain = f"{scheme.partition('+')[0]}{separator}{rest}"
    return psycopg.connect(
        make_conninfo(plain, dbname=database), autocommit=True, connect_timeout=10
    )


@contextlib.contextmanager
def _alone(admin_url: str) -> Iterator[Connection]:
    """One at a time on the whole cluster, whichever databases the callers are about."""
    with connect(admin_url, "postgres") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield connection  # the lock ends with the session


def bootstrap_roles(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Create the roles that are missing and set every password. Safe from many processes."""
    with _alone(admin_url) as connection:
        for role, password in passwords.items():
            set_role(connection, role, password)


def set_role(connection: Connection, role: str, password: str) -> None:
    """Create or alter one role. The server gets a SCRAM verifier, never the password itself."""
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verifier = connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    statement = sql.SQL("{} ROLE {} {} PASSWORD {}").format(
        sql.SQL("ALTER" if known else "CREATE"),
        sql.Identifier(role),
        sql.SQL(POWERS),
        sql.Literal(verifier),
    )
    connection.execute(statement)


def create_database(admin_url: str, name: str, template: str | None = None) -> bool:
    """Make a database of `mvote_owner`, with PostGIS, closed to all but the roles.

    A `template` (a database of ours that nobody is connected to) is copied. Returns False, and
    only repairs the rights, when the database is there already.
    """
    with _alone(admin_url) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        made = known.fetchone() is None
        if made:
            _create(connection, name, template)
        _close_to_others(connection, name)
        if template is None:
            _equip(admin_url, name)
        return made


def _create(connection: Connection, name: str, template: str | None) -> None:
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
            *(sql.Identifier(word) for word in (name, OWNER, template or "template1"))
        )
    )


def _close_to_others(connection: Connection, name: str) -> None:
    database = sql.Identifier(name)
    roles = sql.SQL(", ").join(sql.Identifier(role) for role in LOGINS.values())
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, roles))


def _equip(admin_url: str, name: str) -> None:
    with connect(admin_url, name) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        for statement in lock_grants():
            connection.execute(statement)


def lock_grants() -> Iterator[sql.Composed]:
    """Take advisory locks from all but those whose statements need them (docs/security.md).

    For a superuser, in the database in question: the functions are PostgreSQL's own.
    """
    public, locks = sql.SQL("PUBLIC"), sql.SQL(", ").join(map(sql.SQL, LOCKS))
    yield sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM {}").format(locks, public)
    for role, held in LOCKS_OF_ROLES.items():
        yield sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(
            sql.SQL(", ").join(map(sql.SQL, held)), sql.Identifier(role)
        )


def drop_database(admin_url: str, name: str) -> None:
    """Drop a database, if it is there, and end the sessions in it."""
    with connect(admin_url, "postgres") as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
