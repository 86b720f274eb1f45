"""Web servers beside each other, casting the same way: `make bench ARGS=servers`."""

from __future__ import annotations

import sys

from flask import Flask

from ops.bench.casting import Stand
from ops.bench.polls import CIRCLE, RESIDENTS, open_a_poll
from ops.bench.serving import PORT, serving
from ops.bench.stage import Installation
from ops.bench.voters import register_voters
from ops.machine import say

WARM_UP_S, SECONDS, FASTEST = 3, 8, 5_000


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
    ours = [*gunicorn, "-k", "api.worker.Worker"]
    return {
        "granian, 2 × 8 threads": [*granian, *_words(2, 8), "wsgi:app"],
        "granian, 2 × 32 threads": [*granian, *_words(2, 32), "wsgi:app"],
        "gunicorn gthread, 2 × 32 threads": [*gthread, "-w", "2", "--threads", "32", "wsgi:app"],
        "gunicorn, our gevent worker, 2": [*ours, "-w", "2", "wsgi:app"],
        "gunicorn gevent, 2": [*gevent, "-w", "2", "wsgi:app"],
        "gunicorn gevent, 3": [*gevent, "-w", "3", "wsgi:app"],
    }


def _words(workers: int, threads: int) -> list[str]:
    return ["--workers", str(workers), "--blocking-threads", str(threads)]


def compare(here: Installation, app: Flask) -> None:
    """Print a table: casts a second, 99th percentile, memory of a worker, by server."""
    poll = open_a_poll(here, app, eligibility=RESIDENTS, presence=CIRCLE)
    say("| server | casts a second | p99 ms | CPU µs | MiB |\n|---|---:|---:|---:|---:|")
    for name, words in candidates().items():
        with serving(here, words) as server:
            stand = Stand(here, app, server, [poll])
            for seconds in (WARM_UP_S, SECONDS):  # the last counts
                voters = register_voters(here, app, FASTEST * seconds)
                run = stand.cast(voters, seconds)
            speed, p99, cost = run.per_second, run.p99_ms, run.cost.total
            mib = server.worker_mib()
        say(f"| {name} | {speed:,.0f} | {p99:.0f} | {cost:.0f} | {mib:.0f} |")
