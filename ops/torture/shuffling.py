"""kill -9 of shufflers in the middle of a batch, while voters cast."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psycopg

from ops.bench.serving import serving
from ops.bench.stage import Installation
from ops.machine import ROOT
from ops.torture.load import Load
from ops.torture.scene import Account, Scene, account, free_port

IDLE = 10.0  # seconds: a shuffler that writes nothing for so long has nothing to do
LATER = 0.02  # at most so many seconds after a batch was begun it is killed
AT_LEAST = 10  # are caught, even if all have cast before
WRITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE usename = 'mvote_shuffler'"
    " AND datname = current_database() AND backend_xid IS NOT NULL"
)
JOIN = 600.0


def kill_shufflers(
    here: Installation, *, ballots: int, at_least: int = AT_LEAST
) -> tuple[Account, Load, int]:
    """Voters cast; one shuffler after the other is killed; the last one may finish.

    How many were killed in the middle of a batch."""
    scene = Scene.set(here)
    casters = scene.casters(ballots)
    with serving(here, port=free_port()) as web:
        load = Load(web.port, scene.poll_id, scene.app.extensions["tokens"])
        done = load.begin(casters)
        killed = _kill_until(here, done.done, at_least)
        done.result(JOIN)
    scene.end_voting()
    killed += _kill_until(here, lambda: _state(scene) != "open", 1)
    scene.close()
    return account(scene, casters, load.given), load, killed


def _kill_until(here: Installation, enough: Callable[[], bool], at_least: int) -> int:
    """Start shufflers, and kill each in the middle of a batch; how many were caught so."""
    caught = 0
    while caught < at_least or not enough():
        words = [sys.executable, "jobs.py", "shuffler"]
        log = here.settings.var / "shuffler.log"
        with log.open("ab") as output:
            shuffler = subprocess.Popen(
                words, cwd=ROOT, env=here.process_environment(), stdout=output, stderr=output
            )
        writes = _await_writing(here)
        threading.Event().wait(random.uniform(0, LATER))  # noqa: S311
        shuffler.kill()
        shuffler.wait()
        if not writes:
            break
        caught += 1
    return caught


def _await_writing(here: Installation) -> bool:
    """Return once the shuffler is inside a transaction that writes; False if it has no reason."""
    deadline = time.monotonic() + IDLE
    with psycopg.connect(here.admin_url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            row = connection.execute(WRITING).fetchone()
            if row and row[0]:
                return True
            threading.Event().wait(0.001)
    return False


def _state(scene: Scene) -> str:
    with psycopg.connect(scene.here.admin_url) as connection:
        row = connection.execute("SELECT state FROM poll WHERE id = %s", [scene.poll_id]).fetchone()
    return str(row[0]) if row else ""
