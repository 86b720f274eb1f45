"""`make bench`: measures, prints a table, and writes `var/bench.json`.

Everything runs on this machine at once: web server, PostgreSQL and the load. Names of measures
after the command choose some of them: `make bench ARGS='casting slot'`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable

from ops.bench import (
    allocating,
    counting,
    drawing,
    log,
    nearby,
    printing,
    ranking,
    reviews,
    rolls,
    servers,
    shuffling,
    similar,
    similar_polls,
)
from ops.bench.measuring_casts import measure_casting, measure_casting_in_many_polls
from ops.bench.serving import serving
from ops.bench.stage import Stage, quiet_app, staged
from ops.machine import ROOT, SetupError, say, var_dir

COUNTED, MILLION = 100_000, 1_000_000
FEW, MANY = 1_000, 100_000
Figures = dict[str, float]


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
    """A log of a million entries, and the last shuffle of a million envelopes."""
    with stage.installation("bench_log") as here:
        figures = log.measure_log(here, quiet_app(here), MILLION)
    with stage.installation("bench_shuffling") as here:
        return figures | shuffling.measure_shuffling(here, quiet_app(here), MILLION)


def measure_draw(_: Stage) -> Figures:
    """A committee of 120 and 60 reserves drawn of 826; needs no database."""
    return drawing.measure_drawing()


def measure_similar(stage: Stage) -> Figures:
    """Proposals similar to one, among twenty thousand of five years; and open polls, as many."""
    with stage.installation("bench_similar") as here:
        proposals = similar.fill(here)
        with serving(here) as server:
            found = {"similar_p50_ms": similar.median_ms(server.port, proposals)}
    with stage.installation("bench_similar_polls") as here:
        token = similar_polls.fill(here)
        with serving(here) as server:
            return found | {"similar_polls_p50_ms": similar_polls.median_ms(server.port, token)}


def measure_budget(_: Stage) -> Figures:
    """Allocations of 100,000 ballots over 100 projects, and their import; needs no database."""
    return allocating.measure_allocating()


def measure_ranking(_: Stage) -> Figures:
    """50,000 rankings of 20 options by Schulze and by instant run-off; needs no database."""
    return ranking.measure_ranking()


def measure_reviews(stage: Stage) -> Figures:
    """What is left for each of 300 reviewers of 700 proposals."""
    with stage.installation("bench_reviews") as here:
        return reviews.measure_reviews(here, quiet_app(here))


def measure_printing(_: Stage) -> Figures:
    """Posters for 500 sites, and 1,000 slips; needs no database."""
    return printing.measure_printing()


def measure_rolls_of_numbers(stage: Stage) -> Figures:
    """Rolls of 200,000 and of a million numbers."""
    with stage.installation("bench_rolls") as here:
        return rolls.measure_rolls(here, quiet_app(here))


def compare_servers(stage: Stage) -> Figures:
    """Which web server casts fastest; prints a table of its own."""
    with stage.installation("bench_servers") as here:
        servers.compare(here, quiet_app(here))
    return {}


MEASURES: dict[str, Callable[[Stage], Figures]] = {
    "casting": measure_casting,
    "polls": measure_casting_in_many_polls,
    "nearby": measure_nearby,
    "counting": measure_counting,
}
ON_REQUEST = {
    "servers": compare_servers,
    "million": measure_million,
    "log": measure_log,
    "draw": measure_draw,
    "budget": measure_budget,
    "reviews": measure_reviews,
    "ranking": measure_ranking,
    "rolls": measure_rolls_of_numbers,
    "similar": measure_similar,
    "printing": measure_printing,
}
#: name: what it is, the target, whether more is better
TARGETS: dict[str, tuple[str, float | None, bool]] = {
    "roll_import_200000_s": ("importing a roll of 200,000 rows (XLSX), s", 60, False),
    "roll_import_mib": ("  memory that it adds, MiB", None, False),
    "roll_import_1000000_csv_s": ("  of a million (CSV), s", None, False),
    "roll_eligibility_p50_ms": ("eligibility against a roll of a million, ms", 5, False),
    "casts_per_s": ("casts over HTTP a second, for a minute", 2_611, True),
    "casts_p50_ms": ("  half of them within, ms", None, False),
    "casts_p99_ms": ("  99 % of them within, ms", 150, False),
    "pgbench_tps": ("the slot alone (pgbench), calls a second", None, True),
    "casts_to_pgbench": ("  ratio", 0.5, True),
    "cast_cpu_us_web": ("  CPU µs per cast: web", None, False),
    "cast_cpu_us_database": ("  CPU µs per cast: database", None, False),
    "cast_cpu_us_load": ("  CPU µs per cast: load", None, False),
    "cast_cpu_us_all": ("  CPU µs per cast: together", 766, False),
    "overload_casts_per_s": ("casts a second, 192 connections", None, True),
    "overload_goodput_ratio": ("  ratio to 64 connections", 0.9, True),
    "overload_refused": ("  refused with 429 or 503", None, False),
    "overload_p99_ms": ("  99 % of answers within, ms", None, False),
    "casts_per_s_10000_polls": ("casts a second, over 10,000 polls", 1_500, True),
    "casts_per_s_10000_polls_at_first": ("  while most of them are met", None, True),
    "casts_p99_ms_10000_polls": ("  99 % of them within, ms", None, False),
    "cast_10000_polls_cpu_us_all": ("  CPU µs per cast: together", None, False),
    "worker_mib_10000_polls": ("  memory of a web worker, MiB", None, False),
    "nearby_p50_ms_1000": ("polls nearby among 1,000, ms", None, False),
    "nearby_p50_ms_100000": ("polls nearby among 100,000, ms", 10, False),
    "nearby_ratio": ("  ratio", 2, False),
    "similar_polls_p50_ms": ("polls similar to a draft, among 20,000 open, ms", 50, False),
    "similar_p50_ms": ("proposals similar to one, among 20,000, ms", 50, False),
    "shuffle_100000_s": ("shuffling 100,000 envelopes, s", None, False),
    "count_100000_s": ("counting 100,000 sealed ballots, s", 15, False),
    "shuffle_1000000_s": ("shuffling 1,000,000 envelopes, s", None, False),
    "count_1000000_s": ("counting 1,000,000 sealed ballots, s", 90, False),
    "count_cpu_s": ("  seconds of processors, without PostgreSQL's", None, False),
    "count_mib": ("  memory of the process that counts, MiB", None, False),
    "count_helper_mib": ("  memory of each helper, MiB", None, False),
    "shuffler_mib": ("  memory of the shuffler, MiB", None, False),
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
    "allocate_greedy_s": ("greedy, 100,000 ballots × 100 projects, s", 5, False),
    "pabutools_greedy_s": ("  pabutools, s", None, False),
    "allocate_add1_s": ("equal shares add1 of the same, s", 5, False),
    "allocate_add1_runs": ("  steps it took", None, False),
    "allocate_shares_s": ("one run of equal shares, s", None, False),
    "pabutools_shares_s": ("  pabutools, s", None, False),
    "pb_import_s": ("reading the same as a .pb file, s", 60, False),
    "pb_import_mib": ("  memory, MiB", None, False),
    "pb_file_mib": ("  size of the file, MiB", None, False),
    "schulze_s": ("Schulze, 50,000 ballots × 20 options, s", 5, False),
    "schulze_votelib_s": ("  votelib, s", None, False),
    "schulze_verifier_s": ("  counted again by the verifier, s", None, False),
    "runoff_s": ("instant run-off of the same, s", None, False),
    "draw_s": ("drawing 120 + 60 of 826, the slowest of 5, s", 60, False),
    "draw_repeated_s": ("  repeated by the stranger's script, s", None, False),
    "reviews_left_p50_ms": ("left for me: 300 reviewers × 700 proposals, ms", 20, False),
    "reviews_left_p99_ms": ("  99 % of them within, ms", None, False),
    "reviews_left_cpu_ms": ("  processors' time for each, web and database, ms", None, False),
    "reviews_given_out_s": ("drawing by lot who reads what, three readers each, s", None, False),
    "posters_500_s": ("posters for 500 sites in one PDF, s", 60, False),
    "slips_1000_s": ("a package of 1,000 slips as PDF, s", 60, False),
    "ready_s": ("web server from start to ready, s", 3, False),
    "worker_mib": ("memory of a web worker, MiB", 150, False),
}


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
