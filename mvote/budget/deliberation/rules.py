"""How a cycle deliberates: its review, read, and the majority that it asks for."""

from __future__ import annotations

from mvote.budget.cycle import Cycle
from mvote.budget.definition import Review
from mvote.budget.definition.reading import read
from mvote.budget.judging import Majority
from mvote.errors import NotFound


def review_of(cycle: Cycle) -> Review:
    """How the cycle reviews. Raises NotFound where it does not."""
    if cycle.definition.get("review") is None:
        raise NotFound
    found: Review = read(Review, cycle.definition["review"])
    return found


def rule_of_review(review: Review) -> Majority:
    """Quorum, majority and floor; where nobody is left, others judge in any case."""
    return Majority(
        quorum=review.quorum.more_than,
        carried=review.carried.more_than,
        floor=max(review.quorum.floor, 1),
    )
