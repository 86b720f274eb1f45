"""Where torture takes place: a poll, voters with keys of their own, and what became of it all."""

from __future__ import annotations

import os
import signal
import socket
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from flask import Flask

from api.app import create_app
from api.db import db
from jobs import shuffler_round
from mvote.ballotbox.sealing import tracker_of
from mvote.ballotbox.stock import fill_stock
from mvote.people.registering import register_many
from ops import server
from ops.bench.polls import open_a_poll
from ops.bench.serving import offspring
from ops.bench.stage import Installation
from ops.bench.voters import phone_numbers
from ops.children import gone
from ops.machine import SetupError, birth
from ops.place import find

AT_ONCE = 5_000
PATIENCE = 60.0  # seconds that a killed process may take to be gone


@dataclass(frozen=True)
class Caster:
    """A voter, and the random key K with which they cast."""

    citizen_id: uuid.UUID
    key: str

    def tracker(self, poll_id: uuid.UUID) -> str:
        """The tracker, as the voter's own device computes it."""
        return tracker_of(poll_id.bytes, self.citizen_id, self.key).hex()


@dataclass(frozen=True)
class Receipt:
    """What a voter was given: tracker and commitment, in hex."""

    tracker: str
    envelope_hash: str


@dataclass(frozen=True)
class Scene:
    """An installation with an open poll."""

    here: Installation
    app: Flask
    poll_id: uuid.UUID

    @classmethod
    def set(cls, here: Installation, app: Flask | None = None, **content: Any) -> Scene:
        """Open a poll."""
        app = app or create_app(here.settings)
        with here.acting_as("counter") as session:
            fill_stock(session, here.keystore("counter"), wanted=2)
        scene = cls(here, app, open_a_poll(here, app, **content))
        scene.leave()
        return scene

    def leave(self) -> None:
        """Give back this process's connections."""
        with self.app.app_context():
            db.engine.dispose()

    def casters(self, count: int) -> list[Caster]:
        """So many new voters."""
        made: list[Caster] = []
        for start in range(0, count, AT_ONCE):
            with self.here.acting_as("api") as session:
                phones = [f"+8210{next(phone_numbers)}" for _ in range(min(AT_ONCE, count - start))]
                ids = register_many(session, numbers=phones, phones=self.app.extensions["phones"])
                made += [Caster(citizen_id, uuid.uuid4().hex) for citizen_id in ids]
        return made

    def end_voting(self) -> None:
        """Let the poll's time be over, past the guard that forbids it."""
        with psycopg.connect(self.here.admin_url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(
                "UPDATE poll SET closes_at = clock_timestamp() WHERE id = %s", [self.poll_id]
            )

    def close(self) -> None:
        """End voting, and let the shuffler close the poll and shuffle what waits."""
        self.end_voting()
        engine = self.here.engine("shuffler")
        shuffler_round(engine, self.here.keystore("shuffler"))
        engine.dispose()

    def count(self, table: str) -> int:
        """How many rows the poll has in a table, as a superuser sees it."""
        with psycopg.connect(self.here.admin_url) as connection:
            query = f"SELECT count(*) FROM {table} WHERE poll_id = %s"  # noqa: S608
            row = connection.execute(query.encode(), [self.poll_id]).fetchone()
        return int(row[0]) if row else 0

    def logged(self) -> list[Receipt]:
        """The ballots of the log."""
        query = "SELECT data FROM log_entry WHERE poll_id = %s AND kind = 1"
        with psycopg.connect(self.here.admin_url) as connection:
            found = connection.execute(query, [self.poll_id]).fetchall()
        return [Receipt(bytes(data[:16]).hex(), bytes(data[16:]).hex()) for (data,) in found]


@dataclass(frozen=True)
class Account:
    """What was acknowledged, against what is in the log after closing."""

    acknowledged: int
    in_the_log: int
    lost: int
    doubled: int
    strange: int  #: entries that nobody's key belongs to, receipts of another's tracker

    @property
    def holds(self) -> bool:
        return self.lost == self.doubled == self.strange == 0


def account(scene: Scene, casters: Sequence[Caster], given: Mapping[Caster, Receipt]) -> Account:
    """Compare, once the poll is closed, each receipt with the log, and the log with the voters."""
    logged, known = scene.logged(), {caster.tracker(scene.poll_id) for caster in casters}
    wrong = sum(given[c].tracker != c.tracker(scene.poll_id) for c in given)
    return Account(
        acknowledged=len(given),
        in_the_log=len(logged),
        lost=len(set(given.values()) - set(logged)),
        doubled=_doubled(each.tracker for each in logged),
        strange=wrong
        + sum(each.tracker not in known for each in logged)
        + abs(scene.count("participation") - len(logged)),
    )


def _doubled(trackers: Iterable[str]) -> int:
    found = list(trackers)
    return len(found) - len(set(found))


def kill_postgres(name: str) -> None:
    """SIGKILL to every process of a cluster at once; returns when they are gone."""
    pid = server.running(find(name))
    if pid is None:
        raise SetupError(f"{name} does not run.")
    family = {each: birth(each) for each in (pid, *offspring(pid))}
    for each in family:
        kill(each)
    if not all(gone(each, started, PATIENCE) for each, started in family.items()):
        raise SetupError(f"{name} outlived SIGKILL.")


def kill(pid: int) -> None:
    """SIGKILL; fine if it has ended by itself."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
