"""What became of money after the allocation: whether it is overspent, and who moves up for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mvote.budget.allocating.greedy import pay, room_for, tightest
from mvote.budget.allocating.model import Contest, Project, Rule
from mvote.budget.allocating.pots import Pot, Pots

Amounts = Mapping[str, int]
"""Money by reference: who has how much."""


def moving_up(
    contest: Contest, *, kept: Amounts, freed: int, reserves: Sequence[Project]
) -> dict[str, int]:
    """Which of *reserves* the money left now suffices for, in their order, and with how much.

    *kept* is what all others have. A project that fits under every limit above it moves up; one
    that does not is passed over, or ends it, as the contest's rule says. Where no limit binds at
    all, what was *freed* is the limit.
    """
    limit = contest.limit if _binds(contest) else sum(kept.values()) + freed
    pots = Pots(limit, contest.headings, contest.max_projects)
    lines = {each.reference: pots.line_of(each) for each in contest.projects}
    for reference, amount in kept.items():
        pay(amount, lines[reference])
    moved: dict[str, int] = {}
    _fill(reserves, lines, contest.rule, {*kept}, moved)
    if pots.lift():
        _fill(reserves, lines, contest.rule, {*kept}, moved)
    return moved


def _binds(contest: Contest) -> bool:
    return contest.limit is not None or any(each.limit is not None for each in contest.headings)


def _fill(
    reserves: Iterable[Project],
    lines: Mapping[str, list[Pot]],
    rule: Rule,
    funded: set[str],
    moved: dict[str, int],
) -> None:
    for project in reserves:
        line = lines[project.reference]
        if project.reference in moved or has_peer(project.reference, rule, funded | {*moved}):
            continue
        if any(pot.closed for pot in line):
            continue
        amount = room_for(project, line, rule)
        if amount:
            pay(amount, line)
            moved[project.reference] = amount
        elif rule.on_no_fit == "stop":
            tightest(line).closed = True


def has_peer(reference: str, rule: Rule, funded: set[str]) -> bool:
    """Whether a project stands in *funded* that *reference* may not stand beside."""
    return any((group & funded) - {reference} for group in rule.exclusive if reference in group)


def overspent(contest: Contest, amounts: Amounts) -> str | None:
    """The heading whose limit *amounts* break, or None. The limit of everything has a name, too.

    What headings hand on to their parents may be spent by their neighbours.
    """
    pots = Pots(contest.limit, contest.headings, contest.max_projects)
    projects = {each.reference: each for each in contest.projects}
    lines = {reference: pots.line_of(projects[reference]) for reference in amounts}
    for reference, amount in amounts.items():
        pay(amount, lines[reference])
    broken = _broken(pots)
    return _broken(pots) if broken and pots.lift() else broken


def _broken(pots: Pots) -> str | None:
    return next((pot.key for pot in pots if pot.is_overdrawn), None)
