"""How long an allocation takes, with pabutools' time beside ours, and the import of a .pb file.

`python -m ops.bench.allocating FILE` reads one file; that is how its memory is measured.
"""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from mvote.budget.allocating.allocation import Allocation, allocate
from mvote.budget.allocating.model import Contest, Project, Rule, Source, Tally
from mvote.budget.pabulib.ballots import Ballot
from mvote.budget.pabulib.money import Currency
from mvote.budget.pabulib.reading import read
from mvote.budget.pabulib.writing import Counted, Export, written

BALLOTS, PROJECTS, MARKS, SEED = 100_000, 100, 5, 2026
LIMIT, LEAST_COST, MOST_COST = 30_000_000_000, 100_000_000, 1_500_000_000
Marks = tuple[str, ...]
T = TypeVar("T")


def made_up_ballots() -> list[Marks]:
    """Five projects each, some projects far more popular than others."""
    chance = random.Random(SEED)  # noqa: S311
    names = [f"P-{number:03}" for number in range(PROJECTS)]
    popular = [chance.paretovariate(1.5) for _ in names]
    ballots = []
    for _ in range(BALLOTS):
        marks: set[str] = set()
        while len(marks) < MARKS:
            marks.add(chance.choices(names, popular)[0])
        ballots.append(tuple(sorted(marks)))
    return ballots


def contest(ballots: list[Marks], rule: Rule) -> Contest:
    """The projects cost from 0.1 to 1.5 billion won; there are 30 billion."""
    chance = random.Random(SEED)  # noqa: S311
    approvals = Counter(ballots)
    votes = Counter(mark for marks in ballots for mark in marks)
    projects = tuple(
        Project(f"P-{number:03}", chance.randrange(LEAST_COST, MOST_COST, 1_000_000))
        for number in range(PROJECTS)
    )
    source = Source("citizens", Tally(votes, len(ballots)))
    return Contest(projects, (source,), LIMIT, rule, seed=b"bench", approvals=approvals)


def measure_allocating() -> dict[str, float]:
    """Seconds; counting the ballots and explaining every project are part of it."""
    ballots = made_up_ballots()
    greedy, _ = _timed(lambda: _explained(ballots, Rule()))
    shares, _ = _timed(lambda: _explained(ballots, Rule("equal_shares")))
    add1 = Rule("equal_shares", completion="add1", step=1_000)
    raised, allocation = _timed(lambda: _explained(ballots, add1))
    figures = {"allocate_greedy_s": greedy, "allocate_add1_s": raised}
    if allocation.shares is not None:
        figures["allocate_add1_runs"] = allocation.shares.runs
    figures["allocate_shares_s"] = shares
    return figures | _of_pabutools(ballots) | _importing(ballots, allocation)


def _explained(ballots: list[Marks], rule: Rule) -> Allocation:
    allocation = allocate(contest(ballots, rule))
    assert len(allocation.explanations) == PROJECTS  # noqa: S101
    return allocation


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    done = act()
    return time.perf_counter() - began, done


def _of_pabutools(ballots: list[Marks]) -> dict[str, float]:
    """Its greedy, and one run of its equal shares: of a hundred it would take minutes."""
    from pabutools import election as e
    from pabutools import rules

    made = contest(ballots, Rule())
    projects = {each.reference: e.Project(each.reference, each.cost) for each in made.projects}
    instance = e.Instance(projects.values(), budget_limit=LIMIT)

    def profile() -> e.ApprovalMultiProfile:
        marked = (e.ApprovalBallot(projects[mark] for mark in marks) for marks in ballots)
        return e.ApprovalMultiProfile(init=[each.frozen() for each in marked])

    greedy, _ = _timed(
        lambda: rules.greedy_utilitarian_welfare(instance, profile(), sat_class=e.Cost_Sat)
    )
    shares, _ = _timed(
        lambda: rules.method_of_equal_shares(instance, profile(), sat_class=e.Cost_Sat)
    )
    return {"pabutools_greedy_s": greedy, "pabutools_shares_s": shares}


def _importing(ballots: list[Marks], allocation: Allocation) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "great.pb")
        with path.open("wb") as file:
            file.writelines(_pieces(ballots, allocation))
        command = [sys.executable, "-m", "ops.bench.allocating", str(path)]
        seconds, said = _timed(lambda: subprocess.check_output(command, text=True))
        size = path.stat().st_size
    return {
        "pb_import_s": seconds,
        "pb_import_mib": int(said) / 1024,
        "pb_file_mib": size / 2**20,
    }


def _most_memory() -> str:
    """The most that this process has held since it began, in KiB."""
    status = Path("/proc/self/status").read_text()
    return next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))


def _pieces(ballots: list[Marks], allocation: Allocation) -> Iterator[bytes]:
    funded = {each.reference for each in allocation.funded}
    votes = Counter(mark for marks in ballots for mark in marks)
    rows = [
        Counted(each, each.reference, votes[each.reference], 0, each.reference in funded)
        for each in allocation.order
    ]
    day = dt.date(2026, 7, 1)
    export = Export("made up", "2026", "approval", day, day, Currency("KRW"))
    marked = (Ballot(marks, (1,) * len(marks)) for marks in ballots)
    return written(export, allocation.contest, rows, marked, len(ballots))


if __name__ == "__main__":
    with Path(sys.argv[1]).open("rb") as great:
        read(great)
    print(_most_memory())
