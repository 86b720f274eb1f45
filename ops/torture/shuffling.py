"""kill -9 of the shuffler at random moments while voters cast and batches are shuffled."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Callable

import psycopg

from ops.bench.serving import serving
from ops.bench.stage import Installation
from ops.machine import ROOT
from ops.torture.load import Load
from ops.torture.scene import Account, Scene, account, free_port

SOONEST, LATEST = 0.6, 2.5  # seconds that a shuffler lives; it takes half a second to start
AT_LEAST = 10  # are killed, even if all have cast before
JOIN = 600.0


def kill_shufflers(
    here: Installation, *, ballots: int, at_least: int = AT_LEAST
) -> tuple[Account, Load, int]:
    """Voters cast; one shuffler after the other is killed; the last one may finish. How many."""
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
    killed = 0
    while killed < at_least or not enough():
        words = [sys.executable, "jobs.py", "shuffler"]
        log = here.settings.var / "shuffler.log"
        with log.open("ab") as output:
            shuffler = subprocess.Popen(
                words, cwd=ROOT, env=here.process_environment(), stdout=output, stderr=output
            )
        threading.Event().wait(random.uniform(SOONEST, LATEST))  # noqa: S311 - its life
        shuffler.kill()
        shuffler.wait()
        killed += 1
    return killed


def batches(here: Installation) -> int:
    """How many batches were shuffled by those that were killed."""
    return (here.settings.var / "shuffler.log").read_text("utf-8").count('"message":"shuffled"')


def _state(scene: Scene) -> str:
    with psycopg.connect(scene.here.admin_url) as connection:
        row = connection.execute("SELECT state FROM poll WHERE id = %s", [scene.poll_id]).fetchone()
    return str(row[0]) if row else ""
