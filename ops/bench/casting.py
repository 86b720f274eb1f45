"""Casts over HTTP with everything on, by distinct voters, through wrk."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask

from ops.bench.processor import Spent, spent
from ops.bench.serving import Server
from ops.bench.stage import Installation
from ops.bench.voters import write_ballots
from ops.machine import SetupError

SCRIPTS = Path(__file__).parent
CONNECTIONS, CROWD = 64, 192


@dataclass(frozen=True)
class Run:
    """One run of the load: how many ballots were recorded, and what each of them cost."""

    recorded: int
    seconds: float
    p50_ms: float
    p99_ms: float
    #: microseconds of processor time for each cast
    cost: Spent

    @property
    def per_second(self) -> float:
        return self.recorded / self.seconds


@dataclass(frozen=True)
class Flood:
    """A run with more connections than are let in, all of which wait when told to."""

    recorded: int
    refused: int
    seconds: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.recorded / self.seconds


@dataclass(frozen=True)
class Stand:
    """Where is cast: the installation, its web server, and the polls, which take turns."""

    here: Installation
    app: Flask
    server: Server
    polls: Sequence[uuid.UUID]

    def cast(self, voters: Sequence[uuid.UUID], seconds: float) -> Run:
        """Let *voters* cast for so long. Refuses a run in which anything was refused or lost."""
        before, began = participations(self.here), spent(self.server.child.process.pid)
        said = self._load("cast.lua", [], voters, seconds, CONNECTIONS)
        recorded = participations(self.here) - before
        if said["refused"] or said["lost"] or said["answered"] > said["asked"] + 1:
            raise SetupError(f"not every ballot was taken, or there were too few: {said}")
        if not said["answered"] - 1 <= recorded <= said["asked"]:
            raise SetupError(f"{recorded} participations, but {said}")
        cost = spent(self.server.child.process.pid).since(began).each(recorded)
        return Run(recorded, said["seconds"], said["p50_ms"], said["p99_ms"], cost)

    def flood(self, voters: Sequence[uuid.UUID], seconds: float) -> Flood:
        """As `cast`, with thrice the connections; whoever is refused waits as long as told."""
        before = participations(self.here)
        said = self._load("overload.lua", [str(SCRIPTS)], voters, seconds, CROWD)
        recorded = participations(self.here) - before
        if said["other"] or said["unsaid"] or said["lost"]:
            raise SetupError(f"an answer that is neither receipt nor honest refusal: {said}")
        if not said["s201"] <= recorded <= said["s201"] + CROWD:
            raise SetupError(f"{recorded} participations, but {said}")
        return Flood(recorded, said["s429"] + said["s503"], said["seconds"], said["p99_ms"])

    def _load(
        self,
        script: str,
        arguments: Sequence[str],
        voters: Sequence[uuid.UUID],
        seconds: float,
        connections: int,
    ) -> dict[str, Any]:
        ballots = self.here.settings.var / "ballots.txt"
        write_ballots(ballots, self.app, voters, self.polls)
        words = ["wrk", "--threads", "1", "--connections", str(connections), "--latency"]
        words += ["--timeout", "20s", "--duration", f"{seconds:.0f}s"]
        words += ["--script", str(SCRIPTS / script), self.server.address, "--", *arguments]
        done = subprocess.run([*words, str(ballots)], capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                return dict(json.loads(line))
        raise SetupError(f"wrk ended without figures. {done.stderr.strip()}")


def participations(installation: Installation) -> int:
    """How many have taken part in whatever poll, as a superuser sees it."""
    with psycopg.connect(installation.admin_url) as connection:
        found = connection.execute("SELECT count(*) FROM participation").fetchone()
    return int(found[0]) if found else 0
