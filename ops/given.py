"""A database that somebody else administers (`DATABASE_URL`): use it, ask for what is missing.

Everything missing is told at once, as the statements that its administrator has to run.
"""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from ops.environment import lines, read_env_file
from ops.machine import SetupError, say, var_dir, write_private
from ops.postgres import OLDEST
from ops.roles import LOGINS, Connection, connect, role_url, set_role


def prepare_given(url: str) -> dict[str, str]:
    """Make the database ready as far as its user may; the five URLs.

    Roles that are made here get random passwords, kept in `var/roles.env`. Raises SetupError.
    """
    try:
        connection = connect(url)
    except psycopg.Error as error:
        raise SetupError(f"DATABASE_URL cannot be used: {str(error).strip()}") from None
    with connection:
        if connection.info.server_version < OLDEST * 10000:
            raise SetupError(f"DATABASE_URL: the server is older than PostgreSQL {OLDEST}.")
        urls = _login_urls(url)
        missing = [*_postgis(connection), *_schema(connection), *_temporary(connection)]
        for variable, role in LOGINS.items():
            missing += _role(connection, url, urls, variable, role)
        if missing:
            raise SetupError(_request(connection, missing))
    _check(urls)
    _remember(url, _kept(url))
    return {"DATABASE_URL": url, **urls}


def _login_urls(url: str) -> dict[str, str]:
    """What is known of the four logins: from the environment, else made by an earlier run."""
    known = _kept(url)
    known |= {variable: os.environ[variable] for variable in LOGINS if os.environ.get(variable)}
    return known


def _kept(url: str) -> dict[str, str]:
    """The logins in `var/roles.env`, for this database if they are of this server."""
    kept = read_env_file(var_dir() / "roles.env")
    if _server(kept.get("DATABASE_URL", "")) != _server(url):
        return {}
    return {
        variable: role_url(url, role, unquote(urlsplit(kept[variable]).password or ""))
        for variable, role in LOGINS.items()
        if variable in kept
    }


def _server(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2], parts.query


def _one(connection: Connection, query: sql.SQL, *values: object) -> object:
    row = connection.execute(query, values).fetchone()
    return row[0] if row else None


def _postgis(connection: Connection) -> list[str]:
    if _one(connection, sql.SQL("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")):
        return []
    try:
        connection.execute("CREATE EXTENSION postgis")
    except psycopg.Error:
        return ["CREATE EXTENSION postgis;"]
    return []


def _schema(connection: Connection) -> list[str]:
    """The owner may make tables in `public`, everybody else may not."""
    user = sql.Identifier(connection.info.user).as_string(connection)
    may = sql.SQL("SELECT has_schema_privilege(%s, 'public', 'CREATE')")
    missing = []
    if not _one(connection, may, connection.info.user):
        missing.append(f"GRANT CREATE ON SCHEMA public TO {user};")
    return [*missing, *_taken_from_all(connection, may, "CREATE ON SCHEMA public")]


def _temporary(connection: Connection) -> list[str]:
    """No login makes temporary tables: one named like ours would stand before it in a trigger."""
    may = sql.SQL("SELECT has_database_privilege(%s, current_database(), 'TEMPORARY')")
    database = sql.Identifier(connection.info.dbname).as_string(connection)
    return _taken_from_all(connection, may, f"TEMPORARY ON DATABASE {database}")


def _taken_from_all(connection: Connection, may: sql.SQL, right: str) -> list[str]:
    """See that not everybody has a right. To revoke what others granted is at times no error."""
    statement = f"REVOKE {right} FROM PUBLIC"
    if not _one(connection, may, "public"):
        return []
    with suppress(psycopg.Error):
        connection.execute(statement.encode())
    return [f"{statement};"] if _one(connection, may, "public") else []


def _role(
    connection: Connection, url: str, urls: dict[str, str], variable: str, role: str
) -> list[str]:
    """See that one login exists and may connect; what is missing is returned as SQL."""
    known = _one(connection, sql.SQL("SELECT 1 FROM pg_roles WHERE rolname = %s"), role)
    if not known and variable not in urls:
        password = secrets.token_urlsafe(24)
        try:
            set_role(connection, role, password)
        except psycopg.errors.InsufficientPrivilege:
            return [f"CREATE ROLE {role} LOGIN PASSWORD '…';   -- then set {variable}"]
        urls[variable] = role_url(url, role, password)
        _remember(url, {**_kept(url), variable: urls[variable]})
    elif variable not in urls:
        return [f"ALTER ROLE {role} LOGIN PASSWORD '…';   -- it exists: set {variable}"]
    return _may_connect(connection, role)


def _may_connect(connection: Connection, role: str) -> list[str]:
    query = sql.SQL(
        "SELECT has_database_privilege(oid, current_database(), 'CONNECT') FROM pg_roles"
        " WHERE rolname = %s"
    )
    if _one(connection, query, role):
        return []
    statement = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
        sql.Identifier(connection.info.dbname), sql.Identifier(role)
    )
    try:
        connection.execute(statement)
    except psycopg.Error:
        return [f"{statement.as_string(connection)};"]
    return []


def _remember(url: str, made: Mapping[str, str]) -> None:
    """Keep the logins that we have made, and of which server, but no password we were given."""
    server, query = _server(url)
    place = urlunsplit(("postgresql", f"@{server}", urlsplit(url).path, query, ""))
    write_private(var_dir() / "roles.env", lines({"DATABASE_URL": place, **made}))


def _request(connection: Connection, missing: list[str]) -> str:
    statements = "\n  ".join(dict.fromkeys(missing))
    return (
        f"the database {connection.info.dbname!r} is not ready, and {connection.info.user!r} may"
        f" not make it so. Its administrator has to run there:\n  {statements}"
    )


def _check(urls: Mapping[str, str]) -> None:
    for variable, url in urls.items():
        if unquote(urlsplit(url).username or "") != LOGINS[variable]:
            raise SetupError(f"{variable} must log in as {LOGINS[variable]}: rights go by name.")
        try:
            connect(url).close()
        except psycopg.Error as error:
            raise SetupError(f"{variable} cannot be used: {str(error).strip()}") from None
    say("the given database and its four logins can be used")
