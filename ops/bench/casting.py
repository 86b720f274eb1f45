"""Casts over HTTP with everything on, by distinct voters, through wrk."""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from flask import Flask

from ops.bench.stage import Installation
from ops.bench.voters import write_ballots
from ops.machine import SetupError

SCRIPT = Path(__file__).parent / "cast.lua"
CONNECTIONS = 64
LONGEST = 120  # seconds


@dataclass(frozen=True)
class Run:
    """One run of the load: so many ballots, all cast by voters of their own."""

    recorded: int
    refused: int
    lost: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float

    @property
    def per_second(self) -> float:
        return self.recorded / self.seconds


def cast_all(
    installation: Installation,
    app: Flask,
    poll_id: uuid.UUID,
    voters: Sequence[uuid.UUID],
    address: str,
    connections: int = CONNECTIONS,
) -> Run:
    """Let each of the *voters* cast; refuses a run in which not every ballot is in the box."""
    ballots = installation.settings.var / "ballots.txt"
    write_ballots(ballots, app, voters)
    before = participations(installation, poll_id)
    run = _load(ballots, poll_id, len(voters), address, connections)
    kept = participations(installation, poll_id) - before
    if (run.recorded, kept) != (len(voters), len(voters)):
        raise SetupError(f"{len(voters)} ballots, but {kept} participations: {run}")
    return run


def _load(ballots: Path, poll_id: uuid.UUID, count: int, address: str, connections: int) -> Run:
    words = ["wrk", "--threads", "1", "--connections", str(connections), "--timeout", "20s"]
    words += ["--duration", f"{LONGEST}s", "--script", str(SCRIPT), address]
    words += ["--", str(ballots), str(poll_id), str(count)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        for line in process.stdout:
            if line == "finished\n":
                process.send_signal(signal.SIGINT)
            if line.startswith("{"):
                return Run(**json.loads(line))
    raise SetupError("wrk ended without figures.")


def participations(installation: Installation, poll_id: uuid.UUID) -> int:
    """How many have taken part, as a superuser sees it."""
    with psycopg.connect(installation.admin_url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM participation WHERE poll_id = %s", [poll_id]
        ).fetchone()
    return int(found[0]) if found else 0


def median_of(runs: Sequence[Run]) -> Run:
    """The run in the middle by casts per second."""
    middle = statistics.median_low(run.per_second for run in runs)
    return next(run for run in runs if run.per_second == middle)
