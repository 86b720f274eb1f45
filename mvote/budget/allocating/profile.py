"""Approval ballots as arrays: identical ones are counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mvote.budget.allocating.model import Approvals, Project

Ints = NDArray[np.int64]


class Profile:
    """Who approves which of *projects*; they are named by their place from here on.

    `n` counts all ballots that are not blank, also those that approve none of *projects*.
    `weights[g]` ballots are alike in group g; `supporters[p]` are the groups that approve p.
    """

    def __init__(self, approvals: Approvals, projects: Sequence[Project]) -> None:
        self.projects = tuple(projects)
        self.costs = [each.cost for each in projects]
        self.n = sum(count for marks, count in approvals.items() if marks)
        groups = self._grouped(approvals)
        self.weights: Ints = np.array(list(groups.values()), dtype=np.int64)
        self.supporters = _supporters(list(groups), len(self.projects))
        self.votes = [int(self.weights[each].sum()) for each in self.supporters]
        self._all_differ = bool((self.weights == 1).all())
        self._weights = [self.weights[each] for each in self.supporters]

    def _grouped(self, approvals: Approvals) -> Counter[tuple[int, ...]]:
        places = {each.reference: place for place, each in enumerate(self.projects)}
        groups: Counter[tuple[int, ...]] = Counter()
        for marks, count in approvals.items():
            group = tuple(sorted({places[each] for each in marks if each in places}))
            if group:
                groups[group] += count
        return groups

    def weights_of(self, place: int) -> Ints | None:
        """The weights of the supporters of *place*; None if each is a single ballot."""
        return None if self._all_differ else self._weights[place]

    def satisfied(self, funded: Sequence[int]) -> Ints:
        """How many of *funded* each group approves."""
        counts: Ints = np.zeros(len(self.weights), dtype=np.int64)
        for place in funded:
            counts[self.supporters[place]] += 1
        return counts

    def members(self, place: int) -> NDArray[np.bool_]:
        """Which groups approve the project at *place*."""
        found: NDArray[np.bool_] = np.zeros(len(self.weights), dtype=np.bool_)
        found[self.supporters[place]] = True
        return found


def _supporters(groups: Sequence[tuple[int, ...]], projects: int) -> list[Ints]:
    """For each project the groups that have its place, ascending."""
    sizes = np.fromiter(map(len, groups), dtype=np.int64, count=len(groups))
    places = np.fromiter(
        (place for group in groups for place in group), dtype=np.int64, count=int(sizes.sum())
    )
    owners = np.repeat(np.arange(len(groups), dtype=np.int64), sizes)
    by_place = np.argsort(places, kind="stable")
    ends = np.cumsum(np.bincount(places, minlength=projects))[:-1]
    return list(np.split(owners[by_place], ends))
