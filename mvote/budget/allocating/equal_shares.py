"""Equal shares with its completions: every voter has the same part of the money to give.

Approval ballots and one pot only. The completions are those of equalshares.net: `add1` raises what
each voter has until the outcome would cost more than there is, `add1u` then spends the rest by
votes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from mvote.budget.allocating.errors import AllocationImpossible
from mvote.budget.allocating.greedy import Decisions, funded_peer, greedy
from mvote.budget.allocating.model import FUNDED, Contest, Decision, Exact, Project
from mvote.budget.allocating.order import Key
from mvote.budget.allocating.profile import Profile
from mvote.budget.allocating.raising import Start, raised
from mvote.budget.allocating.shares_run import SharesRun
from mvote.budget.allocating.work import Work
from mvote.budget.drawing.lots import lot
from mvote.wording import say


@dataclass(frozen=True)
class SharesOutcome:
    """`run` is the one that holds, `runs` how many were made, `preferred` (of the comparison) how
    many voters have more projects of theirs under equal shares, and under greedy."""

    decisions: Decisions
    run: SharesRun
    runs: int
    preferred: tuple[int, int] | None = None
    greedy_won: bool = False

    @property
    def money_each(self) -> Fraction:
        return self.run.money


def equal_shares(
    contest: Contest, order: Sequence[Project], scores: Mapping[str, Exact], work: Work
) -> SharesOutcome:
    """What becomes of each project of *order*.

    Raises AllocationImpossible after 10,000 runs, TooMuchWork.
    """
    limit, profile = _checked(contest, order, scores)
    run, runs = _completed(contest, profile, limit, work)
    decisions = _decisions(contest, order, scores, run, limit)
    if contest.rule.completion == "add1u":
        decisions = _spend_the_rest(contest, order, scores, decisions)
    outcome = SharesOutcome(decisions, run, runs)
    return _compared(contest, order, scores, outcome) if contest.rule.comparison else outcome


def _checked(
    contest: Contest, order: Sequence[Project], scores: Mapping[str, Exact]
) -> tuple[int, Profile]:
    if contest.approvals is None:
        raise AllocationImpossible(say("equal shares needs the approvals of every ballot"))
    if contest.limit is None or contest.headings or contest.max_projects is not None:
        raise AllocationImpossible(say("equal shares needs one limit, and no limits by heading"))
    floor = contest.rule.floor
    eligible = [
        each
        for each in order
        if not each.struck and (floor is None or scores[each.reference] >= floor)
    ]
    return contest.limit, Profile(contest.approvals, eligible)


def _completed(contest: Contest, profile: Profile, limit: int, work: Work) -> tuple[SharesRun, int]:
    """The outcome that the rule's completion keeps, and after how many runs."""
    start = _starter(contest, profile, work)
    if not profile.n:
        return start(Fraction(0), None), 0
    first = start(Fraction(limit, profile.n), None).finish()
    if contest.rule.completion == "none":
        return first, 1
    best, k = raised(start, first, limit, contest.rule.step)
    return best, k + 1


def _starter(contest: Contest, profile: Profile, work: Work) -> Start:
    places = {each.reference: place for place, each in enumerate(profile.projects)}
    peers = [
        frozenset(places[p] for p in peers_of(each.reference, contest) if p in places)
        for each in profile.projects
    ]
    keys: list[Key] = [
        (each.cost, -profile.votes[place], lot(contest.seed, each.reference))
        for place, each in enumerate(profile.projects)
    ]
    return lambda money, upto: SharesRun(
        profile, money, peers.__getitem__, keys.__getitem__, upto, work
    )


def peers_of(reference: str, contest: Contest) -> frozenset[str]:
    """The projects that may not be funded beside *reference*."""
    groups = (group for group in contest.rule.exclusive if reference in group)
    return frozenset().union(*groups) - {reference}


def _decisions(
    contest: Contest,
    order: Sequence[Project],
    scores: Mapping[str, Exact],
    run: SharesRun,
    limit: int,
) -> Decisions:
    """The funded ones in the order of their funding, then the others as published."""
    decisions: Decisions = {}
    left = limit
    for place in run.funded:
        project = run.profile.projects[place]
        decisions[project.reference] = Decision(
            project.reference, "funded", project.cost, left=left
        )
        left -= project.cost
    for project in order:
        if project.reference not in decisions:
            decisions[project.reference] = _not_funded(project, contest, scores, decisions, left)
    return decisions


def _not_funded(
    project: Project,
    contest: Contest,
    scores: Mapping[str, Exact],
    decisions: Mapping[str, Decision],
    left: int,
) -> Decision:
    reference, floor = project.reference, contest.rule.floor
    if project.struck:
        return Decision(reference, "struck")
    if floor is not None and scores[reference] < floor:
        return Decision(reference, "below_floor")
    if peer := funded_peer(reference, contest.rule, decisions):
        return Decision(reference, "excluded_by", peer=peer)
    return Decision(reference, "unaffordable", left=left)


def _spend_the_rest(
    contest: Contest,
    order: Sequence[Project],
    scores: Mapping[str, Exact],
    decisions: Decisions,
) -> Decisions:
    """The greedy rule over what equal shares left, in the published order."""
    funded = {each: done for each, done in decisions.items() if done.code in FUNDED}
    rest = (contest.limit or 0) - sum(each.amount for each in funded.values())
    after = replace(contest, limit=rest, rule=replace(contest.rule, on_no_fit="skip"))
    others = [each for each in order if each.reference not in funded]
    return greedy(after, others, scores, funded)


def _compared(
    contest: Contest,
    order: Sequence[Project],
    scores: Mapping[str, Exact],
    outcome: SharesOutcome,
) -> SharesOutcome:
    """Greedy instead, if strictly more voters have more projects of theirs under it."""
    rule = replace(contest.rule, on_no_fit="skip", part_funding=False)
    other = greedy(replace(contest, rule=rule), order, scores)
    profile = outcome.run.profile
    mine, theirs = (
        profile.satisfied([p for p, each in enumerate(profile.projects) if _is_funded(each, done)])
        for done in (outcome.decisions, other)
    )
    for_shares = int(np.dot(profile.weights, mine > theirs))
    for_greedy = int(np.dot(profile.weights, theirs > mine))
    won = for_greedy > for_shares
    decisions = other if won else outcome.decisions
    return replace(outcome, decisions=decisions, preferred=(for_shares, for_greedy), greedy_won=won)


def _is_funded(project: Project, decisions: Mapping[str, Decision]) -> bool:
    return decisions[project.reference].code in FUNDED
