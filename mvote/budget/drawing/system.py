"""The question of a draw in whole numbers: how many people of each cell can be taken?

A *cell* is all people who count for the same quotas. A *count* is how many of a cell are taken for
one list (members, reserves). Every rule says that some counts add up to at least and at most so
many; all coefficients are 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Counts = tuple[int, ...]
Side = Literal["least", "most"]
Demand = tuple[int, Side]
"""One side of one row: its minimum or its maximum."""


@dataclass(frozen=True)
class Row:
    """least ≤ the sum of the counts with these numbers ≤ most."""

    counts: tuple[int, ...]
    least: int
    most: int

    def holds(self, counts: Sequence[int]) -> bool:
        return self.least <= sum(counts[each] for each in self.counts) <= self.most


@dataclass(frozen=True)
class System:
    """All rows; each count between 0 and its *most*."""

    rows: tuple[Row, ...]
    most: Counts

    def holds(self, counts: Sequence[int], least: Sequence[int]) -> bool:
        """Do these counts keep every row, and lie between *least* and most? In whole numbers."""
        between = all(
            low <= n <= high for low, n, high in zip(least, counts, self.most, strict=True)
        )
        return between and all(row.holds(counts) for row in self.rows)

    def keeping(self, demands: frozenset[Demand], optional: int) -> System:
        """The same, but of the first *optional* rows only these sides are demanded."""
        everybody = sum(self.most)
        kept = tuple(
            replace(
                row,
                least=row.least if (number, "least") in demands else 0,
                most=row.most if (number, "most") in demands else everybody,
            )
            for number, row in enumerate(self.rows[:optional])
        )
        return System(kept + self.rows[optional:], self.most)

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """Rows × counts, 0 or 1."""
        import numpy as np

        matrix = np.zeros((len(self.rows), len(self.most)))
        for number, row in enumerate(self.rows):
            matrix[number, list(row.counts)] = 1
        return matrix

    @cached_property
    def bounds(self) -> tuple[list[int], list[int]]:
        """The rows' minima, and their maxima."""
        return [row.least for row in self.rows], [row.most for row in self.rows]
