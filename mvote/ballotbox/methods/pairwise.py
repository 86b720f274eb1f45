"""Pairwise counts: how many ballots rank one option before another."""

from __future__ import annotations

from collections.abc import Iterable

Marks = tuple[int, ...]
"""The rank of each option, 1 for the first; 0: not ranked. Equal ranks mean no preference."""
Ranked = Iterable[tuple[Marks, int]]
"""Ballots, equal ones together: the marks, and how many such ballots there are."""
Matrix = list[list[int]]
"""`matrix[x][y]` ballots rank x before y, or rank x and not y."""

LANE = 48
"""Bits for one number: a row of the matrix is one long integer while it is being added up."""


def pairwise(options: int, ballots: Ranked) -> Matrix:
    """How often each of so many *options* is ranked before each other one.

    What is ranked stands before all that is not; of two that are not ranked none is before.
    """
    lanes = [1 << (LANE * place) for place in range(options)]
    everything, rows = sum(lanes), [0] * options
    for marks, weight in ballots:
        equal = last = 0
        ranked = [place for place in range(options) if marks[place]]
        behind = everything - sum(lanes[place] for place in ranked)
        for place in sorted(ranked, key=marks.__getitem__, reverse=True):  # the last rank first
            if marks[place] != last:
                behind, equal, last = behind + equal, 0, marks[place]
            rows[place] += weight * behind
            equal += lanes[place]
    return [_unpacked(row, options) for row in rows]


def _unpacked(row: int, options: int) -> list[int]:
    full = (1 << LANE) - 1
    return [row >> (LANE * place) & full for place in range(options)]


def borda(matrix: Matrix) -> list[int]:
    """A point for every option that a ballot ranks behind: the sums of the rows.

    On a ballot that ranks all n options these are Borda's n - 1, n - 2, … 0. An option that a
    ballot does not rank gets nothing from it.
    """
    return [sum(row) for row in matrix]
