"""Where is measured: a private cluster, and installations of mvote that are thrown away."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from alembic import command as alembic
from alembic.config import Config
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.app import create_app
from api.db import new_engine, transaction
from api.holders import open_keystore
from api.keys import make_missing_keys
from api.settings import Settings, read_settings
from geo.korea import import_korea
from mvote.ballotbox.keystore import HOLDERS, DirectoryKeystore, Holder
from mvote.ballotbox.stock import fill_stock
from ops.cluster import ensure_cluster, remove_cluster
from ops.machine import ROOT, var_dir
from ops.roles import (
    bootstrap_roles,
    create_database,
    database_urls,
    drop_database,
    role_passwords,
)

CLUSTER = "pg-bench"
TEMPLATE = "bench_template"
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL")


@dataclass(frozen=True)
class Installation:
    """One database with all tables, with keys and settings of its own, as in production."""

    admin_url: str  #: the superuser's address of this database
    environ: Mapping[str, str]  #: the configuration, as processes get it

    @cached_property
    def settings(self) -> Settings:
        """The configuration, read."""
        return read_settings(self.environ)

    def keystore(self, holder: Holder) -> DirectoryKeystore:
        """The keystore of one holder."""
        return open_keystore(self.settings, holder)

    @contextlib.contextmanager
    def acting_as(self, role: str) -> Iterator[Session]:
        """A transaction with the login of a role (owner, api, shuffler, counter), in no hurry."""
        engine = self.engine(role)
        try:
            with Session(engine) as session, transaction(session):
                yield session
        finally:
            engine.dispose()

    def engine(self, role: str) -> Engine:
        """An engine with the login of a role; its statements may take long."""
        url: str = getattr(self.settings, f"{role}_url")
        return new_engine(url, connect_args={"options": "-c timezone=UTC"})

    def process_environment(self) -> dict[str, str]:
        """For a process on this installation: nothing of the caller's configuration."""
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return kept | {"PYTHONUNBUFFERED": "1"} | dict(self.environ)


@dataclass(frozen=True)
class Stage:
    """The cluster, with a migrated database to copy."""

    admin_url: str
    passwords: Mapping[str, str]
    folder: Path

    @contextlib.contextmanager
    def installation(self, name: str) -> Iterator[Installation]:
        """A fresh installation, ready to open polls; gone at the end."""
        create_database(self.admin_url, name, template=TEMPLATE)
        try:
            made = Installation(_address(self.admin_url, name), self._environ(name))
            for holder in HOLDERS:
                made.keystore(holder)
            make_missing_keys(made.keystore("api"))
            with made.acting_as("counter") as session:
                fill_stock(session, made.keystore("counter"), wanted=2)
            yield made
        finally:
            drop_database(self.admin_url, name)

    def _environ(self, name: str) -> dict[str, str]:
        masters = {
            f"{holder.upper()}_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode()
            for holder in HOLDERS
        }
        fixed = {
            "MVOTE_ENV": "production",
            "PUBLIC_URL": "https://bench.invalid",
            "SMS_GATEWAY_URL": "https://messages.invalid",
            "SMS_GATEWAY_SECRET": secrets.token_hex(),
            "VAR_DIR": str(self.folder / name),
        }
        return database_urls(self.admin_url, self.passwords, name) | masters | fixed


@contextlib.contextmanager
def staged(cluster: str = CLUSTER) -> Iterator[Stage]:
    """A cluster with durable settings that nobody else uses, made anew and removed at the end."""
    folder = var_dir() / cluster.removeprefix("pg-")
    shutil.rmtree(folder, ignore_errors=True)
    remove_cluster(cluster)
    try:
        admin_url, passwords = ensure_cluster(cluster), role_passwords(cluster)
        bootstrap_roles(admin_url, passwords)
        create_database(admin_url, TEMPLATE)
        _prepare(database_urls(admin_url, passwords, TEMPLATE)["DATABASE_URL"])
        yield Stage(admin_url, passwords, folder)
    finally:
        remove_cluster(cluster)
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(owner_url: str) -> None:
    """All tables, and the areas of Seoul."""
    url = owner_url.replace("postgresql://", "postgresql+psycopg://", 1)
    config = Config(toml_file=ROOT / "pyproject.toml")
    config.attributes["url"] = url
    alembic.upgrade(config, "head")
    engine = new_engine(url)
    with Session(engine) as session, transaction(session):
        import_korea(session, sido="11")
    engine.dispose()


def _address(admin_url: str, database: str) -> str:
    return urlsplit(admin_url)._replace(path=f"/{database}").geturl()


def quiet_app(here: Installation) -> Flask:
    """The application of this process: to prepare, not to be measured."""
    app = create_app(here.settings)
    logging.getLogger("mvote").setLevel(logging.WARNING)
    return app
