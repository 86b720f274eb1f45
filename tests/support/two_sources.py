"""A contest with two polls of which one has ended and the other runs."""

from __future__ import annotations

from typing import Any

from tests.support.balloting import Balloting, field
from tests.support.governing import spoil, status
from tests.support.world import Person, World


class Two:
    """2015 with its two polls: the citizens' has ended, the committee's runs."""

    def __init__(self, world: World, *, publish_from_here: int = 5) -> None:
        self.world, self.year = world, Balloting(world, 2015)
        self.projects = self.year.projects(16, heading=field)
        self.members = self.year.citizens(publish_from_here)
        self.year.seats(self.members)
        self.citizens = self.year.open("citizens")
        self.committee = self.year.open("committee")
        self.year.begin_voting(self.committee)
        for voter in self.year.citizens(7):
            self._cast(self.citizens, voter, self.projects[:3])
        for member in self.members:
            self._cast(self.committee, member, self.projects[4:6])

    def _cast(self, poll: dict[str, Any], voter: Person, selections: list[str]) -> None:
        assert self.world.cast(poll, voter, selections).status_code == 201

    def states(self) -> list[str]:
        return [status(self.world, poll) for poll in (self.citizens, self.committee)]


def end_plan(world: World) -> None:
    """Let the time of every source be over by the cycle's plan, past the guard."""
    ends = r"regexp_replace(definition::text, '\"closes_at\": \"[^\"]*\"',"
    over = """'"closes_at": "2015-07-25T07:00:00Z"', 'g')::jsonb"""
    spoil(world, f"UPDATE cycle SET definition = {ends} {over}")  # noqa: S608
