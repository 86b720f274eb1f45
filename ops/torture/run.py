"""`make torture`: the long forms of the hard tests, on a cluster of their own, and their table.

Names after the command choose some: `make torture ARGS='postgres closing'`. `ARGS='--short'` runs
all of them in the size in which the tests do. Exits with 1 if anything does not hold.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ops.bench.stage import Installation, staged
from ops.machine import SetupError, say, var_dir
from ops.torture import clock, closing, crowding, disk, killing, leaks, shuffling
from ops.torture.report import Line, table

CLUSTER = "pg-torture"


@dataclass(frozen=True)
class Size:
    """How much of each."""

    postgres_rounds: int
    postgres_ballots: int
    worker_ballots: int
    closing_rounds: int
    leak_casts: int
    disk_ballots: int
    shuffler_ballots: int
    crowd_ballots: int


LONG = Size(20, 5_100, 20_000, 50, 1_000, 5_000, 20_000, 40_000)
SHORT = Size(3, 500, 2_000, 3, 200, 800, 1_500, 2_000)


def kill_postgres(here: Installation, size: Size) -> list[Line]:
    """PostgreSQL, in the middle of each round."""
    found, load = killing.kill_postgres_under_load(
        here, CLUSTER, rounds=size.postgres_rounds, ballots=size.postgres_ballots
    )
    return killing.lines("PostgreSQL", found, load, f"{size.postgres_rounds} rounds")


def kill_workers(here: Installation, size: Size) -> list[Line]:
    """A web worker, every 200 ms."""
    found, load, killed = killing.kill_workers_under_load(here, ballots=size.worker_ballots)
    return killing.lines("a web worker every 200 ms", found, load, f"{killed} killed")


def kill_shufflers(here: Installation, size: Size) -> list[Line]:
    """A shuffler, in the middle of a batch, again and again."""
    found, load, killed = shuffling.kill_shufflers(here, ballots=size.shuffler_ballots)
    return killing.lines("the shuffler in mid-batch", found, load, f"{killed} killed")


def crowd_in(here: Installation, size: Size) -> list[Line]:
    """More at once than are worked at."""
    return crowding.lines(crowding.crowd_in(here, ballots=size.crowd_ballots))


def close(here: Installation, size: Size) -> list[Line]:
    """The closing barrier."""
    return closing.lines(closing.close_against_writers(here, rounds=size.closing_rounds))


def search_for_leaks(here: Installation, size: Size) -> list[Line]:
    """Dump, write-ahead log, data files, every log."""
    found, mib = leaks.leak_search(here, CLUSTER, casts=size.leak_casts)
    return leaks.lines(found, mib, size.leak_casts)


def fill_the_disk(here: Installation, size: Size) -> list[Line]:
    """The write-ahead log finds no room."""
    try:
        return disk.lines(disk.fill_the_disk(here, CLUSTER, ballots=size.disk_ballots))
    except disk.NotPermitted:
        return disk.lines(None)


def turn_the_clock(here: Installation, _size: Size) -> list[Line]:
    """The web server's clock jumps by an hour, forward and back."""
    return clock.lines(clock.turn(here))


HARDSHIPS: dict[str, Callable[[Installation, Size], list[Line]]] = {
    "postgres": kill_postgres,
    "workers": kill_workers,
    "shuffler": kill_shufflers,
    "crowd": crowd_in,
    "closing": close,
    "leaks": search_for_leaks,
    "disk": fill_the_disk,
    "clock": turn_the_clock,
}


def suffer(names: Sequence[str], size: Size) -> list[Line]:
    """Go through what is named, or all of it."""
    lines: list[Line] = []
    with staged(CLUSTER) as stage:
        for name in names or HARDSHIPS:
            say(f"{name} …")
            began = time.monotonic()
            with stage.installation(f"torture_{name}") as here:
                lines += HARDSHIPS[name](here, size)
            say(f"   {time.monotonic() - began:.0f} s")
    return lines


def main(words: list[str]) -> int:
    """Print the table, also into `var/torture.md`; 0 if everything holds."""
    names = [word for word in words if word != "--short"]
    if unknown := set(names) - set(HARDSHIPS):
        raise SetupError(f"unknown: {', '.join(unknown)}; there are {', '.join(HARDSHIPS)}")
    logging.disable(logging.INFO)
    say(f"load of the machine before: {os.getloadavg()[0]:.2f}")
    lines = suffer(names, SHORT if "--short" in words else LONG)
    say(table(lines))
    (var_dir() / "torture.md").write_text(table(lines) + "\n", encoding="utf-8")
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(f"torture: {error}")
