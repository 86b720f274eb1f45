"""Contradictions that show only once the projects of a contest are known: before its polls open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mvote.budget.contradictions.contradiction import Contradiction
from mvote.budget.contradictions.money import money_for
from mvote.budget.definition import Definition, HeadingTree
from mvote.budget.limits import Project, freeze_limits
from mvote.budget.satisfying import Paper, never_satisfied


def contradictions_with(
    definition: Definition, *, contest: int, projects: Sequence[Project]
) -> list[Contradiction]:
    """What the *projects* of the contest with this number make impossible in a definition that
    does not contradict itself."""
    tree = HeadingTree(definition.headings)
    at = f"/contests/{contest}"
    return [
        *_in_limits(definition, tree, contest, projects, f"{at}/ballot/limits"),
        *_in_exclusive(definition, tree, contest, projects, f"{at}/allocation/exclusive"),
    ]


def _in_limits(
    definition: Definition, tree: HeadingTree, contest: int, projects: Sequence[Project], at: str
) -> Iterator[Contradiction]:
    asked = definition.contests[contest]
    paper = Paper(
        limits=freeze_limits(asked.ballot.limits, projects=projects, tree=tree),
        tree=tree,
        roots=asked.headings,
        kinds=[each.key for each in definition.kinds],
        projects=projects,
    )
    for each in never_satisfied(paper):
        yield Contradiction(
            "never-satisfied",
            f"{at}/{each.number}/{each.measure}",
            {"measure": each.measure, "least": each.least, "most": each.most},
        )


def _in_exclusive(
    definition: Definition, tree: HeadingTree, contest: int, projects: Sequence[Project], at: str
) -> Iterator[Contradiction]:
    for n, names in enumerate(definition.contests[contest].allocation.exclusive):
        members = [each for each in projects if {each.key, *each.groups} & set(names)]
        if members and not any(_fits_alone(each, tree, definition) for each in members):
            yield Contradiction("exclusive-set-never-funded", f"{at}/{n}")


def _fits_alone(project: Project, tree: HeadingTree, definition: Definition) -> bool:
    most = money_for(tree[project.heading], tree, definition)
    return most is None or project.cost <= most
