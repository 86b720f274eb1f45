"""`add1`: what each voter has is raised step by step, until the outcome would cost too much.

Step k gives each (⌊B/(n·s)⌋ + k)·s. Many steps often have the same outcome. So a run is made for
several of them at once; where they may not all come out alike it is broken off, and fewer are
taken. The outcome is that of single steps, one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from mvote.budget.allocating.errors import AllocationImpossible
from mvote.budget.allocating.shares_run import SharesRun, Undecided
from mvote.wording import say

MOST_RUNS = 10_000
"""With the run before the first step."""
Start = Callable[[Fraction, Fraction | None], SharesRun]
"""Makes a run that begins with an amount, or with all amounts from one to another."""


def raised(start: Start, first: SharesRun, limit: int, step: int) -> tuple[SharesRun, int]:
    """The last outcome that costs *limit* at most, and the last k that was tried.

    It ends with the first that costs more, or when all that is supported is funded. Raises
    AllocationImpossible if 10,000 runs bring no end.
    """
    whole, best, k, pace = limit // (first.profile.n * step), first, 0, Pace()
    while not best.is_exhausted:
        if k + 1 >= MOST_RUNS:
            raise AllocationImpossible(
                say("add1 came to no end within {most_runs} runs", most_runs=MOST_RUNS)
            )
        several = min(pace.steps, MOST_RUNS - 1 - k)
        run = _run(start, whole + k + 1, whole + k + several, step)
        pace.learn(decided=run is not None)
        if run is None:
            continue
        if run.cost > limit:
            return best, k + 1
        best, k = run, k + (1 if run.is_exhausted else several)
    return best, k


def _run(start: Start, first: int, last: int, step: int) -> SharesRun | None:
    """The run of the steps from *first* to *last*, None if they may differ: that of the last.

    Where all is funded it is that of the first: single steps would have ended there.
    """
    if first == last:
        return start(Fraction(first * step), None).finish()
    try:
        together = start(Fraction(first * step), Fraction(last * step)).finish()
    except Undecided:
        return None
    alone = start(Fraction((first if together.is_exhausted else last) * step), None)
    alone.funded = together.funded
    return alone


class Pace:
    """How many steps to take at once: half after a failure, twice as many after two successes.

    After failures it waits the longer before it tries several again, so that little is lost where
    every step has another outcome.
    """

    def __init__(self) -> None:
        self.steps, self._wait, self._row = 1, 1, 0

    def learn(self, *, decided: bool) -> None:
        """Take note of how the last run went."""
        self._row = self._row + 1 if decided else 0
        if not decided:
            self._wait = min(2 * self._wait, 16) if self.steps == 2 else 1
            self.steps //= 2
        elif self._row >= (self._wait if self.steps == 1 else 2):
            self.steps, self._row = 2 * self.steps, 0
