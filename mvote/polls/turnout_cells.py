"""Cells of turnout: by area or by age, rounded to fives, and none that tells of one or two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mvote.polls.definition import FrozenPoll

ROUNDED_TO = 5
UNKNOWN = "unknown"
"""Always written, as the sign that a poll was audited; who is here has said nothing, or is gone."""
OLDEST_BAND = 90


@dataclass(repr=False)
class Audit:
    """The cells of one poll while the roll is read."""

    poll: FrozenPoll
    roll_key: bytes
    participations: int
    found: int = 0
    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: tags that may come again, because one person has several accounts
    seen: set[bytes] = field(default_factory=set)

    @property
    def too_few(self) -> bool:
        """Too few took part to say more than how many."""
        return self.participations < self.poll.publish_from

    def rounded(self) -> list[dict[str, object]]:
        """The rows to write. A cell that rounds to nothing is none: it would tell of one or two."""
        cells = {(dimension, UNKNOWN): 0 for dimension in ("area", "age")}
        if not self.too_few:
            missing = self.participations - self.found
            for key, ballots in (self.cells + Counter(dict.fromkeys(cells, missing))).items():
                cells[key] = round_to_fives(ballots)
        return [
            {"poll_id": self.poll.poll_id, "dimension": dimension, "cell": cell, "ballots": ballots}
            for (dimension, cell), ballots in cells.items()
            if ballots or cell == UNKNOWN
        ]


def round_to_fives(ballots: int) -> int:
    """To the nearest multiple of five: 0 for 1 and 2, 5 for 3 to 7."""
    return (ballots + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO


def area_cell(lineage: Sequence[str], asked: Sequence[str]) -> str:
    """The area one is counted in: the part one lives in of the area that was *asked*, else a gu.

    *lineage*: the code of one's own area and of those around it, smallest first.
    """
    for place, code in enumerate(lineage):
        if code in asked:
            return lineage[max(place - 1, 0)]
    return lineage[-2:][0] if lineage else UNKNOWN


def age_cell(born: int | None, year: int) -> str:
    """Ten years of age, counted in the year of the poll: 20-29, the last 90+."""
    if born is None or born > year:
        return UNKNOWN
    first = (year - born) // 10 * 10
    return f"{first}-{first + 9}" if first < OLDEST_BAND else f"{OLDEST_BAND}+"
