"""What the poll of a source is to ask, and whom."""

from __future__ import annotations

from dataclasses import dataclass

from mvote.budget.cycle import Cycle
from mvote.budget.definition import Contest, Definition, HeadingTree, Source, read_definition
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest, Text
from mvote.wording import say


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What the poll is to ask, and whom: a source of a contest of a running cycle."""

    cycle: Cycle
    definition: Definition
    contest: Contest
    source: Source

    @classmethod
    def of(cls, cycle: Cycle, contest: str, source: str) -> Asking:
        """The source by its keys. Raises ImpossibleTransition, InvalidRequest."""
        if cycle.state != "running":
            raise ImpossibleTransition(state=cycle.state, verb="poll")
        definition = read_definition(cycle.definition)
        of_cycle = next((each for each in definition.contests if each.key == contest), None)
        if of_cycle is None:
            raise InvalidRequest(_fault("/contest", "contest"))
        found = next((each for each in of_cycle.sources if each.key == source), None)
        if found is None or found.kind != "poll":
            raise InvalidRequest(_fault("/source", "source"))
        return cls(cycle=cycle, definition=definition, contest=of_cycle, source=found)

    @property
    def place(self) -> str:
        """JSON pointer of the contest in the cycle's definition."""
        return f"/contests/{self.definition.contests.index(self.contest)}"

    @property
    def headings(self) -> set[str]:
        """Keys of all headings that the contest decides on."""
        tree = HeadingTree(self.definition.headings)
        return {key for root in self.contest.headings for key in tree.beneath(root)}

    @property
    def title(self) -> Text:
        """The cycle's title, and what tells this poll from the others."""
        parts = [(each.title or {}, each.key) for each in (self.contest, self.source)]
        return {
            language: " · ".join([said, *(title.get(language, key) for title, key in parts)])
            for language, said in self.definition.title.items()
        }


NO_SUCH = {
    "contest": say("The cycle has no such contest to be voted on."),
    "source": say("The cycle has no such source to be voted on."),
}


def _fault(pointer: str, what: str) -> Fault:
    return Fault(pointer, NO_SUCH[what])
