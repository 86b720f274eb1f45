"""How fast is cast: in one poll that everyone wants, in thousands, and when far too many come."""

from __future__ import annotations

import os
import uuid

from ops.bench import slot
from ops.bench.casting import Run, Stand
from ops.bench.polls import CIRCLE, RESIDENTS, open_a_poll, open_many_polls
from ops.bench.serving import serving
from ops.bench.stage import Stage, quiet_app
from ops.bench.voters import register_voters
from ops.machine import say

Figures = dict[str, float]
SECONDS = int(os.environ.get("BENCH_SECONDS") or 60)
POLLS = int(os.environ.get("BENCH_POLLS") or 10_000)
WARM_UP_S = 6
MEETING_S = SECONDS / 2
FASTEST = 5_000  # casts a second: for so many there are voters before anything is known
RESERVE = 2.0


class Electorate:
    """Voters who have not voted yet, made when they are needed."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand

    def fresh(self, per_second: float, seconds: float) -> list[uuid.UUID]:
        """More voters than can cast at that speed in that time."""
        count = int(per_second * seconds * RESERVE)
        return register_voters(self._stand.here, self._stand.app, count)


def measure_casting(stage: Stage) -> Figures:
    """One poll: sustained, then flooded; the slot alone right after, on the same database."""
    with stage.installation("bench_casting") as here:
        app = quiet_app(here)
        polls = [open_a_poll(here, app, eligibility=RESIDENTS, presence=CIRCLE)]
        with serving(here) as server:
            stand = Stand(here, app, server, polls)
            run = _sustained(stand)
            mib = server.worker_mib()
            voters = Electorate(stand).fresh(run.per_second, SECONDS / 2)
            flood = stand.flood(voters, SECONDS / 2)
        ceiling = slot.slot_calls_per_second(here, open_a_poll(here, app))
    return {
        "casts_per_s": run.per_second,
        "casts_p50_ms": run.p50_ms,
        "casts_p99_ms": run.p99_ms,
        **_cost("cast", run),
        "pgbench_tps": ceiling,
        "casts_to_pgbench": run.per_second / ceiling,
        "overload_casts_per_s": flood.per_second,
        "overload_goodput_ratio": flood.per_second / run.per_second,
        "overload_refused": float(flood.refused),
        "overload_p99_ms": flood.p99_ms,
        "ready_s": server.ready_s,
        "worker_mib": mib,
    }


def measure_casting_in_many_polls(stage: Stage) -> Figures:
    """Casts spread over thousands of polls: while workers meet most of them, and from then on."""
    with stage.installation("bench_polls") as here:
        app = quiet_app(here)
        say(f"opening {POLLS} polls …")
        polls = open_many_polls(here, app, POLLS, eligibility=RESIDENTS, presence=CIRCLE)
        with serving(here) as server:
            stand = Stand(here, app, server, polls)
            run = _sustained(stand, meeting := _sustained(stand, seconds=MEETING_S))
            mib = server.worker_mib()
    return {
        "casts_per_s_10000_polls": run.per_second,
        "casts_per_s_10000_polls_at_first": meeting.per_second,
        "casts_p99_ms_10000_polls": run.p99_ms,
        **_cost("cast_10000_polls", run),
        "worker_mib_10000_polls": mib,
    }


def _sustained(stand: Stand, before: Run | None = None, seconds: float = SECONDS) -> Run:
    """A run after another one, which says how many voters are needed."""
    electorate = Electorate(stand)
    before = before or stand.cast(electorate.fresh(FASTEST / RESERVE, WARM_UP_S), WARM_UP_S)
    return stand.cast(electorate.fresh(before.per_second, seconds), seconds)


def _cost(name: str, run: Run) -> Figures:
    """The processor time of a cast by who used it; it says more than speed on a busy machine."""
    cost = run.cost
    say(
        f"CPU µs per cast: web {cost.web:.0f}, database {cost.database:.0f},"
        f" load {cost.load:.0f}; together {cost.total:.0f}"
    )
    parts = {"web": cost.web, "database": cost.database, "load": cost.load, "all": cost.total}
    return {f"{name}_cpu_us_{part}": value for part, value in parts.items()}
