"""The headings as a tree; also where the tree is wrong, so that all that is wrong can be said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from mvote.budget.definition.headings import Heading


class HeadingTree:
    """Who lies above and beneath whom. A parent that is not there is none; a circle ends."""

    def __init__(self, headings: Iterable[Heading]) -> None:
        self._by_key = {heading.key: heading for heading in headings}
        self._above = {key: self._line_of(key) for key in self._by_key}
        beneath: defaultdict[str, set[str]] = defaultdict(set)
        for key, line in self._above.items():
            for each in line:
                beneath[each.key].add(key)
        self._beneath = {key: frozenset(found) for key, found in beneath.items()}
        self._children: defaultdict[str, list[str]] = defaultdict(list)
        for heading in self._by_key.values():
            if heading.parent is not None:
                self._children[heading.parent].append(heading.key)

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __getitem__(self, key: str) -> Heading:
        return self._by_key[key]

    def upwards(self, key: str) -> tuple[Heading, ...]:
        """The heading itself, then its parent, and so on up to a root; () for an unknown key."""
        return self._above.get(key, ())

    def beneath(self, key: str) -> frozenset[str]:
        """Keys of the heading itself and of all beneath it; nothing for an unknown key."""
        return self._beneath.get(key, frozenset())

    def children(self, key: str) -> tuple[str, ...]:
        """Keys of the headings whose parent it is."""
        return tuple(self._children.get(key, ()))

    def goes_in_circles(self, key: str) -> bool:
        """Whether its line of parents comes back to itself."""
        line = self.upwards(key)
        return bool(line) and line[-1].parent is not None and line[-1].parent in self

    def _line_of(self, key: str) -> tuple[Heading, ...]:
        line: dict[str, Heading] = {}
        at: str | None = key
        while at is not None and at in self._by_key and at not in line:
            line[at] = self._by_key[at]
            at = line[at].parent
        return tuple(line.values())
