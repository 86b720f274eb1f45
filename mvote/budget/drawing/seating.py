"""From a rule and a pool to the question in whole numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mvote.budget.drawing.quotas import Person, Quota
from mvote.budget.drawing.system import Counts, Row, System


@dataclass(frozen=True)
class List:
    """One of the lists that are filled: how many, and under which quotas."""

    name: str
    places: int
    quotas: tuple[Quota, ...]

    @property
    def all_quotas(self) -> tuple[Quota, ...]:
        """Its quotas; the places themselves are the first of them (no category, all people)."""
        whole = Quota(
            name=self.name, category="", values=(), at_least=self.places, at_most=self.places
        )
        return (whole, *self.quotas)


@dataclass(frozen=True)
class Named:
    """What a row of the system says, in the rule's words; how many of the pool count for it."""

    list: str
    quota: str
    in_pool: int


class Seating:
    """The system of a pool, and which count stands for which person on which list."""

    def __init__(self, pool: Sequence[Person], lists: Sequence[List]) -> None:
        self.lists = lists
        self._cell_of = {
            person.pseudonym: tuple(_counts_for(each.all_quotas, person) for each in lists)
            for person in pool
        }
        if len(self._cell_of) < len(pool):
            raise ValueError("two people have the same pseudonym")
        in_cells = Counter(self._cell_of.values())
        self._cells = {cell: number for number, cell in enumerate(sorted(in_cells))}
        sizes = [in_cells[cell] for cell in self._cells]
        rows, self.named = _rows_of_quotas(lists, list(self._cells), sizes)
        self.optional = len(rows)
        shared = (
            _row_of_a_cell(cell, size, len(lists), len(sizes)) for cell, size in enumerate(sizes)
        )
        self.system = System((*rows, *shared), tuple(sizes) * len(lists))

    def count(self, pseudonym: str, on: int) -> int:
        """The number of the count in which this person would be, on list number *on*."""
        return on * len(self._cells) + self._cells[self._cell_of[pseudonym]]

    def counts(self, pseudonyms: Iterable[str], on: int) -> Counts:
        """The counts of a system in which these people are on list number *on*."""
        taken = Counter(self.count(each, on) for each in pseudonyms)
        return tuple(taken[number] for number in range(len(self.system.most)))


Cell = tuple[tuple[int, ...], ...]
"""For each list the numbers of the quotas that its people count for."""


def _counts_for(quotas: Sequence[Quota], person: Person) -> tuple[int, ...]:
    """The places themselves (0), and each quota that counts this person."""
    return (0, *(n for n, each in enumerate(quotas) if n and each.counts(person)))


def _rows_of_quotas(
    lists: Sequence[List], cells: Sequence[Cell], sizes: Sequence[int]
) -> tuple[list[Row], list[Named]]:
    rows, named = [], []
    for on, each in enumerate(lists):
        for number, quota in enumerate(each.all_quotas):
            counting = [cell for cell, held in enumerate(cells) if number in held[on]]
            counts = tuple(on * len(cells) + cell for cell in counting)
            most = each.places if quota.at_most is None else quota.at_most
            rows.append(Row(counts, quota.at_least, most))
            named.append(Named(each.name, quota.name, sum(sizes[cell] for cell in counting)))
    return rows, named


def _row_of_a_cell(cell: int, size: int, lists: int, cells: int) -> Row:
    """Nobody is on two lists: all lists together take no more of a cell than there are."""
    return Row(tuple(on * cells + cell for on in range(lists)), 0, size)
