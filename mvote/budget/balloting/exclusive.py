"""Sets of which one project at most is funded, against the projects that are on the ballot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mvote.budget.balloting.projects import Option
from mvote.budget.balloting.rules import project_of
from mvote.budget.contradictions import contradictions_with
from mvote.budget.definition import Contest, Definition
from mvote.polls.hindrances import Hindrance

NEVER_FUNDED = "exclusive-set-never-funded"


def never_funded(
    definition: Definition, contest: Contest, options: Sequence[Option]
) -> Iterator[Hindrance]:
    """Each set of which no project on the ballot could be funded within the limits."""
    n = definition.contests.index(contest)
    projects = [project_of(option) for option in options]
    for each in contradictions_with(definition, contest=n, projects=projects):
        if each.code == NEVER_FUNDED:  # limits on the paper are told apart: `hindrances_on_paper`
            yield Hindrance(each.code, each.pointer)


def not_on_ballot(
    definition: Definition, contest: Contest, options: Sequence[Option]
) -> Iterator[Hindrance]:
    """What a set names, but the ballot does not hold, and sets that so exclude nothing: perhaps
    nobody said which projects their groups hold. Only warnings."""
    at = f"/contests/{definition.contests.index(contest)}/allocation/exclusive"
    known = {option["key"] for option in options} | {group.key for group in contest.groups}
    for n, names in enumerate(contest.allocation.exclusive):
        for m, name in enumerate(names):
            if name not in known:
                yield Hindrance("exclusive-not-on-ballot", f"{at}/{n}/{m}")
        if known.issuperset(names) and len(_members(names, options)) < 2:
            yield Hindrance("exclusive-without-effect", f"{at}/{n}")


def _members(names: Sequence[str], options: Sequence[Option]) -> list[Option]:
    """The projects of a set, which names them or groups of them."""
    return [each for each in options if {each["key"], *each.get("groups", ())} & set(names)]
