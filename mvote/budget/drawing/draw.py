"""The draw: down the list, taking whoever the quotas still have room for.

A person is taken if the remaining places can still meet every minimum and every maximum, of the
seats and of the reserves. Two people who count for the same quotas differ by their lots alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mvote.budget.drawing.conflicts import impossible
from mvote.budget.drawing.feasibility import Filling
from mvote.budget.drawing.lots import in_order
from mvote.budget.drawing.quotas import Person, Rule
from mvote.budget.drawing.seating import List, Seating

SEATS, RESERVES = 0, 1
"""Numbers of the lists."""


@dataclass(frozen=True)
class Drawn:
    """Pseudonyms in the order in which they were drawn."""

    members: tuple[str, ...]
    reserves: tuple[str, ...]


def draw(rule: Rule, pool: Sequence[Person], *, seed: bytes) -> Drawn:
    """Members, then reserves: whoever is left, again from the head of the list.

    If fewer are left than reserves are wanted, all of them are, unless reserves have quotas. Raises
    `QuotasImpossible` before anybody is drawn.
    """
    seating = Seating(pool, _lists(rule, len(pool)))
    filling = _filling(seating, pool)
    order = in_order((person.pseudonym for person in pool), seed)
    members = _take(order, seating, filling, SEATS)
    drawn = set(members)
    left = [each for each in order if each not in drawn]
    return Drawn(members, _take(left, seating, filling, RESERVES))


def check(rule: Rule, pool: Sequence[Person]) -> None:
    """Raise `QuotasImpossible` where a draw would. It needs no seed, so it can come before."""
    _filling(Seating(pool, _lists(rule, len(pool))), pool)


def move_up(
    rule: Rule, people: Sequence[Person], *, sitting: Sequence[str], reserves: Sequence[str]
) -> tuple[str, ...]:
    """Who of the reserves, in their order, gets the seats that have fallen vacant.

    *people* holds those who sit and the reserves, at least; whoever has left is in neither list. A
    reserve is passed over, and stays reserve, if with them the quotas of the seats could no longer
    be met. Raises `QuotasImpossible`, counting sitting members and reserves as the pool.
    """
    concerned = {*sitting, *reserves}
    pool = [person for person in people if person.pseudonym in concerned]
    seating = Seating(pool, _lists(rule, len(pool))[:1])
    filling = _filling(seating, pool, sitting)
    sits = set(sitting)
    return _take([each for each in reserves if each not in sits], seating, filling, SEATS)


def _lists(rule: Rule, people: int) -> tuple[List, List]:
    left = rule.reserves if rule.reserve_quotas else max(0, people - rule.seats)
    return (
        List("seats", rule.seats, rule.quotas),
        List("reserves", min(rule.reserves, left), rule.reserve_quotas),
    )


def _filling(seating: Seating, pool: Sequence[Person], sitting: Sequence[str] = ()) -> Filling:
    """The places before the draw. If the seats alone are impossible, that is what is named."""
    least = seating.counts(sitting, SEATS)
    filling = Filling(seating.system, least)
    if filling.refuted:
        seats = Seating(pool, seating.lists[:1])
        alone = seats.counts(sitting, SEATS)
        if Filling(seats.system, alone).refuted:
            raise impossible(seats, alone)
        raise impossible(seating, least)
    return filling


def _take(order: Iterable[str], seating: Seating, filling: Filling, on: int) -> tuple[str, ...]:
    """Whoever can be taken for list number *on*, in this order."""
    return tuple(each for each in order if filling.take(seating.count(each, on)))
