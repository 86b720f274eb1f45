"""One score from several sources: S(p) = Σ wₛ·xₛ(p), in exact fractions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mvote.budget.allocating.errors import AllocationImpossible, SourceMissing
from mvote.budget.allocating.model import Blend, Exact, Normalise, Source, Tally
from mvote.wording import say

Shares = dict[str, Fraction]
"""x of one source, by reference: from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The score of each project, and what it is made of.

    `weights` are those of the sources that are there (redistributed, if the rule says so).
    """

    scores: Mapping[str, Exact]
    shares: Mapping[str, Shares]
    weights: Mapping[str, Exact]
    absent: tuple[str, ...] = ()


def blended(sources: Sequence[Source], blend: Blend | None, references: Sequence[str]) -> Scores:
    """The scores of *references*, all that stand on the ballot.

    Raises SourceMissing where one is missing and the rule says `block`, or where all are.
    """
    absent = tuple(each.key for each in sources if _is_absent(each.tally, blend))
    if absent and (blend is None or blend.missing == "block" or len(absent) == len(sources)):
        raise SourceMissing(absent)
    there = {each.key: each for each in sources if each.key not in absent}
    if blend is None:
        return _unblended(there, references)
    weights = _redistributed(sources, there)
    shares = {
        key: shares_of(source.tally, blend.normalise, references)
        for key, source in there.items()
        if source.tally is not None
    }
    scores = {
        reference: sum((weights[key] * x[reference] for key, x in shares.items()), Fraction(0))
        for reference in references
    }
    return Scores(scores, shares, weights, absent)


def _is_absent(tally: Tally | None, blend: Blend | None) -> bool:
    return tally is None or (blend is not None and tally.ballots < blend.min_ballots)


def _unblended(there: Mapping[str, Source], references: Sequence[str]) -> Scores:
    if len(there) != 1:
        raise AllocationImpossible(say("several sources need a blend"))
    (source,) = there.values()
    votes = source.tally.votes if source.tally else {}
    return Scores({each: votes.get(each, 0) for each in references}, {}, {source.key: 1})


def _redistributed(sources: Sequence[Source], there: Mapping[str, Source]) -> dict[str, Fraction]:
    """The weights present, raised in proportion so that all together weigh as before."""
    every = sum((Fraction(each.weight) for each in sources), Fraction(0))
    present = sum((Fraction(each.weight) for each in there.values()), Fraction(0))
    if present <= 0:
        raise AllocationImpossible(say("the sources that are there weigh nothing"))
    return {key: Fraction(each.weight) * every / present for key, each in there.items()}


def shares_of(tally: Tally, normalise: Normalise, references: Sequence[str]) -> Shares:
    """x of one source for each of *references*. A source of zeros gives 0 to all."""
    votes = {each: Fraction(tally.votes.get(each, 0)) for each in references}
    if not any(votes.values()):
        return votes
    if normalise in _BY_BALLOTS:
        return _BY_BALLOTS[normalise](votes, tally)
    return _BY_VOTES[normalise](votes)


def _share_of_votes(votes: Shares) -> Shares:
    every = sum(votes.values())
    return {each: v / every for each, v in votes.items()}


def _of_max(votes: Shares) -> Shares:
    most = max(votes.values())
    return {each: v / most for each, v in votes.items()}


def _share_of_ballots(votes: Shares, tally: Tally) -> Shares:
    if tally.ballots <= 0:
        raise AllocationImpossible(say("votes without ballots"))
    return {each: v / tally.ballots for each, v in votes.items()}


def _of_scale(votes: Shares, tally: Tally) -> Shares:
    """The mean score over all ballots, those that gave it none as 0, in parts of the scale."""
    if not tally.scale:
        raise AllocationImpossible(say("of_scale needs the scale of the scores"))
    return {each: v / tally.scale for each, v in _share_of_ballots(votes, tally).items()}


def _rank(votes: Shares) -> Shares:
    """(m + 1 − r) / m: equal votes share the average of the ranks they take up."""
    places: dict[Fraction, list[int]] = {}
    for place, v in enumerate(sorted(votes.values(), reverse=True), start=1):
        places.setdefault(v, []).append(place)
    m = len(votes)
    ranks = {v: Fraction(sum(taken), len(taken)) for v, taken in places.items()}
    return {each: (m + 1 - ranks[v]) / m for each, v in votes.items()}


_BY_VOTES: dict[Normalise, Callable[[Shares], Shares]] = {
    "share_of_votes": _share_of_votes,
    "of_max": _of_max,
    "rank": _rank,
}
_BY_BALLOTS: dict[Normalise, Callable[[Shares, Tally], Shares]] = {
    "share_of_ballots": _share_of_ballots,
    "of_scale": _of_scale,
}
