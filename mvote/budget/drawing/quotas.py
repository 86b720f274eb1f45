"""Who may be drawn, how many, and how many of whom: all in whole numbers before the draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class Person:
    """One of the pool, under a pseudonym: for each category the values that hold for them."""

    pseudonym: str
    categories: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Quota:
    """At least and at most so many people for whom one of *values* holds in *category*."""

    name: str
    category: str
    values: tuple[str, ...]
    at_least: int = 0
    at_most: int | None = None

    def counts(self, person: Person) -> bool:
        """Does *person* count for it (once, however many of the values hold)?"""
        return not set(self.values).isdisjoint(person.categories.get(self.category, ()))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is drawn: seats, then reserves, each under quotas of their own."""

    seats: int
    quotas: tuple[Quota, ...]
    reserves: int = 0
    #: what the list of reserves must look like, so that one of them fits whoever leaves
    reserve_quotas: tuple[Quota, ...] = ()


def each(
    category: str, values: Iterable[str], *, at_least: int = 0, at_most: int | None = None
) -> tuple[Quota, ...]:
    """The same bounds for each value: at most 6 of every district."""
    return tuple(
        Quota(
            name=f"{category}: {value}",
            category=category,
            values=(value,),
            at_least=at_least,
            at_most=at_most,
        )
        for value in values
    )


def ratio(category: str, parts: Mapping[str, int], *, seats: int) -> tuple[Quota, ...]:
    """Women : men 1 : 1 as numbers. Where seats do not divide, each part is rounded either way."""
    total = sum(parts.values())
    return tuple(
        Quota(
            name=f"{category}: {value}",
            category=category,
            values=(value,),
            at_least=seats * part // total,
            at_most=-(-seats * part // total),
        )
        for value, part in parts.items()
    )


def share(
    name: str, category: str, values: Iterable[str], *, of: str, seats: int
) -> tuple[Quota, ...]:
    """At least the fraction *of* ("15/100") of the seats for these together, rounded up."""
    wanted = Fraction(of) * seats
    return (
        Quota(
            name=name,
            category=category,
            values=tuple(values),
            at_least=-(-wanted.numerator // wanted.denominator),
        ),
    )


def scaled(quotas: Iterable[Quota], *, seats: int, reserves: int) -> tuple[Quota, ...]:
    """The members' quotas for a list of reserves: minima rounded down, maxima up."""
    return tuple(
        Quota(
            name=quota.name,
            category=quota.category,
            values=quota.values,
            at_least=quota.at_least * reserves // seats,
            at_most=None if quota.at_most is None else -(-quota.at_most * reserves // seats),
        )
        for quota in quotas
    )
