"""Whether a definition contradicts itself: every contradiction, all at once."""

from __future__ import annotations

from mvote.budget.contradictions.contests import in_contests
from mvote.budget.contradictions.contradiction import Contradiction
from mvote.budget.contradictions.money import in_money
from mvote.budget.contradictions.projects import contradictions_with
from mvote.budget.contradictions.reviewing import in_review
from mvote.budget.contradictions.times import in_times
from mvote.budget.definition import Definition

__all__ = ["Contradiction", "contradictions", "contradictions_with"]


def contradictions(definition: Definition) -> list[Contradiction]:
    """All that is wrong with *definition*, in the order of its parts; empty if nothing is."""
    return [
        *in_money(definition),
        *in_times(definition),
        *in_review(definition),
        *in_contests(definition),
    ]
