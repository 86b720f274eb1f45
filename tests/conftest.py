"""Fixtures: a real PostgreSQL with PostGIS, the application on it, and a client that checks."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.access import access
from api.app import create_app
from api.db import db, new_engine
from api.holders import open_keystore
from api.settings import Settings, read_settings
from mvote.ballotbox.clerk import Clerk
from mvote.ballotbox.keystore import HOLDERS
from tests.support.committees import Hall
from tests.support.contract import CheckedClient
from tests.support.database import TestCluster
from tests.support.hostile import everything, no_trace
from tests.support.waiting import at_leisure, be_patient, wait_until
from tests.support.world import Person, World

KEPT_TABLES = ("alembic_version", "spatial_ref_sys")
# The same examples every day: a change is judged by what it changes. HYPOTHESIS=random: others.
# However long one takes: by default a machine that is busy for 200 ms would fail the test.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.load_profile(
    "unhurried" if os.environ.get("HYPOTHESIS") == "random" else "same"
)
be_patient()
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Name each operation's test apart: of those that are named alike xdist runs only the first."""
    if label := getattr(item, "operation_label", None):
        item._id = item.id.with_params(label)


@pytest.fixture(scope="session")
def cluster() -> TestCluster:
    """The tests' own PostgreSQL."""
    return TestCluster()


@pytest.fixture(scope="session")
def database(cluster: TestCluster, worker_id: str) -> Iterator[str]:
    """The name of this worker's database."""
    name = cluster.clone(worker_id)
    yield name
    cluster.drop(name)


@pytest.fixture(scope="session")
def settings(
    cluster: TestCluster, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """Settings of a test environment with keys and messages in a folder of their own."""
    var = tmp_path_factory.mktemp("var")
    base = read_settings({"MVOTE_ENV": "test", "VAR_DIR": str(var)})
    return replace(
        base,
        owner_url=cluster.url("mvote_owner", database),
        api_url=cluster.url("mvote_api", database),
        shuffler_url=cluster.url("mvote_shuffler", database),
        counter_url=cluster.url("mvote_counter", database),
        auditor_url=cluster.url("mvote_auditor", database),
    )


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    """The application, as `wsgi.py` makes it."""
    for holder in HOLDERS:
        open_keystore(settings, holder)
    app = create_app(settings)
    app.test_client_class = CheckedClient
    at_leisure(app)
    logging.getLogger("mvote").setLevel(logging.WARNING)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app_of() -> Iterator[Callable[..., Flask]]:
    """Makes apps of a test's own, with routes of its own."""
    made = []

    def make(settings: Settings, **views: Callable[[], Any]) -> Flask:
        app = create_app(settings)
        for name, view in views.items():
            app.add_url_rule(f"/{name}", endpoint=name, view_func=access("public")(view))
        made.append(app)
        return app

    yield make
    logging.getLogger("mvote").setLevel(logging.WARNING)  # as the fixture of the app has it
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="session")
def engines(settings: Settings) -> Iterator[dict[str, Engine]]:
    """An engine for each login: owner, api, shuffler, counter, auditor."""
    names = ("owner", "api", "shuffler", "counter", "auditor")
    made = {name: new_engine(getattr(settings, f"{name}_url"), pool_size=40) for name in names}
    yield made
    for engine in made.values():
        engine.dispose()


@pytest.fixture
def tidy(cluster: TestCluster, database: str) -> Iterator[None]:
    """Empties every table after the test; commits in tests are real."""
    yield
    with psycopg.connect(cluster.admin(database), autocommit=True) as connection:
        _empty_all(connection)


def _empty_all(connection: psycopg.Connection) -> None:
    tables = connection.execute(
        "SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public'"
    ).fetchall()
    connection.execute("SET session_replication_role = replica")  # no trigger, no foreign key
    for (name,) in tables:
        if name not in KEPT_TABLES:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))


@pytest.fixture
def client(app: Flask, tidy: None) -> Iterator[CheckedClient]:
    """A client without a token."""
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    yield client
    app.extensions["wiring"].watch.write_now()  # or the next test would find what this one noted


@pytest.fixture
def within_an_hour() -> None:
    """No hour begins in this test, and so no day either, be it in the city or in UTC.

    Some things are kept to the hour or to the day by the database's clock, which nobody can stop.
    So who comes in the last half minute of an hour waits for the next one.
    """
    wait_until(lambda: time.time() % 3600 < 3600 - 30)


@pytest.fixture
def session(app: Flask, engines: dict[str, Engine], tidy: None) -> Iterator[Session]:
    """A session with the privileges of the api role."""
    with Session(engines["api"]) as session:
        yield session


@pytest.fixture
def owner(engines: dict[str, Engine], tidy: None) -> Iterator[Session]:
    """A session of the database's owner."""
    with Session(engines["owner"]) as session:
        yield session


@pytest.fixture
def outbox(settings: Settings) -> Callable[[], list[dict[str, Any]]]:
    """Reads the text messages that were sent so far in this test."""
    path = settings.var / "outbox.jsonl"
    skipped = len(path.read_text().splitlines()) if path.exists() else 0

    def read() -> list[dict[str, Any]]:
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines[skipped:]]

    return read


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data with known answers, beside the project; skips where it is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """xdist's name of this worker, `main` without xdist."""
    workerinput = getattr(request.config, "workerinput", None)
    return str(workerinput["workerid"]) if workerinput else "main"


@pytest.fixture
def world(
    app: Flask,
    client: CheckedClient,
    engines: dict[str, Engine],
    settings: Settings,
    cluster: TestCluster,
    database: str,
) -> World:
    """People, polls and workers."""
    return World(app, client, engines, settings, cluster.admin(database))


@pytest.fixture
def clerk(world: World, tmp_path: Path) -> Clerk:
    """Who signs in this test, with the mark at `keys/mark` of the test's folder."""
    world.clerk = world.new_clerk(tmp_path / "keys" / "mark")
    return world.clerk


@pytest.fixture
def caller(world: World) -> dict[str, str]:
    """The headers of somebody who may do everything."""
    return everything(world).headers


@pytest.fixture
def untouched(world: World, caller: dict[str, str]) -> Iterator[World]:
    """The world; what a test sends to it must leave no trace."""
    with no_trace(world):
        yield world


@pytest.fixture
def hall(world: World) -> Hall:
    """Committees, as their people form and fill them."""
    return Hall(world)


@pytest.fixture
def people(hall: Hall) -> list[Person]:
    """Three women and three men."""
    return [hall.citizen(gender) for gender in ("female", "male") * 3]
