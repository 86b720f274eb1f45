"""What becomes of each project: what the allocation proposes, and what the plenary changes of it.

Pure functions. The plenary may do otherwise than the vote where the cycle lets it, and says why in
public; it may never spend more than there is, nor fund what was struck.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from mvote.budget.allocating.model import BUDGET_LIMIT, FUNDED, Code, Contest
from mvote.budget.allocating.moving_up import has_peer, overspent
from mvote.errors import Fault, Text
from mvote.wording import Message, say

Verdict = Literal["funded", "reserve", "not_funded"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
MAY_MOVE_UP: frozenset[Code] = frozenset(
    {"does_not_fit", "closed", "unaffordable", "excluded_by", "ranked"}
)

PROPOSING_NOTHING: frozenset[Code] = frozenset({"ranked", "undecided"})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What becomes of one project. *amount* is 0 unless it is funded; *text* says why it deviates.

    *proposed* is what the allocation says; None where no limit binds, so that the vote only ranks,
    and where there is no result.
    """

    reference: str
    verdict: Verdict
    amount: int = 0
    proposed: tuple[Verdict, int] | None = None
    text: Text | None = None

    @property
    def deviates(self) -> bool:
        """Whether the plenary does otherwise than the vote."""
        return self.proposed is not None and self.proposed != (self.verdict, self.amount)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a motion says of one project; without *amount* it is the proposed one, or its cost."""

    reference: str
    verdict: Verdict
    amount: int | None = None
    text: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """One project in the published order of an allocation, as its document has it."""

    reference: str
    code: Code
    amount: int


@dataclass(frozen=True, kw_only=True)
class Deciding:
    """What a plenary decides on: the allocation in its published order, and the cycle's rules."""

    contest: Contest
    order: Sequence[Proposed]
    may_deviate: bool
    reserve_list: bool

    def proposed(self) -> dict[str, Outcome]:
        """What becomes of each project if nothing is changed; struck ones stay struck."""
        return {
            each.reference: self._proposed(each) for each in self.order if each.code != "struck"
        }

    def _proposed(self, project: Proposed) -> Outcome:
        verdict: Verdict = "not_funded"
        if project.code in FUNDED:
            verdict = "funded"
        elif self.reserve_list and project.code in MAY_MOVE_UP:
            verdict = "reserve"
        return Outcome(
            reference=project.reference,
            verdict=verdict,
            amount=project.amount,
            proposed=None if project.code in PROPOSING_NOTHING else (verdict, project.amount),
        )

    def decided(self, changes: Sequence[Change]) -> tuple[dict[str, Outcome], list[Fault]]:
        """What becomes of each project with *changes*, and everything that is wrong with them."""
        outcomes, faults = self.proposed(), list(self._unknown(changes))
        for n, change in enumerate(changes):
            if change.reference in outcomes:
                outcomes[change.reference] = self._changed(outcomes[change.reference], change)
                faults += self._in_change(n, change, outcomes[change.reference])
        if not faults:
            faults = [
                *self._passed_over(outcomes),
                *self._without_result(outcomes),
                *self._in_money(outcomes),
            ]
        return outcomes, faults

    def _unknown(self, changes: Sequence[Change]) -> Iterator[Fault]:
        seen: set[str] = set()
        struck = {each.reference for each in self.order if each.code == "struck"}
        known = {each.reference for each in self.order} - struck
        for n, change in enumerate(changes):
            pointer = f"/changes/{n}/reference"
            if change.reference in struck:
                yield _fault(pointer, "project-struck")
            elif change.reference not in known:
                yield _fault(pointer, "project-unknown")
            elif change.reference in seen:
                yield _fault(pointer, "project-repeated")
            seen.add(change.reference)

    def _changed(self, outcome: Outcome, change: Change) -> Outcome:
        amount = 0
        if change.verdict == "funded":
            amount = change.amount or outcome.amount or self._cost_of(change.reference)
        return replace(outcome, verdict=change.verdict, amount=amount, text=change.text)

    def _cost_of(self, reference: str) -> int:
        return next(each.cost for each in self.contest.projects if each.reference == reference)

    def _in_change(self, n: int, change: Change, outcome: Outcome) -> Iterator[Fault]:
        pointer = f"/changes/{n}"
        if change.amount is not None and change.verdict != "funded":
            yield _fault(f"{pointer}/amount", "amount-without-funding")
        if outcome.amount > self._cost_of(change.reference):
            yield _fault(f"{pointer}/amount", "more-than-it-costs")
        if change.verdict == "reserve" and not self.reserve_list:
            yield _fault(f"{pointer}/decision", "no-reserve-list")
        if outcome.deviates and not self.may_deviate:
            yield _fault(f"{pointer}/decision", "no-deviation")
        elif outcome.deviates and outcome.text is None:
            yield _fault(f"{pointer}/text", "deviation-without-reason")

    def _passed_over(self, outcomes: Mapping[str, Outcome]) -> Iterator[Fault]:
        """Where the vote only ranks: whoever is left out before a funded project is told why."""
        ranked = [outcomes[each.reference] for each in self.order if each.code == "ranked"]
        funded = [n for n, each in enumerate(ranked) if each.verdict == "funded"]
        for each in ranked[: max(funded, default=0)]:
            if each.verdict != "funded" and each.text is None:
                yield _fault("/changes", "passed-over-without-reason", each.reference)

    def _without_result(self, outcomes: Mapping[str, Outcome]) -> Iterator[Fault]:
        """Where no vote speaks for a project, the plenary says why it is funded or in reserve."""
        undecided = [outcomes[each.reference] for each in self.order if each.code == "undecided"]
        for each in undecided:
            if each.verdict != "not_funded" and each.text is None:
                yield _fault("/changes", "chosen-without-reason", each.reference)

    def _in_money(self, outcomes: Mapping[str, Outcome]) -> Iterator[Fault]:
        amounts = {each.reference: each.amount for each in outcomes.values() if each.amount}
        if (heading := overspent(self.contest, amounts)) is not None:
            where = ALL_THE_MONEY if heading == BUDGET_LIMIT else heading
            yield _fault("/changes", "limit-overspent", where)
        for reference in sorted(amounts):
            if has_peer(reference, self.contest.rule, set(amounts)):
                yield _fault("/changes", "excluded-by-another", reference)


ALL_THE_MONEY = say("the whole budget")
TEXTS: dict[str, Message] = {
    "project-struck": say("A struck project is never funded."),
    "project-unknown": say("No such project stands on the ballot."),
    "project-repeated": say("The project is named twice."),
    "amount-without-funding": say("Only what is funded has an amount."),
    "more-than-it-costs": say("It is more than the project costs."),
    "no-reserve-list": say("The cycle has no reserve list."),
    "no-deviation": say("The cycle does not let the plenary deviate from the vote."),
    "deviation-without-reason": say("A deviation from the vote needs a public reason."),
    "passed-over-without-reason": say(
        "It ranks before a funded project and needs a public reason: {fact}"
    ),
    "chosen-without-reason": say(
        "No vote speaks for it, so that it needs a public reason: {fact}"
    ),
    "limit-overspent": say("The limit of {fact} is overspent."),
    "excluded-by-another": say("It may not be funded beside another: {fact}"),
}  # fmt: skip


def _fault(pointer: str, code: str, fact: str = "") -> Fault:
    return Fault(pointer, TEXTS[code].format(fact=fact), code=code)
