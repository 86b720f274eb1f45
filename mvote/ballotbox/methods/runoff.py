"""Instant run-off: the option with the fewest ballots leaves, and they go to their next choice.

Ties for the last place are broken by the rule `TIES`, in this order: all that are tied leave
together, if that cannot change who leaves after them (they have fewer ballots together than the
next option alone); else the one that had fewest in an earlier round, the latest one that tells them
apart; else the lot. A tie of all that remain is the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mvote.ballotbox.methods.pairwise import Ranked

TIES = "together_earlier_lot"
"""The name of the rule, as a frozen definition says it."""
By = Literal["fewest", "together", "earlier_round", "lot"]
Pile = list[tuple[Sequence[int], int, int]]
"""Ballots that count for one option: the options in order, the place reached, how many."""
Votes = dict[int, int]


@dataclass(frozen=True)
class Round:
    """The ballots of each option that remains, and who leaves. Nobody leaves the last round."""

    votes: Votes
    #: ballots that rank none of those that remain
    exhausted: int
    eliminated: tuple[int, ...] = ()
    by: By | None = None
    #: from whom → to whom → how many; what is missing to the votes is exhausted
    transfers: dict[int, Votes] = field(default_factory=dict)


@dataclass(frozen=True)
class Runoff:
    """All rounds, and who has more than half of the last; several if all in it are equal."""

    rounds: tuple[Round, ...]
    winners: tuple[int, ...]


def instant_runoff(options: int, ballots: Ranked, lots: Sequence[int]) -> Runoff:
    """The rounds among so many *options*; *lots*: all options by lot, the last leaves first.

    Blank ballots must not be among *ballots*; without any, nobody wins.
    """
    piles, exhausted = _piled(options, ballots), 0
    rounds: list[Round] = []
    while True:
        votes = {option: sum(weight for *_, weight in pile) for option, pile in piles.items()}
        winners = _winners(votes)
        if winners is not None:
            rounds.append(Round(votes, exhausted))
            return Runoff(tuple(rounds), winners)
        leaving, by = _leaving(votes, rounds, lots)
        leaving_piles = {option: piles.pop(option) for option in leaving}
        transfers = {option: _passed_on(pile, piles) for option, pile in leaving_piles.items()}
        rounds.append(Round(votes, exhausted, leaving, by, transfers))
        passed = sum(sum(to.values()) for to in transfers.values())
        exhausted += sum(votes[option] for option in leaving) - passed


def _piled(options: int, ballots: Ranked) -> dict[int, Pile]:
    piles: dict[int, Pile] = {option: [] for option in range(options)}
    for marks, weight in ballots:
        order = [0] * (options - list(marks).count(0))
        for option, rank in enumerate(marks):
            if rank:
                order[rank - 1] = option
        piles[order[0]].append((order, 0, weight))
    return piles


def _winners(votes: Votes) -> tuple[int, ...] | None:
    """Who has more than half, or all if they are equal; None if it goes on."""
    most, every = max(votes.values()), sum(votes.values())
    if not every:
        return ()
    if 2 * most > every or min(votes.values()) == most:
        return tuple(option for option in votes if votes[option] == most)
    return None


def _leaving(
    votes: Votes, rounds: Sequence[Round], lots: Sequence[int]
) -> tuple[tuple[int, ...], By]:
    fewest = min(votes.values())
    tied = [option for option in votes if votes[option] == fewest]
    if len(tied) == 1:
        return tuple(tied), "fewest"
    if fewest * len(tied) < min(found for found in votes.values() if found > fewest):
        return tuple(tied), "together"
    for earlier in reversed(rounds):
        tied = _fewest_of(tied, earlier.votes)
        if len(tied) == 1:
            return tuple(tied), "earlier_round"
    return (max(tied, key=lots.index),), "lot"


def _fewest_of(tied: Iterable[int], votes: Votes) -> list[int]:
    among = list(tied)
    fewest = min(votes[option] for option in among)
    return [option for option in among if votes[option] == fewest]


def _passed_on(pile: Pile, piles: dict[int, Pile]) -> Votes:
    """Move the ballots of *pile* to the next of *piles* that each ranks; how many went where."""
    went: Votes = {}
    for order, reached, weight in pile:
        for place in range(reached + 1, len(order)):
            if order[place] in piles:
                piles[order[place]].append((order, place, weight))
                went[order[place]] = went.get(order[place], 0) + weight
                break
    return went
