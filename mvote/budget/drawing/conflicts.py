"""Naming what makes a draw impossible: every minimal set of demands that contradict each other.

Found by deletion (drop what is not needed), enumerated by a tree of hitting sets (Reiter 1987):
without some demand of each conflict known so far, is there another one?
"""

from __future__ import annotations

from collections import deque
from itertools import product
from typing import Any

from mvote.budget.drawing.errors import QuotasImpossible
from mvote.budget.drawing.feasibility import completion
from mvote.budget.drawing.refuting import Refuted
from mvote.budget.drawing.seating import Seating
from mvote.budget.drawing.system import Counts, Demand, Side
from mvote.wording import Message, one_after_another, say

Conflict = frozenset[Demand]
SIDES: tuple[Side, Side] = ("least", "most")
MOST_SEARCHES = 40
"""How often it is asked whether there is another conflict; then those found are named."""

MOST_SENTENCES = 5
"""How many conflicts the text names, the shortest; the facts have all."""


class Conflicts:
    """The minimal conflicts of a seating that has no solution."""

    def __init__(self, seating: Seating, least: Counts) -> None:
        self._seating, self._least = seating, least
        self._all = frozenset(product(range(seating.optional), SIDES))
        self.found: list[Conflict] = []
        self.all_named = self._search()

    def _search(self) -> bool:
        """Fill `found`; whether the search came to its end."""
        waiting, seen = deque([frozenset[Demand]()]), {frozenset[Demand]()}
        for _ in range(MOST_SEARCHES):
            if not waiting:
                return True
            without = waiting.popleft()
            conflict = next((each for each in self.found if not each & without), None)
            if conflict is None and (conflict := self._another(without)) is not None:
                self.found.append(conflict)
            further = {without | {demand} for demand in conflict or ()} - seen
            seen |= further
            waiting.extend(sorted(further, key=sorted))
        return False

    def _another(self, without: Conflict) -> Conflict | None:
        """A minimal conflict among all demands but these, if there is one."""
        needed = self._refuted(self._all - without)
        if needed is None:
            return None
        for demand in sorted(needed):
            if demand in needed and (fewer := self._refuted(needed - {demand})) is not None:
                needed = fewer
        return needed

    def _refuted(self, demands: Conflict) -> Conflict | None:
        """Those of *demands* that the proof against them uses; None if they can be met."""
        system = self._seating.system.keeping(demands, self._seating.optional)
        answer = completion(system, self._least)
        return answer.demands & demands if isinstance(answer, Refuted) else None


def impossible(seating: Seating, least: Counts) -> QuotasImpossible:
    """The refusal, with every conflict in the words of the rule: "women: 60 wanted, 41 there"."""
    conflicts = Conflicts(seating, least)
    named = [
        [_in_words(seating, demand) for demand in sorted(each)]
        for each in sorted(conflicts.found, key=lambda each: (len(each), sorted(each)))
    ]
    detail = one_after_another([_sentence(each) for each in named[:MOST_SENTENCES]])
    return QuotasImpossible(named, detail=detail, all_named=conflicts.all_named)


def _in_words(seating: Seating, demand: Demand) -> dict[str, Any]:
    row, side = demand
    of, named = seating.system.rows[row], seating.named[row]
    wanted = {"min": of.least} if side == "least" else {"max": of.most}
    return {"list": named.list, "quota": named.quota, **wanted, "in_pool": named.in_pool}


def _sentence(demands: list[dict[str, Any]]) -> Message:
    """What contradicts itself, one demand after the other: `women: 60 wanted, 41 in the pool`."""
    first, *others = map(_demand, demands)
    for each in others:
        first = say("{demand} with {other}", demand=first, other=each)
    return first


def _demand(demand: dict[str, Any]) -> Message:
    quota: str = demand["quota"]
    if demand["list"] not in ("seats", quota):
        quota = say("{quota} among the {list}", quota=quota, list=demand["list"])
    there = demand["in_pool"]
    if "min" in demand:
        return say(
            "{quota}: {min} wanted, {in_pool} in the pool",
            quota=quota,
            min=demand["min"],
            in_pool=there,
        )
    return say(
        "{quota}: at most {max}, {in_pool} in the pool",
        quota=quota,
        max=demand["max"],
        in_pool=there,
    )
