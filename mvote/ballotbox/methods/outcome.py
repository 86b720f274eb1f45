"""The outcome of a count by the method that the definition names: who won, and how it came so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mvote.ballotbox.methods.pairwise import Marks, Matrix, borda, pairwise
from mvote.ballotbox.methods.runoff import Round, instant_runoff
from mvote.ballotbox.methods.schulze import schulze_winners, strongest_paths
from mvote.budget.drawing.lots import in_order
from mvote.polls.definition import Question


@dataclass(frozen=True)
class Outcome:
    """Keys of the options that won, in the question's order: several are tied, and stay so.

    `workings` are there for ranked ballots: `pairwise`, `paths`, `rounds`, as the method has them.
    """

    winners: tuple[str, ...]
    workings: dict[str, Any] | None = None


def outcome_of(
    question: Question, ballots: Mapping[Marks, int], totals: Sequence[int], seed: bytes
) -> Outcome:
    """What the method makes of valid, marked *ballots*, how often each came, and of their *totals*.

    *seed*: for lots that order who leaves a run-off; fixed in public when voting is over.
    """
    keys = question.options
    match question.method:
        case "instant_runoff":
            lots = [keys.index(key) for key in in_order(keys, seed)]
            runoff = instant_runoff(len(keys), ballots.items(), lots)
            rounds = [_shown(each, keys) for each in runoff.rounds]
            return Outcome(tuple(keys[x] for x in runoff.winners), {"rounds": rounds})
        case "schulze":
            matrix = pairwise(len(keys), ballots.items())
            paths = strongest_paths(matrix)
            winners = schulze_winners(paths) if ballots else []
            workings = {"pairwise": _named(matrix, keys), "paths": _named(paths, keys)}
            return Outcome(tuple(keys[x] for x in winners), workings)
        case "borda":
            matrix = pairwise(len(keys), ballots.items())
            return Outcome(_most(borda(matrix), keys), {"pairwise": _named(matrix, keys)})
    return Outcome(_most(totals, keys))


def _most(totals: Sequence[int], keys: Sequence[str]) -> tuple[str, ...]:
    most = max(totals)
    return tuple(key for key, total in zip(keys, totals, strict=True) if most and total == most)


def _named(matrix: Matrix, keys: Sequence[str]) -> dict[str, dict[str, int]]:
    return {
        key: {other: found for other, found in zip(keys, row, strict=True) if other != key}
        for key, row in zip(keys, matrix, strict=True)
    }


def _shown(each: Round, keys: Sequence[str]) -> dict[str, Any]:
    return {
        "votes": {keys[x]: votes for x, votes in each.votes.items()},
        "exhausted": each.exhausted,
        "eliminated": [keys[x] for x in each.eliminated],
        "by": each.by,
        "transfers": {
            keys[x]: {keys[y]: votes for y, votes in sorted(to.items())}
            for x, to in each.transfers.items()
        },
    }
