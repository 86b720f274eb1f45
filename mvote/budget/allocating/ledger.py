"""The exact fractions behind the purses, worked out only where they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mvote.budget.allocating.profile import Ints, Profile
from mvote.budget.allocating.purses import Purses, enclosed

Mask = NDArray[np.bool_]


class Ledger:
    """What each payment was exactly, in the order in which projects were funded.

    A group that certainly has money left has paid the full q of every funded project that it
    approves: what such groups have together follows from how many they are. Those of whom the
    purses cannot tell are worked out one history at a time.
    """

    def __init__(self, profile: Profile, money: Fraction) -> None:
        self.profile = profile
        self.money = money
        self.purses = Purses(profile, money)
        self.paid: list[Fraction] = []
        self._funded: list[int] = []
        self._members: list[Mask] = []

    def follow(self, funded: Sequence[int]) -> None:
        """Pay for what was funded since the last time."""
        for place in funded[len(self._funded) :]:
            q = self.price(place)
            if q is None:
                raise ArithmeticError("a project was funded that nobody can pay for")
            self.purses.pay(place, *enclosed(q, self.purses.shift))
            self.paid.append(q)
            self._funded.append(place)
            self._members.append(self.profile.members(place))

    def price(self, place: int) -> Fraction | None:
        """The exact q of the project at *place* now; None if its supporters lack the money."""
        least = self.purses.least(place)
        if least is None:
            return None
        most = self.purses.most(place, least)
        groups = self.profile.supporters[place]
        lo, hi = self.purses.lo[groups], self.purses.hi[groups]
        poor = (lo > 0) & (hi < least)
        rich = np.zeros(len(groups), dtype=np.bool_) if most is None else lo >= most
        unsure = ~poor & ~rich & (hi > 0)
        need = self.profile.costs[place] - self._together(groups[poor])
        return _filled(need, self._ballots(groups[rich]), self._one_by_one(groups[unsure]))

    def supporters_money(self, place: int) -> Fraction:
        """What the supporters of the project at *place* have together now, exactly."""
        groups = self.profile.supporters[place]
        lo, hi = self.purses.lo[groups], self.purses.hi[groups]
        unsure = self._one_by_one(groups[(lo == 0) & (hi > 0)])
        rest = sum((amount * count for amount, count in unsure.items()), Fraction(0))
        return self._together(groups[lo > 0]) + rest

    def _ballots(self, groups: Ints) -> int:
        return int(self.profile.weights[groups].sum())

    def _together(self, groups: Ints) -> Fraction:
        """The money of *groups*, each of which certainly has some left."""
        weights = self.profile.weights[groups]
        money = self.money * int(weights.sum())
        for members, q in zip(self._members, self.paid, strict=True):
            payers = int(np.dot(weights, members[groups]))
            if payers:
                money -= q * payers
        return money

    def _one_by_one(self, groups: Ints) -> Counter[Fraction]:
        """How many ballots of *groups* have which amount left."""
        amounts: Counter[Fraction] = Counter()
        known: dict[bytes, Fraction] = {}
        for group in groups:
            history = bytes(bool(members[group]) for members in self._members)
            if history not in known:
                known[history] = self._left(history)
            amounts[known[history]] += int(self.profile.weights[group])
        return amounts

    def _left(self, history: bytes) -> Fraction:
        left = self.money
        for has_paid, q in zip(history, self.paid, strict=True):
            left = max(left - q, Fraction(0)) if has_paid else left
        return left


def _filled(need: Fraction, rich: int, unsure: Counter[Fraction]) -> Fraction | None:
    """The q at which *rich* ballots, who all have more, and the unsure bring *need* together."""
    payers, q = rich + unsure.total(), Fraction(0)
    for amount in sorted(unsure):
        if amount * payers >= need:
            break
        need, payers, q = need - amount * unsure[amount], payers - unsure[amount], amount
    if payers:
        return need / payers
    return q if need <= 0 else None
