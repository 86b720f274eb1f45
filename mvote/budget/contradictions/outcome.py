"""Contradictions in blend and allocation."""

from __future__ import annotations

from collections.abc import Iterator

from mvote.budget.contradictions.contradiction import Contradiction
from mvote.budget.contradictions.money import money_for
from mvote.budget.definition import Allocation, Contest, Definition, HeadingTree
from mvote.budget.definition.contests import COMPARISONS, ONLY, TIES_WITHOUT_VOTES, USUAL_STEP

FEWEST_EXCLUSIVE = 2
SHARE = "share_of_ballots"
SEVERAL_A_BALLOT = ("points", "ranking")
"""Methods by which one ballot adds more than one to a project: its share could be above one."""


def in_outcome(
    contest: Contest, definition: Definition, tree: HeadingTree, at: str
) -> Iterator[Contradiction]:
    """What contradicts itself in how votes become an allocation, in the contest at *at*."""
    yield from _in_blend(contest, f"{at}/blend")
    yield from _in_names(contest, f"{at}/allocation")
    yield from _in_exclusive(contest, f"{at}/allocation/exclusive")
    if contest.allocation.max_projects == 0:
        yield Contradiction("no-project-funded", f"{at}/allocation/max_projects")
    if contest.allocation.rule == "equal_shares":
        yield from _in_equal_shares(contest, definition, tree, at)
    else:
        yield from _in_greedy(contest.allocation, f"{at}/allocation")


def _in_blend(contest: Contest, pointer: str) -> Iterator[Contradiction]:
    blend = contest.blend
    if blend.normalise == SHARE and contest.ballot.method in SEVERAL_A_BALLOT:
        yield Contradiction("share-needs-approvals", f"{pointer}/normalise")
    if blend.normalise != "of_scale":
        if blend.scale is not None:
            yield Contradiction("scale-without-use", f"{pointer}/scale")
        return
    if blend.scale is None:
        yield Contradiction("no-scale", f"{pointer}/normalise")
    if contest.ballot.method != "points":
        yield Contradiction("scores-without-points", f"{pointer}/normalise")


def _in_names(contest: Contest, pointer: str) -> Iterator[Contradiction]:
    """Ties and comparisons speak of sources that are there."""
    sources = {each.key for each in contest.sources}
    ties = contest.allocation.ties
    for n, key in enumerate(ties):
        if key not in sources | set(TIES_WITHOUT_VOTES):
            yield Contradiction("unknown-tie", f"{pointer}/ties/{n}", {"key": key})
        if key in ties[:n]:
            yield Contradiction("tie-repeated", f"{pointer}/ties/{n}", {"key": key})
    known = {*COMPARISONS, *(f"{key}{ONLY}" for key in sources)}
    for n, key in enumerate(contest.allocation.compare):
        if key not in known:
            yield Contradiction("unknown-comparison", f"{pointer}/compare/{n}", {"key": key})
        if key == SHARE and contest.ballot.method in SEVERAL_A_BALLOT:
            yield Contradiction("share-needs-approvals", f"{pointer}/compare/{n}")


def _in_exclusive(contest: Contest, pointer: str) -> Iterator[Contradiction]:
    groups = {each.key for each in contest.groups}
    for n, names in enumerate(contest.allocation.exclusive):
        if len(set(names)) < FEWEST_EXCLUSIVE and not groups & set(names):
            yield Contradiction("exclusive-set-of-one", f"{pointer}/{n}")


def _in_equal_shares(
    contest: Contest, definition: Definition, tree: HeadingTree, at: str
) -> Iterator[Contradiction]:
    allocation = contest.allocation
    if contest.ballot.method != "approve":
        yield Contradiction("equal-shares-need-approval", f"{at}/ballot/method")
    if not _is_one_pot(contest, definition, tree):
        yield Contradiction("equal-shares-need-one-pot", f"{at}/headings")
    polls = [each for each in contest.sources if each.kind == "poll"]
    if len(polls) != 1 or len(contest.sources) != 1:
        yield Contradiction("equal-shares-need-one-poll", f"{at}/sources")
    for n, source in enumerate(contest.sources):
        keeps_totals = contest.records_of(source) != "full" or source.roll is not None
        if source.kind == "poll" and keeps_totals:
            pointer = f"{at}/sources/{n}/records"
            yield Contradiction("equal-shares-need-full-records", pointer)
    if allocation.part_funding:
        yield Contradiction("part-funding-needs-greedy", f"{at}/allocation/part_funding")
    if allocation.step == 0:
        yield Contradiction("step-of-nothing", f"{at}/allocation/step")


def _is_one_pot(contest: Contest, definition: Definition, tree: HeadingTree) -> bool:
    """Whether exactly one limit divides the money: on the one root, or above all roots."""
    roots = [tree[key] for key in contest.headings if key in tree]
    beneath = {key for each in roots for key in tree.beneath(each.key)} - {r.key for r in roots}
    if any(tree[key].limit is not None or tree[key].max_projects is not None for key in beneath):
        return False
    if contest.allocation.max_projects is not None or any(
        each.max_projects is not None for each in roots
    ):
        return False
    if len(roots) == 1:
        return money_for(roots[0], tree, definition) is not None
    lines = {
        tuple(above.key for above in tree.upwards(each.key) if above.limit is not None)
        for each in roots
    }
    is_shared = not any(each.limit is not None for each in roots) and len(lines) == 1
    return is_shared and money_for(roots[0], tree, definition) is not None


def _in_greedy(allocation: Allocation, pointer: str) -> Iterator[Contradiction]:
    unused = {
        "completion": "none", "comparison": False, "step": USUAL_STEP, "few_ballots": "greedy",
    }  # fmt: skip
    for member, default in unused.items():
        if getattr(allocation, member) != default:
            facts: dict[str, object] = {"member": member}
            yield Contradiction("only-of-equal-shares", f"{pointer}/{member}", facts)
