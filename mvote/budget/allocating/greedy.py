"""The greedy rule: in the published order, whatever still fits under every limit above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mvote.budget.allocating.model import FUNDED, Contest, Decision, Exact, Project, Rule
from mvote.budget.allocating.pots import Pot, Pots

Decisions = dict[str, Decision]


def greedy(
    contest: Contest,
    order: Sequence[Project],
    scores: Mapping[str, Exact],
    before: Mapping[str, Decision] | None = None,
) -> Decisions:
    """What becomes of each project of *order*. A second pass shares out what headings leave.

    *before*: what was funded already, from money that the contest's limit no longer holds.
    """
    pots = Pots(contest.limit, contest.headings, contest.max_projects)
    lines = {each.reference: pots.line_of(each) for each in order}
    decisions: Decisions = dict(before or {})
    for project in order:
        decision = _decide(project, lines[project.reference], contest.rule, scores, decisions)
        decisions[project.reference] = decision
    if pots.lift():
        for project in _second_pass(order, lines, decisions):
            decision = _decide(project, lines[project.reference], contest.rule, scores, decisions)
            decisions[project.reference] = decision
    return decisions


def _second_pass(
    order: Sequence[Project], lines: Mapping[str, list[Pot]], decisions: Decisions
) -> list[Project]:
    """Those that found no room, below a parent that was left money."""
    return [
        project
        for project in order
        if decisions[project.reference].code in ("does_not_fit", "closed")
        and any(pot.lifted for pot in lines[project.reference])
    ]


def _decide(
    project: Project,
    line: list[Pot],
    rule: Rule,
    scores: Mapping[str, Exact],
    before: Mapping[str, Decision],
) -> Decision:
    reference = project.reference
    if project.struck:
        return Decision(reference, "struck")
    if rule.floor is not None and scores[reference] < rule.floor:
        return Decision(reference, "below_floor")
    if peer := funded_peer(reference, rule, before):
        return Decision(reference, "excluded_by", peer=peer)
    if not any(pot.binds for pot in line):
        return Decision(reference, "ranked")
    if shut := next((pot for pot in line if pot.closed), None):
        return Decision(reference, "closed", heading=shut.key, left=shut.left(line))
    return _spend(project, line, rule)


def funded_peer(reference: str, rule: Rule, before: Mapping[str, Decision]) -> str | None:
    """The project that *reference* may not stand beside and that is funded already."""
    peers = {peer for group in rule.exclusive if reference in group for peer in group}
    funded = [
        each for each in peers - {reference} if each in before and before[each].code in FUNDED
    ]
    return min(funded, default=None)


def _spend(project: Project, line: list[Pot], rule: Rule) -> Decision:
    tight = tightest(line)
    left = tight.left(line)
    amount = room_for(project, line, rule)
    if amount == project.cost:
        pay(amount, line)
        return Decision(project.reference, "funded", amount, left=left)
    if amount:
        pay(amount, line)
        tight.closed = True
        return Decision(project.reference, "funded_in_part", amount, left=left, closes=tight.key)
    tight.closed = rule.on_no_fit == "stop"
    closes = tight.key if tight.closed else None
    return Decision(project.reference, "does_not_fit", 0, tight.key, left, closes=closes)


def room_for(project: Project, line: list[Pot], rule: Rule) -> int:
    """How much of the cost of *project* there is room for: all of it, a useful part, or 0."""
    tight = tightest(line)
    left = tight.left(line)
    if tight.is_full:
        return 0
    if left is None or project.cost <= left:
        return project.cost
    useful = project.min_useful_amount
    if rule.part_funding and useful is not None and left > 0 and useful <= left:
        return left
    return 0


def pay(amount: int, line: list[Pot]) -> None:
    """Take *amount*, for one project, out of every pot of *line*."""
    for pot in line:
        pot.spent += amount
        pot.count += 1


def tightest(line: list[Pot]) -> Pot:
    """Where least is left: a heading that may have no further project, else the least money.

    Of equal ones the lowest in the tree.
    """

    def room(pot: Pot) -> tuple[bool, bool, int]:
        left = pot.left(line)
        return (not pot.is_full, left is None, left or 0)

    return min(line, key=room)
