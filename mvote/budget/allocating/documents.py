"""An allocation as JSON. What is no whole number is text: `"25/3"`; nothing is rounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mvote.budget.allocating.allocation import Allocation
from mvote.budget.allocating.comparisons import Comparison
from mvote.budget.allocating.explaining import Explanation, votes_for
from mvote.budget.allocating.model import Decision, Exact, Rule

Json = Any


def document(binding: Allocation, comparisons: Iterable[Comparison], *, rule: str) -> Json:
    """`{"binding": {…}, "comparisons": […]}`; *rule* is what the binding rule is called."""
    return {
        "binding": allocation_document(binding, rule),
        "comparisons": [compared_document(each) for each in comparisons],
    }


def allocation_document(allocation: Allocation, rule: str) -> Json:
    """The rule, who is funded with how much and how many votes, and the reasons for all."""
    return {
        "rule": rule,
        "funded": _funded_by(allocation),
        "spent": allocation.spent,
        "weights": _exactly(allocation.scores.weights),
        "absent_sources": list(allocation.scores.absent),
        "order": [each.reference for each in allocation.order],
        "projects": [_explained(each) for each in allocation.explanations],
        **_shares(allocation),
    }


def _shares(allocation: Allocation) -> dict[str, Json]:
    shares = allocation.shares
    if shares is None:
        return {}
    named = ("equal_shares", "greedy")
    preferred = shares.preferred and dict(zip(named, shares.preferred, strict=True))
    return {
        "equal_shares": {
            "money_each": written(shares.money_each),
            "runs": shares.runs,
            "preferred_by": preferred,
            "greedy_won": shares.greedy_won,
        }
    }


def compared_document(comparison: Comparison) -> Json:
    """One comparison: who would have been funded, or the reason why it cannot say."""
    facts = {"rule": comparison.name, "recountable": comparison.recountable}
    if comparison.allocation is None:
        return facts | {"funded": None, "reason": comparison.reason}
    allocation = comparison.allocation
    return facts | {"funded": _funded_by(allocation), "spent": allocation.spent}


def _funded_by(allocation: Allocation) -> list[Json]:
    return [_funded(allocation, each) for each in allocation.funded]


def _funded(allocation: Allocation, decision: Decision) -> Json:
    """`votes` is a number where there is one source, else by source."""
    votes = _exactly(votes_for(allocation.contest, decision.reference))
    return {
        "reference": decision.reference,
        "amount": decision.amount,
        "votes": next(iter(votes.values())) if len(votes) == 1 else votes,
    }


def _explained(explanation: Explanation) -> Json:
    decision, missing = explanation.decision, explanation.missing
    facts = {
        "reference": decision.reference,
        "rank": explanation.rank,
        "score": written(explanation.score),
        "votes": _exactly(explanation.votes),
        "shares": _exactly(explanation.shares),
        "decision": decision.code,
        "amount": decision.amount,
        "heading": decision.heading,
        "left": decision.left,
        "excluded_by": decision.peer,
        "votes_missing": missing and missing.votes,
        "score_missing": (missing and missing.score is not None and written(missing.score)) or None,
        "supporters_money": (explanation.supporters_money is not None
        and written(explanation.supporters_money)) or None,
    }  # fmt: skip
    return facts | ({"more_than": True} if missing and missing.more_than else {})


def _exactly(numbers: Mapping[str, Exact]) -> dict[str, int | str]:
    return {key: written(number) for key, number in numbers.items()}


def written(number: Exact) -> int | str:
    """Whole numbers as they are, fractions as `"numerator/denominator"` in lowest terms."""
    if isinstance(number, int) or number.denominator == 1:
        return int(number)
    return f"{number.numerator}/{number.denominator}"


def rule_name(rule: Rule) -> str:
    """`greedy`, `greedy/stop`, `equal_shares`, `equal_shares/add1`, …"""
    if rule.rule == "greedy":
        return "greedy" if rule.on_no_fit == "skip" else "greedy/stop"
    name = rule.rule if rule.completion == "none" else f"{rule.rule}/{rule.completion}"
    return f"{name}-comparison" if rule.comparison else name
