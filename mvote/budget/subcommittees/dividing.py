"""Dividing a committee's members among its subcommittees: evenly, by their wishes, by lot.

In the order of their lots everybody takes the first of their wishes that still has room; wishes of
the first tier (what members asked for) come before those of the second, and so on; whoever then has
nothing goes where most room is left. That is random serial dictatorship: nobody gains by wishing
for anything but what they want, and no two could trade to the gain of both (Abdulkadiroğlu,
Sönmez 1998).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mvote.budget.drawing.lots import in_order, lot

Member = str
Place = str
Wishes = Sequence[Sequence[Place]]
"""By tiers; within each the dearest first."""


@dataclass(kw_only=True)
class _Room:
    """How many each place still takes, so that all end as even as what is kept allows."""

    sizes: dict[Place, int]
    level: int
    #: so many places end with one more than the level
    above: int

    @classmethod
    def among(cls, kept: Mapping[Place, int], newcomers: int) -> _Room:
        """Fill up from the emptiest, level by level."""
        level = 0
        while sum(max(0, level + 1 - size) for size in kept.values()) <= newcomers and kept:
            level += 1
        above = newcomers - sum(max(0, level - size) for size in kept.values())
        return cls(sizes=dict(kept), level=level, above=above)

    def has_room(self, place: Place) -> bool:
        size = self.sizes.get(place)
        if size is None:
            return False
        return size < self.level or (size == self.level and self.above > 0)

    def take(self, place: Place) -> None:
        self.above -= self.sizes[place] >= self.level
        self.sizes[place] += 1


def divide(
    members: Mapping[Member, Wishes],
    places: Iterable[Place],
    *,
    seed: bytes,
    kept: Mapping[Member, Place] | None = None,
) -> dict[Member, Place]:
    """Where each of *members* sits; those who are *kept* stay where they are.

    The same seed gives the same, in whatever order members and places come. Without places nobody
    sits anywhere.
    """
    stay = {member: place for member, place in (kept or {}).items() if member in members}
    counts = dict.fromkeys(places, 0)
    for place in stay.values():
        counts[place] = counts.get(place, 0) + 1
    waiting = in_order((each for each in members if each not in stay), seed)
    if not counts:
        return {}
    room = _Room.among(counts, len(waiting))
    found = dict(stay)
    for tier in range(max((len(members[each]) for each in waiting), default=0)):
        for member in waiting:
            if member not in found and len(members[member]) > tier:
                _settle(found, room, member, members[member][tier])
    for member in waiting:
        if member not in found:
            emptiest = sorted(
                counts, key=lambda place: (room.sizes[place], lot(seed, member + place), place)
            )
            _settle(found, room, member, emptiest)
    return found


def _settle(
    found: dict[Member, Place], room: _Room, member: Member, wishes: Iterable[Place]
) -> None:
    """Let the member take the first of *wishes* that has room, if one has."""
    place = next((each for each in wishes if room.has_room(each)), None)
    if place is not None:
        room.take(place)
        found[member] = place
