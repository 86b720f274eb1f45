"""Why each project is funded or not, and what was missing: so that anyone can check it.

The votes missing are the least number of further votes with which the project would have been
funded, all else as it was. A greedy project that stands earlier in the order never finds less
room, so there is a last place at which it would still have been funded; whoever now stands there
is to be overtaken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil

from mvote.budget.allocating.blend import Scores
from mvote.budget.allocating.equal_shares import SharesOutcome
from mvote.budget.allocating.greedy import Decisions, funded_peer, greedy, pay, room_for
from mvote.budget.allocating.model import FUNDED, Code, Contest, Decision, Exact, Project
from mvote.budget.allocating.order import tie_key
from mvote.budget.allocating.pots import Pots
from mvote.budget.allocating.work import Work

BY_ITSELF: frozenset[Code] = frozenset(
    {"struck", "ranked", "unaffordable", "undecided", "not_allocated"}
)
"""Not for want of votes: nothing says how many more it would have needed."""


@dataclass(frozen=True, slots=True)
class Missing:
    """`votes` of a contest with one source, else `score`; `more_than` it, or at least so much."""

    votes: int | None = None
    score: Exact | None = None
    more_than: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """`votes` and `shares` (x) are by source; `supporters_money` is of equal shares, at its end."""

    decision: Decision
    rank: int
    score: Exact
    votes: Mapping[str, Exact]
    shares: Mapping[str, Fraction]
    missing: Missing | None = None
    supporters_money: Fraction | None = None


def votes_for(contest: Contest, reference: str) -> dict[str, Exact]:
    """What a project got from each source that is there."""
    return {
        each.key: each.tally.votes.get(reference, 0)
        for each in contest.sources
        if each.tally is not None
    }


@dataclass(frozen=True)
class Grounds:
    """What the explanations are made from."""

    contest: Contest
    order: Sequence[Project]
    scores: Scores
    decisions: Decisions
    shares: SharesOutcome | None = None
    work: Work = field(default_factory=Work)

    def explain(self) -> tuple[Explanation, ...]:
        """One for each project, in the published order."""
        return tuple(self._explained(rank, each) for rank, each in enumerate(self.order, start=1))

    def _explained(self, rank: int, project: Project) -> Explanation:
        reference = project.reference
        decision = self.decisions[reference]
        return Explanation(
            decision,
            rank,
            self.scores.scores[reference],
            votes_for(self.contest, reference),
            {key: x[reference] for key, x in self.scores.shares.items()},
            self._missing(rank - 1, project, decision),
            self._supporters_money(project, decision),
        )

    def _supporters_money(self, project: Project, decision: Decision) -> Fraction | None:
        if self.shares is None or decision.code != "unaffordable":
            return None
        run = self.shares.run
        return run.ledger().supporters_money(run.profile.projects.index(project))

    def _missing(self, place: int, project: Project, decision: Decision) -> Missing | None:
        if decision.code in FUNDED or decision.code in BY_ITSELF:
            return None
        if self.shares is not None and not self.shares.greedy_won:
            return None
        last = self.last_place(place, project)
        return None if last is None else self._to_overtake(last, place, project)

    def last_place(self, place: int, project: Project) -> int | None:
        """The last place (from 0) in front of which *project*, now at *place*, is funded."""
        if any(each.leftover == "to_parent" for each in self.contest.headings):
            return self._last_place_by_trying(place, project)
        return self._last_place_in_hindsight(place, project)

    def _last_place_in_hindsight(self, place: int, project: Project) -> int | None:
        """With one pass nobody in front of *project* is decided otherwise because of it."""
        contest = self.contest
        pots = Pots(contest.limit, contest.headings, contest.max_projects)
        line, before = pots.line_of(project), Decisions()
        self.work.decide_on(place)
        for here in range(place + 1):
            shut = any(pot.closed for pot in line) or funded_peer(
                project.reference, contest.rule, before
            )
            if shut or not room_for(project, line, contest.rule):
                return here - 1 if here else None
            other = self.order[here]
            done = before[other.reference] = self.decisions[other.reference]
            other_line = pots.line_of(other)
            if done.amount:
                pay(done.amount, other_line)
            for pot in other_line:
                pot.closed = pot.closed or pot.key == done.closes
        return place

    def _last_place_by_trying(self, place: int, project: Project) -> int | None:
        """The same where a second pass follows: by halving, for earlier is never worse."""
        if not self._is_funded_at(0, project):
            return None
        good, bad = 0, place + 1
        while bad - good > 1:
            middle = (good + bad) // 2
            if self._is_funded_at(middle, project):
                good = middle
            else:
                bad = middle
        return good

    def _is_funded_at(self, place: int, project: Project) -> bool:
        self.work.decide_on(len(self.order))
        others = [each for each in self.order if each is not project]
        rule = self.contest.rule
        scores = dict(self.scores.scores)
        if rule.floor is not None:
            scores[project.reference] = max(scores[project.reference], rule.floor)
        order = [*others[:place], project, *others[place:]]
        return greedy(self.contest, order, scores)[project.reference].code in FUNDED

    def _to_overtake(self, last: int, place: int, project: Project) -> Missing | None:
        score, floor = self.scores.scores[project.reference], self.contest.rule.floor
        to_floor = None if floor is None or score >= floor else floor - score
        ahead = self.order[last] if last < place else None
        to_score = None if ahead is None else self.scores.scores[ahead.reference] - score
        after = ahead is not None and self._comes_after(project, ahead)
        if len(self.contest.sources) == 1 and not (to_floor and self.contest.blend):
            return Missing(votes=self._votes(project, ahead, to_floor, after=after))
        if to_floor is not None and (to_score is None or to_floor > to_score):
            return Missing(score=to_floor)
        return None if to_score is None else Missing(score=to_score, more_than=after)

    def _votes(
        self, project: Project, ahead: Project | None, to_floor: Exact | None, *, after: bool
    ) -> int:
        (source,) = self.contest.sources
        votes = source.tally.votes if source.tally else {}
        needed = [] if to_floor is None else [ceil(to_floor)]
        if ahead is not None:
            gap = votes.get(ahead.reference, 0) - votes.get(project.reference, 0)
            needed.append(int(gap) + 1 if after else ceil(gap))
        return max(needed)

    def _comes_after(self, project: Project, other: Project) -> bool:
        """Which of the two a tie of their scores would put last.

        With one source a tie of scores is one of votes, and only the other ties can break it.
        """
        contest = self.contest
        if len(contest.sources) == 1:
            ties = tuple(tie for tie in contest.rule.ties if tie in ("lower_cost", "lot"))
            contest = replace(contest, rule=replace(contest.rule, ties=ties))
        key = tie_key(contest)
        return key(project) > key(other)
