"""`make bench`: measures, prints a table, and writes `var/bench.json`.

Everything runs on this machine at once: web server, PostgreSQL and the load. Names of measures
after the command choose some of them: `make bench ARGS='casting slot'`.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable

from flask import Flask

from api.app import create_app
from ops.bench import casting, counting, log, nearby, servers, slot
from ops.bench.polls import CIRCLE, RESIDENTS, open_a_poll
from ops.bench.serving import serving
from ops.bench.stage import Installation, Stage, staged
from ops.bench.voters import register_voters
from ops.machine import ROOT, SetupError, say, var_dir

WARM_UP, VOTERS, RUNS = 2_000, 12_000, 3
COUNTED, MILLION = 100_000, 1_000_000
FEW, MANY = 1_000, 100_000
Figures = dict[str, float]


def measure_casting(stage: Stage) -> Figures:
    """Casts over HTTP with everything on; the slot alone right after, on the same database."""
    with stage.installation("bench_casting") as here:
        app = quiet_app(here)
        poll = open_a_poll(here, app, eligibility=RESIDENTS, presence=CIRCLE)
        voters = register_voters(here, app, WARM_UP + RUNS * VOTERS)
        with serving(here) as server:
            casting.cast_all(here, app, poll, voters[:WARM_UP], server.address)
            starts = range(WARM_UP, len(voters), VOTERS)
            parts = [voters[start : start + VOTERS] for start in starts]
            runs = [casting.cast_all(here, app, poll, part, server.address) for part in parts]
            mib = server.worker_mib()
        middle = casting.median_of(runs)
        ceiling = slot.slot_calls_per_second(here, open_a_poll(here, app))
    return {
        "casts_per_s": middle.per_second,
        "casts_p50_ms": middle.p50_ms,
        "casts_p99_ms": middle.p99_ms,
        "pgbench_tps": ceiling,
        "casts_to_pgbench": middle.per_second / ceiling,
        "ready_s": server.ready_s,
        "worker_mib": mib,
    }


def measure_nearby(stage: Stage) -> Figures:
    """Polls near me among a thousand and a hundred thousand."""
    with stage.installation("bench_nearby") as here:
        nearby.fill(here, FEW)
        with serving(here) as server:
            few = nearby.median_ms(server.port)
            nearby.fill(here, MANY - FEW)
            many = nearby.median_ms(server.port)
    return {"nearby_p50_ms_1000": few, "nearby_p50_ms_100000": many, "nearby_ratio": many / few}


def measure_counting(stage: Stage, ballots: int = COUNTED) -> Figures:
    """The last shuffle and the count of a great poll, and what its ballots take up."""
    with stage.installation("bench_counting") as here:
        counted = counting.count_a_great_poll(here, quiet_app(here), ballots)
    say(counting.table_of_bytes(counted))
    return {
        f"shuffle_{ballots}_s": counted.shuffle_s,
        f"count_{ballots}_s": counted.count.seconds,
        "count_cpu_s": counted.count.cpu_s,
        "count_mib": counted.count.mib,
        "count_helper_mib": counted.count.helper_mib,
        "bytes_per_ballot": counted.bytes_per_ballot,
    }


def measure_million(stage: Stage) -> Figures:
    """The same with a million ballots; to fill the box alone takes some minutes."""
    return measure_counting(stage, MILLION)


def measure_log(stage: Stage) -> Figures:
    """Appending to a log of a million entries, and proving from it."""
    with stage.installation("bench_log") as here:
        return log.measure_log(here, quiet_app(here), MILLION)


def compare_servers(stage: Stage) -> Figures:
    """Which web server casts fastest; prints a table of its own."""
    with stage.installation("bench_servers") as here:
        servers.compare(here, quiet_app(here))
    return {}


MEASURES: dict[str, Callable[[Stage], Figures]] = {
    "casting": measure_casting,
    "nearby": measure_nearby,
    "counting": measure_counting,
}
ON_REQUEST = {"servers": compare_servers, "million": measure_million, "log": measure_log}
#: name: what it is, the target, whether more is better
TARGETS: dict[str, tuple[str, float | None, bool]] = {
    "casts_per_s": ("casts over HTTP a second", 1_200, True),
    "casts_p50_ms": ("  half of them within, ms", None, False),
    "casts_p99_ms": ("  99 % of them within, ms", 250, False),
    "pgbench_tps": ("the slot alone (pgbench), calls a second", None, True),
    "casts_to_pgbench": ("  ratio", None, True),
    "nearby_p50_ms_1000": ("polls nearby among 1,000, ms", None, False),
    "nearby_p50_ms_100000": ("polls nearby among 100,000, ms", 10, False),
    "nearby_ratio": ("  ratio", 2, False),
    "shuffle_100000_s": ("shuffling 100,000 envelopes, s", None, False),
    "count_100000_s": ("counting 100,000 sealed ballots, s", 15, False),
    "shuffle_1000000_s": ("shuffling 1,000,000 envelopes, s", None, False),
    "count_1000000_s": ("counting 1,000,000 sealed ballots, s", 90, False),
    "count_cpu_s": ("  seconds of processors, without PostgreSQL's", None, False),
    "count_mib": ("  memory of the process that counts, MiB", None, False),
    "count_helper_mib": ("  memory of each helper, MiB", None, False),
    "log_fill_per_s": ("entries a second in batches of 100,000, to 1,000,000", None, True),
    "log_append_50_ms": ("appending 50 entries to 1,000,000, ms", 100, False),
    "log_append_50_rows": ("  rows read, at most", None, False),
    "log_inclusion_ms": ("an inclusion proof at 1,000,000, ms", 10, False),
    "log_inclusion_rows": ("  tiles read, at most", None, False),
    "log_consistency_ms": ("a consistency proof at 1,000,000, ms", 10, False),
    "log_consistency_rows": ("  tiles read, at most", None, False),
    "log_tile_bytes": ("bytes of tiles an entry, with their key", None, False),
    "log_tracker_index_bytes": ("bytes of the trackers' index an entry", None, False),
    "bytes_per_ballot": ("bytes a ballot after closing", 700, False),
    "ready_s": ("web server from start to ready, s", 3, False),
    "worker_mib": ("memory of a web worker, MiB", 150, False),
}


def quiet_app(here: Installation) -> Flask:
    """The application of this process: to prepare, not to be measured."""
    app = create_app(here.settings)
    logging.getLogger("mvote").setLevel(logging.WARNING)
    return app


def table(figures: Figures) -> str:
    """The figures beside their targets, as Markdown."""
    lines = ["| measure | figure | target |", "|---|---:|---:|"]
    for name, (text, target, more) in TARGETS.items():
        if name in figures:
            wanted = "" if target is None else f"{'≥' if more else '≤'} {target:,g}"
            lines.append(f"| {text} | {figures[name]:,.4g} | {wanted} |")
    return "\n".join(lines)


def write(figures: Figures) -> None:
    """Keep the figures for whoever compares, with the commit and the machine's load before."""
    git = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    rounded = {name: round(value, 4) for name, value in figures.items()}
    document = {"commit": commit or None, "at": at, "processors": os.cpu_count(), **rounded}
    (var_dir() / "bench.json").write_text(json.dumps(document, indent=1) + "\n")


def main(names: list[str]) -> int:
    """Measure what is named, or all."""
    known = MEASURES | ON_REQUEST
    if unknown := set(names) - set(known):
        raise SetupError(f"no such measure: {', '.join(unknown)}; there are {', '.join(known)}")
    figures: Figures = {}
    say(f"load of the machine before: {os.getloadavg()[0]:.2f}")
    with staged() as stage:
        for name in names or MEASURES:
            say(f"measuring {name} …")
            figures |= known[name](stage)
    if figures:
        say(table(figures))
        write(figures)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(f"bench: {error}")
