"""The rules of three years once more, as plainly as they were printed: a second opinion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

Votes = Mapping[str, int]


def counted(ballots: Iterable[Sequence[str]]) -> Counter[str]:
    """How many ballots mark what."""
    return Counter(each for ballot in ballots for each in ballot)


def within(order: Sequence[str], costs: Votes, money: int) -> set[str]:
    """From the first to the last whatever still can be paid."""
    funded = set()
    for each in order:
        if costs[each] <= money:
            funded.add(each)
            money -= costs[each]
    return funded


def blended(parts: Iterable[tuple[int, Votes]]) -> dict[str, Fraction]:
    """Each source's share of its votes, by its weight, together."""
    scores: Counter[str] = Counter()
    for weight, votes in parts:
        total = sum(votes.values())
        for each, number in votes.items():
            scores[each] += weight * Fraction(number, total)  # type: ignore[assignment]
    return dict(scores)  # type: ignore[arg-type]
