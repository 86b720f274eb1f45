"""The published order: score, then the ties in turn; in the end a lot that anyone can draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mvote.budget.allocating.model import Contest, Exact, Project
from mvote.budget.drawing.lots import lot

Key = tuple[Any, ...]
"""Sorts: the smaller, the earlier."""


def tie_key(contest: Contest) -> Callable[[Project], Key]:
    """Tells equal scores apart by the contest's `ties`; the lot comes last even if unnamed."""
    votes = {each.key: each.tally.votes if each.tally else {} for each in contest.sources}
    ties = (*(tie for tie in contest.rule.ties if tie != "lot"), "lot")

    def key(project: Project) -> Key:
        return tuple(_tie(tie, project, votes, contest.seed) for tie in ties)

    return key


def _tie(tie: str, project: Project, votes: Mapping[str, Mapping[str, Exact]], seed: bytes) -> Any:
    if tie == "lot":
        return lot(seed, project.reference)
    if tie == "lower_cost":
        return project.cost
    return -votes.get(tie, {}).get(project.reference, 0)


def in_order(contest: Contest, scores: Mapping[str, Exact]) -> tuple[Project, ...]:
    """All projects, struck ones too, first the highest score."""
    key = tie_key(contest)
    return tuple(sorted(contest.projects, key=lambda each: (-scores[each.reference], *key(each))))


def ranks(order: Sequence[Project]) -> dict[str, int]:
    """The place of each reference in *order*, from 1."""
    return {project.reference: place for place, project in enumerate(order, start=1)}
