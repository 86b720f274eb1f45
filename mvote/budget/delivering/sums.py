"""The sums of a cycle's report: how many proposals came how far, by heading and by area."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mvote.budget.cycle import Cycle
from mvote.budget.delivering.report import Reported
from mvote.budget.delivering.stages import STAGES, Stage
from mvote.budget.proposal import State


@dataclass
class Sum:
    """How many proposals came how far, what they cost together, and what was spent."""

    projects: dict[Stage, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    amounts: dict[Stage, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    spent: int = 0

    def add(self, row: Reported) -> None:
        for stage in row.stages:
            self.projects[stage] += 1
            self.amounts[stage] += row.amount_at(stage)
        self.spent += row.spent or 0


class Summary:
    """The sums of a cycle, to which its proposals are added one by one."""

    def __init__(self, cycle: Cycle, areas: Iterable[str]) -> None:
        headings = cycle.definition.get("headings") or ()
        self.parents = {each["key"]: each.get("parent") for each in headings}
        self.total = Sum()
        self.states: dict[State, int] = {}
        #: each with all that lies beneath it
        self.headings = {key: Sum() for key in self.parents}
        #: what lies in several areas counts in each, so these do not add up
        self.areas = {code: Sum() for code in areas}

    def add(self, row: Reported) -> None:
        self.total.add(row)
        self.states[row.state] = self.states.get(row.state, 0) + 1
        key = row.heading
        while key in self.headings:
            self.headings[key].add(row)
            key = self.parents[key]
        for code in self.areas.keys() & set(row.area_codes):
            self.areas[code].add(row)
