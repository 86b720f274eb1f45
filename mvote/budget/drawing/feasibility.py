"""Can every row still be met? Yes and no are facts about whole numbers, not about a solver.

scipy's solver (HiGHS) computes in floating point, so neither of its answers is believed: a yes is
the point it found, checked in whole numbers; a no is proved in whole numbers (`refuting`). Should
neither succeed, `Undecided` is raised; nothing is ever guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

from mvote.budget.drawing.refuting import Refuted, contradicts, settle
from mvote.budget.drawing.system import Counts, System


def completion(system: System, least: Sequence[int]) -> Counts | Refuted:
    """Counts that meet every row with at least *least* each, or the proof that there are none."""
    if any(n > most for n, most in zip(least, system.most, strict=True)):
        return Refuted(frozenset())  # more than there are
    full = [n for n, row in enumerate(system.rows) if sum(least[c] for c in row.counts) > row.most]
    if full:
        return Refuted(frozenset({(full[0], "most")}))
    suggested = _suggestion(system, least)
    if suggested is not None and system.holds(suggested, least):
        return suggested
    return settle(system, least)


def _suggestion(system: System, least: Sequence[int]) -> Counts | None:
    """What `scipy.optimize.milp` proposes."""
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp  # late: it takes up 58 MiB

    answer = milp(
        c=np.zeros(len(system.most)),
        integrality=np.ones(len(system.most)),
        bounds=Bounds(least, system.most),
        constraints=LinearConstraint(system.matrix, *system.bounds),
    )
    return None if answer.x is None else tuple(round(each) for each in answer.x)


class Filling:
    """Places being filled: who can still be taken so that all rows can be met in the end.

    If they cannot be met even before anybody is taken, `refuted` is the proof, and `take` is not
    to be called.
    """

    def __init__(self, system: System, least: Sequence[int]) -> None:
        self.system = system
        self.taken = list(least)
        self._closed: set[int] = set()
        self._proofs: set[tuple[int, ...]] = set()
        first = completion(system, least)
        self.refuted = first if isinstance(first, Refuted) else None
        self._ahead: Sequence[int] = () if isinstance(first, Refuted) else first

    def take(self, count: int) -> bool:
        """Take one more for *count*, if the rest can still be met.

        What was impossible once stays so: a completion found later would have been one before.
        """
        if count in self._closed or not self._look_ahead(count):
            self._closed.add(count)
            return False
        self.taken[count] += 1
        return True

    def _look_ahead(self, count: int) -> bool:
        """Is there a completion with one more? The one known already may have them."""
        if self._ahead[count] > self.taken[count]:
            return True
        wanted = [n + (number == count) for number, n in enumerate(self.taken)]
        if any(contradicts(self.system, each, wanted, self.system.most) for each in self._proofs):
            return False
        found = completion(self.system, wanted)
        if isinstance(found, Refuted):
            self._proofs.update(found.proofs)
            return False
        self._ahead = found
        return True
