"""Throw-away databases: one template for the migrations as they are, one clone for each worker."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import make_url

from ops.cluster import ensure_cluster
from ops.roles import bootstrap_roles, create_database, drop_database, role_passwords, role_url

ROOT = Path(__file__).resolve().parents[2]


class TestCluster:
    """The private cluster of the tests, its roles, and its databases."""

    __test__ = False

    def __init__(self) -> None:
        self.admin_url = ensure_cluster("pg-test")
        self.passwords = role_passwords("pg-test")
        bootstrap_roles(self.admin_url, self.passwords)

    def url(self, role: str, database: str) -> str:
        """The URL of *database* for the login *role*, as SQLAlchemy wants it."""
        url = role_url(self.admin_url, role, self.passwords[role], database)
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    def admin(self, database: str) -> str:
        """The superuser's URL of *database*, for psycopg."""
        return role_url(self.admin_url, *_superuser(self.admin_url), database)

    def template(self) -> str:
        """A migrated database to clone; made once for the migrations as they are now."""
        name = f"mvote_template_{_fingerprint()}"
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(70707)")
            if not _exists(connection, name):
                draft = f"mvote_draft_{secrets.token_hex(4)}"
                create_database(self.admin_url, draft)
                self.migrate(draft)
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                connection.execute(rename.format(sql.Identifier(draft), sql.Identifier(name)))
        return name

    def clone(self, label: str) -> str:
        """A fresh database with all tables, empty."""
        name = f"mvote_{label}_{secrets.token_hex(4)}"
        create_database(self.admin_url, name, template=self.template())
        return name

    def empty(self, label: str) -> str:
        """A fresh database without any migration."""
        name = f"mvote_{label}_{secrets.token_hex(4)}"
        create_database(self.admin_url, name)
        return name

    def migrate(self, database: str, to: str = "head") -> None:
        """Upgrade *database*."""
        command.upgrade(self.alembic(database), to)

    def alembic(self, database: str) -> Config:
        """Alembic's configuration for *database*."""
        config = Config(toml_file=ROOT / "pyproject.toml")
        config.attributes["url"] = self.url("mvote_owner", database)
        return config

    def drop(self, database: str) -> None:
        """Remove *database*, with whoever is still connected."""
        drop_database(self.admin_url, database)


def without_database(url: str) -> str:
    """The same server and login, but a database that is not there."""
    return make_url(url).set(database="nothing_at_all").render_as_string(hide_password=False)


def _superuser(url: str) -> tuple[str, str]:
    info = psycopg.conninfo.conninfo_to_dict(url)
    return str(info["user"]), str(info["password"])


def _exists(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return found.fetchone() is not None


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted((ROOT / "migrations").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
