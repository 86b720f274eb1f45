"""Proving that no whole numbers meet every row.

One multiplier for each row, any at all: if the rows' bounds times the multipliers add up to more
than the counts can ever reach, the rows contradict each other (Farkas 1902). The multipliers come
from a linear programme in floating point, but are rounded to whole numbers first, and what they
prove is computed exactly; bad ones prove nothing, they never prove what is false. Where only the
wholeness of people makes it impossible, one count is split into "at most k" and "at least k + 1",
and both are refuted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mvote.budget.drawing.system import Counts, Demand, Side, System

SCALE = 2**30
MOST_SPLITS = 5_000
NEARLY_WHOLE = 1e-6


class Undecided(RuntimeError):
    """Neither a point nor a proof was found."""


@dataclass(frozen=True)
class Refuted:
    """There is no solution; the demands that the proof uses."""

    demands: frozenset[Demand]
    #: the multipliers of each case; those of one often prove the next question's no, too
    proofs: tuple[tuple[int, ...], ...] = ()


def settle(system: System, least: Sequence[int]) -> Counts | Refuted:
    """A solution with at least *least*, or the proof that there is none; else `Undecided`."""
    for number, row in enumerate(system.rows):
        if row.least > row.most:  # one multiplier cannot stand for both of its sides
            return Refuted(frozenset[Demand]({(number, "least"), (number, "most")}))
    proofs: list[tuple[int, ...]] = []
    waiting = [(tuple(least), system.most)]
    for _ in range(MOST_SPLITS):
        if not waiting:
            return Refuted(_demands(proofs), tuple(proofs))
        low, high = waiting.pop()
        if any(a > b for a, b in zip(low, high, strict=True)):
            continue
        point, multipliers = _relaxed(system, low, high)
        if contradicts(system, multipliers, low, high):
            proofs.append(multipliers)
            continue
        rounded = tuple(round(each) for each in point)
        if system.holds(rounded, least):
            return rounded
        waiting += _halves(point, low, high)
    raise Undecided("too many cases")


def _demands(proofs: list[tuple[int, ...]]) -> frozenset[Demand]:
    sides: dict[bool, Side] = {True: "least", False: "most"}
    return frozenset((n, sides[each > 0]) for one in proofs for n, each in enumerate(one) if each)


def contradicts(
    system: System, multipliers: Sequence[int], low: Sequence[int], high: Sequence[int]
) -> bool:
    """Do the rows, times the multipliers, demand more than counts from *low* to *high* can give?

    A row with a positive multiplier brings its minimum, one with a negative its maximum.
    """
    weights = [0] * len(low)
    demanded = 0
    for row, multiplier in zip(system.rows, multipliers, strict=True):
        demanded += multiplier * (row.least if multiplier > 0 else row.most)
        for count in row.counts if multiplier else ():
            weights[count] += multiplier
    reached = sum(
        weight * (b if weight > 0 else a) for weight, a, b in zip(weights, low, high, strict=True)
    )
    return demanded > reached


def _halves(
    point: Sequence[float], low: Counts, high: Counts
) -> tuple[tuple[Counts, Counts], tuple[Counts, Counts]]:
    """The case split at the count that is least whole."""
    furthest = max(range(len(point)), key=lambda n: abs(point[n] - round(point[n])))
    if abs(point[furthest] - round(point[furthest])) < NEARLY_WHOLE:
        raise Undecided("whole numbers, and yet neither a solution nor a contradiction")
    below = int(point[furthest] // 1)
    lower = (*high[:furthest], below, *high[furthest + 1 :])
    upper = (*low[:furthest], below + 1, *low[furthest + 1 :])
    return (low, lower), (upper, high)


def _relaxed(system: System, low: Counts, high: Counts) -> tuple[list[float], tuple[int, ...]]:
    """The counts, as fractions, that break the rows least, and each row's multiplier, scaled."""
    import numpy as np
    from scipy.optimize import linprog

    rows, counts = system.matrix.shape
    one, none = np.eye(rows), np.zeros((rows, rows))
    answer = linprog(
        c=np.concatenate([np.zeros(counts), np.ones(2 * rows)]),
        A_ub=np.block([[-system.matrix, -one, none], [system.matrix, none, -one]]),
        b_ub=np.concatenate([-np.array(system.bounds[0]), np.array(system.bounds[1])]),
        bounds=[*zip(low, high, strict=True), *[(0, None)] * (2 * rows)],
        method="highs",
    )
    if answer.x is None:
        raise Undecided(answer.message)
    prices = -answer.ineqlin.marginals
    scaled = tuple(round(SCALE * each) for each in prices[:rows] - prices[rows:])
    return list(answer.x[:counts]), scaled
