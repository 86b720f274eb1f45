"""The door: `allocate(contest)` gives the allocation, its order and its explanations."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from mvote.budget.allocating.blend import Scores, blended
from mvote.budget.allocating.checking import check
from mvote.budget.allocating.equal_shares import SharesOutcome, equal_shares
from mvote.budget.allocating.explaining import Explanation, Grounds
from mvote.budget.allocating.greedy import Decisions, greedy
from mvote.budget.allocating.model import FUNDED, Contest, Decision, Project
from mvote.budget.allocating.order import in_order
from mvote.budget.allocating.work import Work


@dataclass(frozen=True)
class Allocation:
    """A proposal: the plenary confirms it. `order` is the whole published order."""

    contest: Contest
    order: tuple[Project, ...]
    scores: Scores
    decisions: Decisions
    shares: SharesOutcome | None = None
    #: what it took so far; its explanations take from the same
    work: Work = field(default_factory=Work)

    @cached_property
    def funded(self) -> tuple[Decision, ...]:
        """Those that get money, in the published order."""
        decided = (self.decisions[each.reference] for each in self.order)
        return tuple(each for each in decided if each.code in FUNDED)

    @property
    def spent(self) -> int:
        """The money given out, in the smallest unit."""
        return sum(each.amount for each in self.funded)

    @cached_property
    def explanations(self) -> tuple[Explanation, ...]:
        """One for each project, in the published order."""
        grounds = Grounds(
            self.contest, self.order, self.scores, self.decisions, self.shares, self.work
        )
        return grounds.explain()


def allocate(contest: Contest, work: Work | None = None) -> Allocation:
    """Give out the money of *contest* by its rule, in as many steps as *work* allows.

    Raises SourceMissing where the blend must wait for a source, AllocationImpossible where the
    contest contradicts itself, TooMuchWork.
    """
    work = work or Work()
    check(contest)
    scores = blended(contest.sources, contest.blend, [each.reference for each in contest.projects])
    order = in_order(contest, scores.scores)
    if contest.rule.rule == "equal_shares":
        outcome = equal_shares(contest, order, scores.scores, work)
        return Allocation(contest, order, scores, outcome.decisions, outcome, work)
    decisions = greedy(contest, order, scores.scores)
    return Allocation(contest, order, scores, decisions, work=work)
