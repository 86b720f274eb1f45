"""Contradictions in headings, limits and caps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mvote.budget.contradictions.contradiction import Contradiction
from mvote.budget.definition import CostCap, Definition, Heading, HeadingTree

DEEPEST = 10
"""Levels of headings: more than any city has, and what a walk through the tree can bear."""


def in_money(definition: Definition) -> Iterator[Contradiction]:
    """What contradicts itself in headings, kinds and caps."""
    tree = HeadingTree(definition.headings)
    yield from repeated_keys("/headings", (each.key for each in definition.headings))
    yield from repeated_keys("/kinds", (each.key for each in definition.kinds))
    for n, heading in enumerate(definition.headings):
        yield from _in_place(heading, tree, f"/headings/{n}")
        yield from _in_limit(heading, tree, definition, f"/headings/{n}")
    for n, cap in enumerate(definition.cost_caps):
        yield from _in_cap(cap, tree, definition, f"/cost_caps/{n}")
        yield from _against_other_caps(definition.cost_caps, n, tree)


def repeated_keys(pointer: str, keys: Iterable[str]) -> Iterator[Contradiction]:
    """Keys that were used before in the list at *pointer*."""
    seen: set[str] = set()
    for n, key in enumerate(keys):
        if key in seen:
            yield Contradiction("key-repeated", f"{pointer}/{n}/key", {"key": key})
        seen.add(key)


def money_above(heading: Heading, tree: HeadingTree, definition: Definition) -> int | None:
    """The tightest limit above the heading, its own left out; None if nothing binds."""
    above = [each.limit for each in tree.upwards(heading.key)[1:]]
    found = [limit for limit in (*above, definition.budget_limit) if limit is not None]
    return min(found, default=None)


def money_for(heading: Heading, tree: HeadingTree, definition: Definition) -> int | None:
    """The tightest limit on or above the heading; None if nothing binds."""
    found = [heading.limit, money_above(heading, tree, definition)]
    return min((limit for limit in found if limit is not None), default=None)


def _in_place(heading: Heading, tree: HeadingTree, pointer: str) -> Iterator[Contradiction]:
    if heading.parent is None:
        return
    if heading.parent not in tree:
        yield Contradiction("unknown-parent", f"{pointer}/parent", {"key": heading.parent})
    elif tree.goes_in_circles(heading.key):
        yield Contradiction("headings-in-a-circle", f"{pointer}/parent", {"key": heading.key})
    elif len(tree.upwards(heading.key)) > DEEPEST:
        yield Contradiction("headings-too-deep", f"{pointer}/parent", {"deepest": DEEPEST})


def _in_limit(
    heading: Heading, tree: HeadingTree, definition: Definition, pointer: str
) -> Iterator[Contradiction]:
    above = money_above(heading, tree, definition)
    if heading.limit is not None and above is not None and heading.limit > above:
        yield Contradiction("limit-above-parent", f"{pointer}/limit", {"above": above})
    if heading.leftover == "to_parent" and above is None:
        yield Contradiction("leftover-without-parent", f"{pointer}/leftover")
    if heading.decided == "here":
        yield from _without_money(heading, tree, definition, pointer)


def _without_money(
    heading: Heading, tree: HeadingTree, definition: Definition, pointer: str
) -> Iterator[Contradiction]:
    facts: dict[str, object] = {"key": heading.key}
    mine = money_for(heading, tree, definition)
    given_away = _given_away(definition, tree)
    if (
        mine == 0
        or heading.max_projects == 0
        or (definition.budget_limit is not None and given_away >= definition.budget_limit)
    ):
        yield Contradiction("heading-without-money", pointer, facts)
    elif mine is None and not tree.children(heading.key) and _has_limits(definition):
        yield Contradiction("heading-without-limit", pointer, facts)


def _given_away(definition: Definition, tree: HeadingTree) -> int:
    """The money on which others decide."""
    return sum(
        each.limit or 0
        for each in definition.headings
        if each.decided == "elsewhere"
        and all(above.decided == "here" for above in tree.upwards(each.key)[1:])
    )


def _has_limits(definition: Definition) -> bool:
    return any(each.limit is not None for each in definition.headings if each.decided == "here")


def _in_cap(
    cap: CostCap, tree: HeadingTree, definition: Definition, pointer: str
) -> Iterator[Contradiction]:
    if cap.kind is not None and cap.kind not in {each.key for each in definition.kinds}:
        yield Contradiction("unknown-kind", f"{pointer}/kind", {"key": cap.kind})
    if cap.max == 0:
        yield Contradiction("cap-of-nothing", f"{pointer}/max")
    if cap.heading is not None and cap.heading not in tree:
        yield Contradiction("unknown-heading", f"{pointer}/heading", {"key": cap.heading})
        return
    most = definition.budget_limit
    if cap.heading is not None:
        most = money_for(tree[cap.heading], tree, definition)
    if most is not None and cap.max > most:
        yield Contradiction("cap-above-limit", f"{pointer}/max", {"above": most})


def _against_other_caps(
    caps: tuple[CostCap, ...], n: int, tree: HeadingTree
) -> Iterator[Contradiction]:
    cap = caps[n]
    for m, other in enumerate(caps):
        if (cap.heading, cap.kind) == (other.heading, other.kind):
            if m < n:
                yield Contradiction("cap-repeated", f"/cost_caps/{n}")
        elif _is_wider(other, cap, tree) and cap.max > other.max:
            facts: dict[str, object] = {"above": other.max}
            yield Contradiction("cap-above-wider-cap", f"/cost_caps/{n}/max", facts)


def _is_wider(other: CostCap, cap: CostCap, tree: HeadingTree) -> bool:
    """Whether *other* binds every project that *cap* binds."""
    above = {each.key for each in tree.upwards(cap.heading)} if cap.heading else set()
    return (other.heading is None or other.heading in above) and other.kind in (None, cap.kind)
