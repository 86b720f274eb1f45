"""Contradictions in contests: their headings, and the money that they share."""

from __future__ import annotations

from collections.abc import Iterator

from mvote.budget.contradictions.ballots import in_ballot
from mvote.budget.contradictions.contradiction import Contradiction
from mvote.budget.contradictions.money import repeated_keys
from mvote.budget.contradictions.outcome import in_outcome
from mvote.budget.contradictions.sources import in_sources
from mvote.budget.definition import Definition, Heading, HeadingTree


def in_contests(definition: Definition) -> Iterator[Contradiction]:
    """What contradicts itself in the contests, and between them."""
    tree = HeadingTree(definition.headings)
    yield from repeated_keys("/contests", (each.key for each in definition.contests))
    yield from _in_headings(definition, tree)
    yield from _left_out(definition, tree)
    yield from _sharing(definition, tree)
    for n, contest in enumerate(definition.contests):
        pointer = f"/contests/{n}"
        yield from repeated_keys(f"{pointer}/groups", (each.key for each in contest.groups))
        yield from in_sources(contest, definition, pointer)
        yield from in_ballot(contest, definition, tree, pointer)
        yield from in_outcome(contest, definition, tree, pointer)


def _in_headings(definition: Definition, tree: HeadingTree) -> Iterator[Contradiction]:
    taken: set[str] = set()
    for n, contest in enumerate(definition.contests):
        for m, key in enumerate(contest.headings):
            pointer = f"/contests/{n}/headings/{m}"
            facts: dict[str, object] = {"key": key}
            if key not in tree:
                yield Contradiction("unknown-heading", pointer, facts)
                continue
            if any(each.decided == "elsewhere" for each in tree.upwards(key)):
                yield Contradiction("heading-decided-elsewhere", pointer, facts)
            if taken & tree.beneath(key):
                yield Contradiction("heading-in-two-contests", pointer, facts)
            taken |= tree.beneath(key)


def _left_out(definition: Definition, tree: HeadingTree) -> Iterator[Contradiction]:
    """A heading that is decided here, but by no contest: nobody could vote on its projects."""
    decided = {
        key for each in definition.contests for root in each.headings for key in tree.beneath(root)
    }
    for n, heading in enumerate(definition.headings):
        is_here = all(each.decided == "here" for each in tree.upwards(heading.key))
        is_leaf = not tree.children(heading.key)
        if decided and is_here and is_leaf and heading.key not in decided:
            facts: dict[str, object] = {"key": heading.key}
            yield Contradiction("heading-in-no-contest", f"/headings/{n}", facts)


def _sharing(definition: Definition, tree: HeadingTree) -> Iterator[Contradiction]:
    """Contests are allocated each by itself: what they share must be divided beforehand."""
    shares = [
        (n, tree[key])
        for n, contest in enumerate(definition.contests)
        for key in contest.headings
        if key in tree
    ]
    elsewhere = [each for each in definition.headings if each.decided == "elsewhere"]
    shared = [
        (each.limit, each.key, f"/headings/{n}") for n, each in enumerate(definition.headings)
    ]
    for limit, key, pointer in [(definition.budget_limit, None, "/budget_limit"), *shared]:
        of_contests = [(n, each) for n, each in shares if _lies_beneath(each, key, tree)]
        others = [each for each in elsewhere if _lies_beneath(each, key, tree)]
        if limit is not None and len({n for n, _ in of_contests}) > 1:
            parts = [each for _, each in of_contests] + others
            yield from _in_parts(parts, limit, pointer)


def _lies_beneath(heading: Heading, key: str | None, tree: HeadingTree) -> bool:
    return key is None or key in {each.key for each in tree.upwards(heading.key)[1:]}


def _in_parts(parts: list[Heading], limit: int, pointer: str) -> Iterator[Contradiction]:
    for each in parts:
        if each.limit is None:
            yield Contradiction("contest-without-limit", pointer, {"key": each.key})
    together = sum(each.limit or 0 for each in parts)
    if together > limit:
        yield Contradiction("contests-overspend", pointer, {"sum": together, "above": limit})
