"""How much may be computed for one allocation, counted in steps and never in seconds.

A step is about as much as looking at a thousand groups of voters once, or deciding on four
projects. The same contest takes the same steps on every machine, so whether it is refused does not
depend on how busy one is.
"""

from __future__ import annotations

from mvote.budget.allocating.errors import TooMuchWork

GROUPS_IN_A_STEP = 1_000
PROJECTS_IN_A_STEP = 4


class Work:
    """Counts steps, up to *most*; without it, without end."""

    def __init__(self, most: int | None = None) -> None:
        self.most, self.done = most, 0

    def look_at(self, groups: int) -> None:
        """Groups of voters are asked for their money once. Raises TooMuchWork."""
        self._take(1 + groups // GROUPS_IN_A_STEP)

    def decide_on(self, projects: int) -> None:
        """All *projects* are gone through once. Raises TooMuchWork."""
        self._take(1 + projects // PROJECTS_IN_A_STEP)

    def _take(self, steps: int) -> None:
        self.done += steps
        if self.most is not None and self.done > self.most:
            raise TooMuchWork(self.most)
