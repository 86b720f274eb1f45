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


def level(held: Amounts, weights: Ints | None, need: int, start: int = 0) -> Level | None:
    """To which q must each pay min(money, q) for *need* to come together? None: never.

    *start* is at most that q; without *weights* each weighs 1. Newton's method: the sum is concave
    in q, so each step from below stays below; with whole numbers it ends within 1.
    """
    q = start
    while q < BEYOND or held.dtype == object:
        paid = _total(np.minimum(held, q), weights)
        if paid == need:
            return Level(q, exact=True)
        rich = _total(held > q, weights)
        if rich == 0:
            return None
        step = (need - paid) // rich
        if step == 0:
            return Level(q, exact=False)
        q += step
    return None


def _total(amounts: Amounts, weights: Ints | None) -> int:
    if weights is not None:
        return int(np.dot(weights, amounts))
    return int(np.count_nonzero(amounts) if amounts.dtype == np.bool_ else amounts.sum())


class Purses:
    """What every group of voters still has, who each began with *money*.

    With *most*, what they have if they began with any amount from *money* to *most*: whoever has
    more to begin with, pays no more for the same projects, so `lo` follows the least amount and
    `hi` the most, and whatever both decide alike, every amount between them does.
    """

    def __init__(self, profile: Profile, money: Fraction, most: Fraction | None = None) -> None:
        self.profile = profile
        total = (most or money) * profile.n
        self.shift = shift_for(total)
        dtype = np.int64 if int(total) < 1 << ROOM else object
        below, above = enclosed(money, self.shift)[0], enclosed(most or money, self.shift)[1]
        self.lo: Amounts = np.full(len(profile.weights), below, dtype=dtype)
        self.hi: Amounts = np.full(len(profile.weights), above, dtype=dtype)
        self._groups = list(profile.supporters)
        self._weights = [profile.weights_of(place) for place in range(len(profile.costs))]

    def need(self, place: int) -> int:
        """The cost of the project at *place*, in the unit of the purses."""
        return self.profile.costs[place] << self.shift

    def least(self, place: int, start: int = 0) -> int | None:
        """No more than q·2^shift of the project at *place*; None: its supporters lack the money."""
        held = self._held(self.hi, place)
        solvent = int(np.count_nonzero(held))
        if 2 * solvent < len(held):
            self._drop_the_spent(place, held > 0)
            held = self._held(self.hi, place)
        found = level(held, self._weights[place], self.need(place), start)
        return None if found is None else found.q

    def most(self, place: int, start: int = 0) -> int | None:
        """No less than q·2^shift; None: perhaps the supporters lack the money."""
        held = self._held(self.lo, place)
        found = level(held, self._weights[place], self.need(place), start)
        return None if found is None else found.q + (not found.exact)

    def _held(self, amounts: Amounts, place: int) -> Amounts:
        held: Amounts = amounts[self._groups[place]]
        return held

    def _drop_the_spent(self, place: int, solvent: NDArray[np.bool_]) -> None:
        """Ask the supporters of *place* that have nothing left no more."""
        weights = self._weights[place]
        self._groups[place] = self._groups[place][solvent]
        self._weights[place] = None if weights is None else weights[solvent]

    def share_alike(self, place: int) -> bool:
        """Whether every supporter of *place* certainly has the cost's equal part."""
        part = -(-self.need(place) // self.profile.votes[place])
        return bool((self.lo[self.profile.supporters[place]] >= part).all())

    def pay(self, place: int, least: int, most: int) -> None:
        """Let the supporters of *place* pay what they have, at most q."""
        groups = self._groups[place]
        self.lo[groups] = np.maximum(self.lo[groups] - most, 0)
        self.hi[groups] = np.maximum(self.hi[groups] - least, 0)


def enclosed(amount: Fraction, shift: int) -> tuple[int, int]:
    """The whole numbers around *amount*·2^shift."""
    scaled = amount * (1 << shift)
    return scaled.__floor__(), scaled.__ceil__()
