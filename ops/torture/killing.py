"""kill -9, of PostgreSQL and of web workers, while voters cast."""

from __future__ import annotations

import random
import sys
import threading

from ops.bench.serving import Server, serving
from ops.bench.stage import Installation
from ops.cluster import ensure_cluster
from ops.machine import ROOT
from ops.torture.load import Load
from ops.torture.report import Line
from ops.torture.scene import Account, Scene, account, free_port, kill, kill_postgres

EVERY = 0.2  # seconds between two workers killed
JOIN = 600.0


def kill_postgres_under_load(
    here: Installation, cluster: str, *, rounds: int, ballots: int
) -> tuple[Account, Load]:
    """So many rounds with so many ballots each; PostgreSQL is killed in the middle of each."""
    scene = Scene.set(here)
    casters = scene.casters(rounds * ballots)
    with serving(here, port=free_port()) as server:
        load = _load(scene, server)
        for start in range(0, len(casters), ballots):
            before = len(load.given)
            done = load.begin(casters[start : start + ballots])
            load.wait_for(before + random.randint(ballots // 10, ballots * 8 // 10))  # noqa: S311
            kill_postgres(cluster)
            ensure_cluster(cluster)
            done.result(JOIN)
    scene.close()
    return account(scene, casters, load.given), load


def kill_workers_under_load(
    here: Installation, *, ballots: int, most: int = sys.maxsize
) -> tuple[Account, Load, int]:
    """A web worker is killed every 200 ms until all have cast; how many were, *most* at most."""
    scene = Scene.set(here)
    casters, port = scene.casters(ballots), free_port()
    words = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "3"]
    words += ["--config", str(ROOT / "ops/torture/preloaded.py")]
    with serving(here, words, port) as server:
        load, ended, killed = _load(scene, server), threading.Event(), [0]
        killer = threading.Thread(target=_kill_workers, args=[server, ended, killed, most])
        done = load.begin(casters)
        killer.start()
        try:
            done.result(JOIN)
        finally:
            load.give_up()
            ended.set()
            killer.join()
    scene.close()
    return account(scene, casters, load.given), load, killed[0]


def _kill_workers(server: Server, ended: threading.Event, killed: list[int], most: int) -> None:
    while not ended.wait(EVERY) and killed[0] < most:
        workers = [pid for pid in server.workers() if pid != server.child.process.pid]
        if workers:
            kill(random.choice(workers))  # noqa: S311
            killed[0] += 1


def _load(scene: Scene, server: Server) -> Load:
    return Load(server.port, scene.poll_id, scene.app.extensions["tokens"])


def lines(name: str, found: Account, load: Load, killed: str) -> list[Line]:
    """What the table says of it."""
    unknown = load.answers["no answer"] + load.answers["503"]
    return [
        Line(f"kill -9 of {name}", f"{killed}; {found.acknowledged:,} acknowledged"),
        Line("  asked again after no answer or 503", f"{unknown:,}"),
        Line("  lost, double", f"{found.lost}, {found.doubled}", "0, 0", holds=found.holds),
        Line("  other answers", f"{len(load.refusals)}", "0", holds=not load.refusals),
    ]
