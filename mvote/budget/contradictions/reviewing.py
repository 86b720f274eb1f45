"""Contradictions in the rules of the review."""

from __future__ import annotations

from collections.abc import Iterator

from mvote.budget.contradictions.contradiction import Contradiction
from mvote.budget.contradictions.money import repeated_keys
from mvote.budget.definition import Definition, Review


def in_review(definition: Definition) -> Iterator[Contradiction]:
    """What contradicts itself in the review."""
    review = definition.review
    if review is None:
        return
    yield from repeated_keys("/review/criteria", (each.key for each in review.criteria))
    if review.criteria and not any(each.weight for each in review.criteria):
        yield Contradiction("nothing-weighs", "/review/criteria")
    if review.decide.mode == "each" and review.decide.max_projects is not None:
        yield Contradiction("list-without-a-shortlist", "/review/decide/max_projects")
    for name, share in (
        ("quorum", review.quorum.more_than),
        ("carried", review.carried.more_than),
    ):
        if share >= 1:
            facts: dict[str, object] = {"share": share}
            yield Contradiction("fraction-never-exceeded", f"/review/{name}/more_than", facts)
    yield from _in_bodies(review)


def _in_bodies(review: Review) -> Iterator[Contradiction]:
    """Whoever stands in for a body, or judges an appeal against it, is somebody else."""
    for name in ("fallback", "appeal_body"):
        if getattr(review, name) == review.body:
            yield Contradiction("same-body", f"/review/{name}", {"body": review.body})
