"""One run of the method of equal shares, each voter beginning with the same money.

Peters, Pierczyński and Skowron, "Proportional Participatory Budgeting with Additive Utilities"
(2021), with the cost as utility: fund the project of the largest cost/q, where its supporters pay
min(money, q) each and q is the least that brings the cost together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from mvote.budget.allocating.ledger import Ledger
from mvote.budget.allocating.order import Key
from mvote.budget.allocating.profile import Profile
from mvote.budget.allocating.purses import Purses
from mvote.budget.allocating.work import Work


@dataclass(frozen=True, slots=True)
class Offer:
    """A project that its supporters may pay for: q·2^shift lies from `least` to `most`."""

    place: int
    cost: int
    least: int
    most: int | None

    def certainly_beats(self, cost: int, least: int) -> bool:
        """Whether cost/q is larger than that of any project of *cost* with at least *least*."""
        return self.most is not None and cost * self.most < self.cost * least


class Undecided(Exception):
    """The amounts with which a run began do not all lead to the same outcome, or it is not sure."""


@dataclass
class SharesRun:
    """*peers* may not stand beside each other; *tie_key* tells equal offers apart.

    With *upto* it is the run of every amount from *money* to *upto* at once, and `finish` raises
    Undecided where they may differ.
    """

    profile: Profile
    money: Fraction
    peers: Callable[[int], frozenset[int]]
    tie_key: Callable[[int], Key]
    upto: Fraction | None = None
    work: Work = field(default_factory=Work)
    funded: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._purses = Purses(self.profile, self.money, self.upto)
        self._ledger: Ledger | None = None
        self._least = {
            place: self._purses.need(place) // votes
            for place, votes in enumerate(self.profile.votes)
            if votes
        }

    @property
    def cost(self) -> int:
        return sum(self.profile.costs[place] for place in self.funded)

    @property
    def is_exhausted(self) -> bool:
        """Nothing that has a supporter is left to fund."""
        return len(self.funded) + len(self._left_out()) == sum(v > 0 for v in self.profile.votes)

    def _left_out(self) -> set[int]:
        beside = {peer for place in self.funded for peer in self.peers(place)}
        return {place for place in beside - set(self.funded) if self.profile.votes[place]}

    def ledger(self) -> Ledger:
        """The exact amounts, up to what is funded now."""
        if self.upto is not None:
            raise Undecided
        if self._ledger is None:
            self._ledger = Ledger(self.profile, self.money)
        self._ledger.follow(self.funded)
        return self._ledger

    def finish(self) -> SharesRun:
        """Fund one project after another, until none can be paid for."""
        while offers := self._best_offers():
            self._fund(offers[0] if len(offers) == 1 else self._exactly_best(offers))
        return self

    def _best_offers(self) -> list[Offer]:
        """Those that may be the best: the others are certainly worse.

        What a project's supporters could offer before is no less than what they can now, so the
        bounds of earlier rounds save asking most of them again.
        """
        offers: list[Offer] = []
        best: Offer | None = None
        for place in self._hopefuls():
            offer = self._ask(place, best)
            if offer is None:
                continue
            offers.append(offer)
            if best is None or _beats_at_worst(offer, best):
                best = offer
        return [each for each in offers if best and not best.certainly_beats(each.cost, each.least)]

    def _hopefuls(self) -> list[int]:
        costs = self.profile.costs
        return sorted(
            self._least, key=lambda p: (costs[p] << 64) // max(self._least[p], 1), reverse=True
        )

    def _ask(self, place: int, best: Offer | None) -> Offer | None:
        """What the supporters of *place* offer; None if they cannot, or if *best* is better."""
        cost = self.profile.costs[place]
        if best is not None and best.certainly_beats(cost, self._least[place]):
            return None
        self.work.look_at(len(self.profile.supporters[place]))
        least = self._purses.least(place, self._least[place])
        if least is None:
            del self._least[place]
            return None
        self._least[place] = least
        if best is not None and best.certainly_beats(cost, least):
            return None
        most = self._purses.most(place, least)
        if most is None and self.ledger().price(place) is None:
            del self._least[place]
            return None
        return Offer(place, cost, least, most)

    def _exactly_best(self, offers: Sequence[Offer]) -> Offer:
        """Of offers that are too near each other for the purses, the best by exact fractions."""
        votes = {each.place: self._exact_votes(each) for each in offers}
        most = max(votes.values())
        equal = [each for each in offers if votes[each.place] == most]
        return min(equal, key=lambda each: self.tie_key(each.place))

    def _exact_votes(self, offer: Offer) -> Fraction:
        """cost/q: the number of votes, where all supporters can pay the same."""
        if self._purses.share_alike(offer.place):
            return Fraction(self.profile.votes[offer.place])
        price = self.ledger().price(offer.place)
        return offer.cost / price if price else Fraction(0)

    def _fund(self, offer: Offer) -> None:
        most = offer.most
        if most is None:
            price = self.ledger().price(offer.place) or Fraction(0)
            most = (price * (1 << self._purses.shift)).__ceil__()
        self._purses.pay(offer.place, offer.least, most)
        self.funded.append(offer.place)
        for place in (offer.place, *self.peers(offer.place)):
            self._least.pop(place, None)


def _beats_at_worst(offer: Offer, other: Offer) -> bool:
    """Whether the least that *offer* is worth is more than the least that *other* is worth."""
    if offer.most is None or other.most is None:
        return other.most is None and offer.most is not None
    return offer.cost * other.most > other.cost * offer.most
