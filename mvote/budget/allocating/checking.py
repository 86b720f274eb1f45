"""What contradicts itself in a contest, all of it named, before any money is given out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mvote.budget.allocating.errors import AllocationImpossible
from mvote.budget.allocating.model import BUDGET_LIMIT, Contest
from mvote.wording import Message, one_after_another, say

MOST_MONEY = 10**15
"""In the smallest unit: a thousand trillion won. More than that is a slip of the hand."""
TIES = {"lower_cost", "lot"}


def check(contest: Contest) -> None:
    """Raise AllocationImpossible if anything contradicts itself; fact `faults` lists it all."""
    if faults := list(contradictions(contest)):
        raise AllocationImpossible(one_after_another(faults), faults=faults)


def contradictions(contest: Contest) -> Iterator[Message]:
    """One sentence for each."""
    yield from _in_projects(contest)
    yield from _in_headings(contest)
    yield from _in_sources(contest)
    yield from _in_the_rule(contest)


def _in_projects(contest: Contest) -> Iterator[Message]:
    keys = {each.key: each for each in contest.headings}
    for reference in _repeated(each.reference for each in contest.projects):
        yield say("the project {reference} is there more than once", reference=reference)
    for each in contest.projects:
        if not 0 < each.cost <= MOST_MONEY:
            yield say(
                "the project {reference} costs {cost}", reference=each.reference, cost=each.cost
            )
        if each.heading is not None and each.heading not in keys:
            yield say(
                "the project {reference} has the unknown heading {heading}",
                reference=each.reference,
                heading=each.heading,
            )
        elif each.heading is not None and keys[each.heading].elsewhere:
            yield say(
                "the project {reference} stands under {heading}, decided elsewhere",
                reference=each.reference,
                heading=each.heading,
            )


def _in_headings(contest: Contest) -> Iterator[Message]:
    limits = [(BUDGET_LIMIT, contest.limit), *((each.key, each.limit) for each in contest.headings)]
    for key in _repeated(key for key, _ in limits):
        yield say("the heading {key} is there more than once", key=key)
    for key, limit in limits:
        if limit is not None and not 0 <= limit <= MOST_MONEY:
            yield say("the limit of {key} is {limit}", key=key, limit=limit)


def _in_sources(contest: Contest) -> Iterator[Message]:
    if not contest.sources:
        yield say("there is no source")
    for key in _repeated(each.key for each in contest.sources):
        yield say("the source {key} is there more than once", key=key)
    for each in contest.sources:
        if each.weight < 0:
            yield say("the source {key} weighs {weight}", key=each.key, weight=each.weight)
        if each.tally is not None and any(votes < 0 for votes in each.tally.votes.values()):
            yield say("the source {key} has votes below 0", key=each.key)


def _in_the_rule(contest: Contest) -> Iterator[Message]:
    known = {each.reference for each in contest.projects}
    for tie in sorted(set(contest.rule.ties) - TIES - {each.key for each in contest.sources}):
        yield say("ties name {tie}, which is no source", tie=tie)
    for reference in sorted(frozenset().union(*contest.rule.exclusive) - known):
        yield say("an exclusive set names the unknown project {reference}", reference=reference)
    if contest.rule.step <= 0:
        yield say("the step of add1 is {step}", step=contest.rule.step)


def _repeated(names: Iterator[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]
