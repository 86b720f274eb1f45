"""What equal shares does with few ballots, which are never shown one by one: it is said before."""

from __future__ import annotations

from collections.abc import Iterator

from mvote.base import Json
from mvote.budget.definition import Contest, Definition, read_definition
from mvote.polls.hindrances import Hindrance


def if_few(definition: Definition, contest: Contest) -> Iterator[Hindrance]:
    """A warning of what becomes of *contest* if few ballots come."""
    if contest.allocation.rule == "equal_shares":
        at = f"/contests/{definition.contests.index(contest)}/allocation/few_ballots"
        yield Hindrance(f"few-ballots-{contest.allocation.few_ballots}", at)


def warnings_in(definition: Json) -> list[Hindrance]:
    """What the planners of a cycle should know of its definition, a JSON without contradictions."""
    read = read_definition(definition)
    return [warning for contest in read.contests for warning in if_few(read, contest)]
