"""A city of its own for the demo: database, keystore and application, as `make run` has them."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from click.testing import Result
from flask import Flask

from api.app import create_app
from api.db import db
from api.settings import Settings, read_settings
from tests.support.contract import CheckedClient
from tests.support.database import ROOT, TestCluster
from tests.support.waiting import at_leisure
from verifier.mvote_verify import recount

LOGINS = ("owner", "api", "shuffler", "counter", "auditor")


@dataclass
class City:
    """A development set-up, which `flask --app wsgi …` is run on."""

    app: Flask
    settings: Settings
    admin_url: str

    def run(self, *words: str, **more: Any) -> Result:
        """`flask --app wsgi …`, within this process."""
        result = self.app.test_cli_runner().invoke(args=list(words), **more)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def run_and_kill(self, *words: str, after: str) -> None:
        """`flask --app wsgi …` in a process that is killed once it says *after*."""
        environment = os.environ | self.environment()
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            said = iter(process.stdout)
            assert any(after in line for line in said), "it ended before"
            process.kill()

    def environment(self) -> dict[str, str]:
        """What makes another process run on this city."""
        names = {"owner": "DATABASE_URL"} | {
            each: f"{each.upper()}_DATABASE_URL" for each in LOGINS[1:]
        }
        urls = {name: getattr(self.settings, f"{each}_url") for each, name in names.items()}
        return urls | {"VAR_DIR": str(self.settings.var)}

    def client(self) -> CheckedClient:
        """A client without a token."""
        client = self.app.test_client()
        assert isinstance(client, CheckedClient)
        return client

    def headers(self, *options: str) -> dict[str, str]:
        """Of a citizen as `flask token` makes one with these *options*."""
        token = self.run("token", *options).stdout.strip()
        return {"Authorization": f"Bearer {token}"}

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What a superuser sees."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            return connection.execute(query, parameters).fetchall()

    def content(self) -> dict[str, str]:
        """A digest of every table with rows in it."""
        tables = self.rows("SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public'")
        digests = {}
        for (table,) in tables:
            rows = self.rows(f'SELECT t::text FROM "{table}" AS t ORDER BY 1')  # noqa: S608
            if rows:
                digests[table] = hashlib.sha256(repr(rows).encode()).hexdigest()
        return digests

    def end_voting(self, poll_id: str) -> None:
        """Let the poll's time be over now, by the database's clock."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")  # past the guard
            connection.execute(
                "UPDATE poll SET closes_at = clock_timestamp() WHERE id = %s", [poll_id]
            )


@contextmanager
def a_city(cluster: TestCluster, label: str, var: Path) -> Iterator[City]:
    """A migrated database with nothing in it, and an application on it."""
    database = cluster.clone(label)
    urls = {f"{login}_url": cluster.url(f"mvote_{login}", database) for login in LOGINS}
    base = read_settings({"MVOTE_ENV": "development", "VAR_DIR": str(var)})
    settings = replace(base, **urls)  # type: ignore[arg-type]
    app = create_app(settings, recount=recount)
    app.test_client_class = CheckedClient
    at_leisure(app)
    logging.getLogger("mvote").setLevel(logging.WARNING)
    try:
        yield City(app, settings, cluster.admin(database))
    finally:
        with app.app_context():
            db.engine.dispose()
        cluster.drop(database)
