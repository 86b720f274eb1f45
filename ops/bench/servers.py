"""Web servers beside each other, casting the same way: `make bench ARGS=servers`."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Sequence

from flask import Flask

from ops.bench import casting
from ops.bench.polls import CIRCLE, RESIDENTS, open_a_poll
from ops.bench.serving import PORT, serving
from ops.bench.stage import Installation
from ops.bench.voters import register_voters
from ops.machine import say

WARM_UP, VOTERS, RUNS = 2_000, 8_000, 2


def candidates() -> dict[str, list[str]]:
    """The commands that are compared, by name."""
    granian = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
        *("--port", str(PORT), "--no-ws", "--log-level", "error"),
    ]
    gunicorn = [
        *(sys.executable, "-m", "gunicorn", "--no-control-socket"),
        *("--bind", f"127.0.0.1:{PORT}", "--log-level", "error"),
    ]
    gthread, gevent = [*gunicorn, "-k", "gthread"], [*gunicorn, "-k", "gevent"]
    return {
        "granian, 2 × 8 threads": [*granian, *_words(2, 8), "wsgi:app"],
        "granian, 2 × 32 threads": [*granian, *_words(2, 32), "wsgi:app"],
        "gunicorn gthread, 2 × 32 threads": [*gthread, "-w", "2", "--threads", "32", "wsgi:app"],
        "gunicorn gevent, 2": [*gevent, "-w", "2", "wsgi:app"],
        "gunicorn gevent, 3": [*gevent, "-w", "3", "wsgi:app"],
    }


def _words(workers: int, threads: int) -> list[str]:
    return ["--workers", str(workers), "--blocking-threads", str(threads)]


def compare(here: Installation, app: Flask) -> None:
    """Print a table: casts a second, 99th percentile, memory of a worker, by server."""
    poll = open_a_poll(here, app, eligibility=RESIDENTS, presence=CIRCLE)
    say("| server | casts a second | p99 ms | MiB |\n|---|---:|---:|---:|")
    for name, words in candidates().items():
        figures, mib = _measured(here, app, poll_id=poll, words=words)
        middle = casting.median_of(figures)
        say(f"| {name} | {middle.per_second:,.0f} | {middle.p99_ms:.0f} | {mib:.0f} |")


def _measured(
    here: Installation, app: Flask, *, poll_id: uuid.UUID, words: Sequence[str]
) -> tuple[list[casting.Run], float]:
    voters = register_voters(here, app, WARM_UP + RUNS * VOTERS)
    with serving(here, words) as server:
        casting.cast_all(here, app, poll_id, voters[:WARM_UP], server.address)
        parts = [voters[start : start + VOTERS] for start in range(WARM_UP, len(voters), VOTERS)]
        runs = [casting.cast_all(here, app, poll_id, part, server.address) for part in parts]
        return runs, server.worker_mib()
