"""The rules of a project ballot as a frozen definition holds them: read once, kept in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mvote.budget.definition import Heading, HeadingTree, Limit
from mvote.budget.definition.reading import read
from mvote.budget.limits import BrokenLimit, Mark, Project, broken_limits


@dataclass(frozen=True, kw_only=True)
class BallotRules:
    """What the marks of a project ballot must keep to."""

    limits: Sequence[Limit]
    projects: Mapping[str, Project]
    tree: HeadingTree
    #: a ballot that breaks a limit may be cast all the same, and is counted as spoilt
    may_spoil: bool

    def broken_by(self, marks: Mapping[str, int]) -> list[BrokenLimit]:
        """Every limit that a ballot does not keep to which gives these *marks* by key."""
        return broken_limits(
            self.limits,
            marks=[Mark(key, points) for key, points in marks.items()],
            projects=self.projects,
            tree=self.tree,
        )


def read_rules(question: Mapping[str, Any]) -> BallotRules | None:
    """The rules in a frozen question; None if it is no project ballot.

    `limits` are as in a cycle's definition, their shares numbers; `headings` are those that the
    projects lie under, with their parents.
    """
    if "limits" not in question:
        return None
    return BallotRules(
        limits=read(tuple[Limit, ...], question["limits"]),
        projects={option["key"]: project_of(option) for option in question["options"]},
        tree=HeadingTree(read(tuple[Heading, ...], question["headings"])),
        may_spoil=question["wrong"] == "spoil",
    )


def project_of(option: Mapping[str, Any]) -> Project:
    """The project that an option is, as far as limits ask."""
    return Project(
        key=option["key"],
        heading=option["heading"],
        kind=option.get("kind"),
        cost=option["amount"],
        groups=frozenset(option.get("groups", ())),
    )
