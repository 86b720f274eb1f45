"""The voters' money under equal shares, as whole numbers that enclose the exact fractions.

An exact amount x is kept as two whole numbers lo ≤ x·2^shift ≤ hi. As long as the enclosures of
two amounts do not overlap, comparing them is as good as comparing the fractions; where they do,
`ledger.Ledger` works the fractions out. Nothing here is a floating-point number.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mvote.budget.allocating.profile import Ints, Profile

Amounts = NDArray[Any]
"""int64 where all the money together fits into it, else Python's own whole numbers."""
ROOM = 61
"""Bits that a sum of all the money may have: int64 has 63, and rounding up adds a little."""
BEYOND = 1 << 62
"""More than anybody has, where int64 is used: a q that passes it leads nowhere."""


@dataclass(frozen=True, slots=True)
class Level:
    """The greatest whole q with Σ min(money, q) ≤ need; `exact` if it is equal."""

    q: int
    exact: bool


def shift_for(total: Fraction) -> int:
    """How many binary places all the money together leaves room for."""
    return max(0, ROOM - int(total).bit_length() - 1)


def level(held: Amounts, weights: Ints, need: int, start: int = 0) -> Level | None:
    """To which q must each pay min(money, q) for *need* to come together? None: never.

    *start* is at most that q. Newton's method: the sum is concave in q, so each step from below
    stays below; with whole numbers it ends within 1.
    """
    q = start
    while q < BEYOND or held.dtype == object:
        paid = int(np.dot(weights, np.minimum(held, q)))
        if paid == need:
            return Level(q, exact=True)
        rich = int(np.dot(weights, held > q))
        if rich == 0:
            return None
        step = (need - paid) // rich
        if step == 0:
            return Level(q, exact=False)
        q += step
    return None


class Purses:
    """What every group of voters still has."""

    def __init__(self, profile: Profile, money: Fraction) -> None:
        self.profile = profile
        self.money = money
        total = money * profile.n
        self.shift = shift_for(total)
        dtype = np.int64 if int(total) < 1 << ROOM else object
        below, above = enclosed(money, self.shift)
        self.lo: Amounts = np.full(len(profile.weights), below, dtype=dtype)
        self.hi: Amounts = np.full(len(profile.weights), above, dtype=dtype)

    def need(self, place: int) -> int:
        """The cost of the project at *place*, in the unit of the purses."""
        return self.profile.costs[place] << self.shift

    def bounds(self, place: int, start: int = 0) -> tuple[int, int | None] | None:
        """Between which whole numbers q·2^shift lies for the project at *place*.

        None: its supporters certainly lack the money. A None above: perhaps they do.
        """
        groups = self.profile.supporters[place]
        weights, need = self.profile.weights[groups], self.need(place)
        least = level(self.hi[groups], weights, need, start)
        if least is None:
            return None
        most = level(self.lo[groups], weights, need, least.q)
        if most is None:
            return least.q, None
        return least.q, most.q + (not most.exact)

    def pay(self, place: int, least: int, most: int) -> None:
        """Let the supporters of *place* pay what they have, at most q."""
        groups = self.profile.supporters[place]
        self.lo[groups] = np.maximum(self.lo[groups] - most, 0)
        self.hi[groups] = np.maximum(self.hi[groups] - least, 0)


def enclosed(amount: Fraction, shift: int) -> tuple[int, int]:
    """The whole numbers around *amount*·2^shift."""
    scaled = amount * (1 << shift)
    return scaled.__floor__(), scaled.__ceil__()
