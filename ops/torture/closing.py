"""The closing barrier: sixteen write without pause while the poll is closed."""

from __future__ import annotations

import random
import statistics
import threading
import time
from dataclasses import dataclass, field

import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox.shuffling import close_poll
from mvote.ballotbox.slot import SlotRow, cast_ballots
from ops.bench.counting import sealed_rows
from ops.bench.stage import Installation
from ops.torture.report import Line
from ops.torture.scene import Scene

WRITERS = 16
BALLOTS = 480  # sealed for each round; most are still to be cast when the poll closes
LIMIT_MS = 250


@dataclass
class Barrier:
    """What was found over all rounds."""

    acknowledged: int = 0
    uncounted: int = 0  #: acknowledged, but not there
    unacknowledged: int = 0  #: there, but nobody was told so
    late: int = 0  #: came in after the state had flipped
    flips_ms: list[float] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return self.uncounted == self.unacknowledged == self.late == 0

    def percentile(self, percent: int) -> float:
        """Of the times from asking for the close to its commit."""
        if len(self.flips_ms) < 2:
            return max(self.flips_ms)
        cuts = statistics.quantiles(self.flips_ms, n=100, method="inclusive")
        return cuts[percent - 1]


def close_against_writers(here: Installation, *, rounds: int) -> Barrier:
    """Open, write, close; so many times, each with a poll of its own."""
    found, app = Barrier(), None
    writers, shuffler = here.engine("api"), here.engine("shuffler")
    for _ in range(rounds):
        scene = Scene.set(here, app)
        app = scene.app
        with app.app_context():
            rows = [row for part in sealed_rows(here, scene.poll_id, BALLOTS) for row in part]
        _one_round(scene, rows, found, writers=writers, shuffler=shuffler)
        scene.leave()
    writers.dispose()
    shuffler.dispose()
    return found


def _one_round(
    scene: Scene, rows: list[SlotRow], found: Barrier, *, writers: Engine, shuffler: Engine
) -> None:
    told: list[bytes] = []
    enough = threading.Event()
    at_least = random.randint(WRITERS, BALLOTS // 3)  # noqa: S311

    def write(mine: list[SlotRow]) -> None:
        for row in mine:
            with Session(writers) as session, transaction(session):
                [outcome] = cast_ballots(session, scene.poll_id, [row])
            if outcome == "recorded":
                told.append(row.tags.voter_tag)
            if len(told) >= at_least:
                enough.set()

    threads = [threading.Thread(target=write, args=[rows[n::WRITERS]]) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    enough.wait(60)
    scene.end_voting()
    began = time.perf_counter()
    with Session(shuffler) as session, transaction(session):
        close_poll(session, scene.poll_id)
    found.flips_ms.append((time.perf_counter() - began) * 1000)
    at_closing = scene.count("envelope")
    for thread in threads:
        thread.join()
    _compare(scene, told, at_closing, found)


def _compare(scene: Scene, told: list[bytes], at_closing: int, found: Barrier) -> None:
    with psycopg.connect(scene.here.admin_url) as connection:
        query = "SELECT voter_tag FROM participation WHERE poll_id = %s"
        stored = {bytes(tag) for (tag,) in connection.execute(query, [scene.poll_id])}
    found.acknowledged += len(told)
    found.uncounted += len(set(told) - stored)
    found.unacknowledged += len(stored - set(told))
    found.late += scene.count("envelope") - at_closing


def lines(found: Barrier) -> list[Line]:
    """What the table says of it."""
    p99 = found.percentile(99)
    amount = f"{len(found.flips_ms)} rounds, {found.acknowledged:,} acknowledged"
    return [
        Line(f"closing against {WRITERS} writers", amount),
        Line(
            "  acknowledged and uncounted, late",
            f"{found.uncounted}, {found.late}",
            "0, 0",
            holds=found.holds,
        ),
        Line("  state flipped, p50 ms", f"{found.percentile(50):.0f}"),
        Line("  state flipped, p99 ms", f"{p99:.0f}", f"< {LIMIT_MS}", holds=p99 < LIMIT_MS),
    ]
