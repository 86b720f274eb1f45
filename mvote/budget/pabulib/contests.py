"""From a .pb file to a contest that can be allocated, and what has to be said about it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace

from mvote.budget.allocating.model import Contest, Project, Source, Tally
from mvote.budget.pabulib.elections import Head
from mvote.budget.pabulib.reading import PbElection, Totals
from mvote.budget.pabulib.rules import APPROVALS

VOTERS = "voters"
EXCLUSIVE = "Mutually exclusive projects: "
STRUCK = "Struck from the ballot, never funded: "
"""With these begin the numbered comments in which our own exports name what has no field."""
_COMMENTS = re.compile(r"#\d+:\s*")


def contest_of(election: PbElection) -> Contest:
    """The contest by the file's rule. Ties: lower cost, then a lot whose seed is the file's head.

    The format knows no other tie-breaking; what a city did is not in the file.
    """
    head, totals = election.head, election.totals
    rule = replace(head.rule.rule, floor=head.floor, exclusive=exclusive_sets(head))
    source = Source(VOTERS, Tally(scores_of(head, totals), totals.ballots))
    struck = struck_in(head)
    projects = tuple(
        Project(each.reference, each.cost, struck=each.reference in struck)
        for each in head.projects
    )
    approvals = totals.approvals if head.vote_type in APPROVALS else None
    return Contest(projects, (source,), head.budget, rule, seed=seed_of(head), approvals=approvals)


def scores_of(head: Head, totals: Totals) -> dict[str, int]:
    """Votes of approval ballots, points of all others."""
    default = head.default_score if head.vote_type == "scoring" else 0
    return {
        each.reference: totals.points[each.reference]
        + default * (totals.ballots - totals.votes[each.reference])
        for each in head.projects
    }


def struck_in(head: Head) -> frozenset[str]:
    """What may not be funded: named by a comment of ours, or withdrawn by an impossible cost."""
    named = {reference for group in _commented(head, STRUCK) for reference in group}
    withdrawn = {each.reference for each in head.projects if each.withdrawn}
    dear = {each.reference for each in head.projects if each.cost > head.budget}
    return frozenset(named | (withdrawn & dear))


def seed_of(head: Head) -> bytes:
    """Public and fixed: the hash of what META says; how it is spaced does not matter."""
    text = "\n".join(f"{key};{' '.join(value.split())}" for key, value in head.meta.items())
    return hashlib.sha256(text.encode()).digest()


def exclusive_sets(head: Head) -> tuple[frozenset[str], ...]:
    """The sets that a numbered comment names; the format itself has no field for them."""
    known = {each.reference for each in head.projects}
    groups = (frozenset(each) & known for each in _commented(head, EXCLUSIVE))
    return tuple(group for group in groups if len(group) > 1)


def _commented(head: Head, kind: str) -> Iterator[list[str]]:
    for comment in _COMMENTS.split(head.meta.get("comment", "")):
        if comment.startswith(kind):
            for group in comment.removeprefix(kind).strip().split(" | "):
                yield [reference.strip() for reference in group.split(",")]


def notes_of(election: PbElection) -> tuple[str, ...]:
    """Sentences to stand beside the allocation: where it is not simply the file's rule."""
    return tuple(_notes(election))


def _notes(election: PbElection) -> Iterator[str]:
    head, totals = election.head, election.totals
    if head.rule.note:
        yield head.rule.note
    if head.rule.name == "greedy-exclusive" and not exclusive_sets(head):
        yield "The file does not say which projects exclude each other; none are excluded."
    if struck := struck_in(head):
        yield f"Withdrawn after the vote: {', '.join(sorted(struck))}."
    scores = scores_of(head, totals)
    for each in head.projects:
        counted = scores[each.reference]
        if each.score is not None and each.score != counted:
            yield f"{each.reference} has the score {each.score} in the file, counted: {counted}."
