"""The projects of a contest: as they stand on its ballot, and what became of them since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from mvote.budget.allocating.model import Project
from mvote.budget.balloting.contest_poll import contest_in
from mvote.budget.balloting.projects import ELIGIBLE, Option, question_of_contest
from mvote.budget.cycle import Cycle
from mvote.budget.definition import HeadingTree, read_definition
from mvote.budget.proposal import Proposal
from mvote.budget.revision import Revision


def options_of(session: Session, cycle: Cycle, contest: str) -> list[Option]:
    """The frozen options of the contest, the struck ones, too; none before its first poll."""
    question = question_of_contest(session, cycle=cycle, contest=contest)
    return [] if question is None else list(question["options"])


def references_in(session: Session, cycle: Cycle, contest: str) -> frozenset[str]:
    """What is on the ballot of the contest, or will be as far as is known today."""
    frozen = options_of(session, cycle, contest)
    if frozen:
        return frozenset(each["reference"] for each in frozen)
    tree = HeadingTree(read_definition(cycle.definition).headings)
    under = {key for root in contest_in(cycle, contest)["headings"] for key in tree.beneath(root)}
    is_text = and_(Revision.proposal_id == Proposal.id, Revision.n == Proposal.revision)
    approved = (
        select(Proposal.reference)
        .join(Revision, is_text)
        .where(
            Proposal.cycle_id == cycle.id, Proposal.state.in_(ELIGIBLE), Revision.heading.in_(under)
        )
    )
    return frozenset(str(each) for each in session.scalars(approved))


def struck_in(session: Session, cycle: Cycle, references: Iterable[str]) -> frozenset[str]:
    """Which of *references* were struck from the ballot."""
    struck = select(Proposal.reference).where(
        Proposal.cycle_id == cycle.id,
        Proposal.state == "struck",
        Proposal.reference.in_(references),
    )
    return frozenset(str(each) for each in session.scalars(struck))


def as_projects(options: Iterable[Option], struck: frozenset[str]) -> list[Project]:
    """The options as allocations know them, at the price that was frozen with the poll."""
    return [
        Project(
            each["reference"],
            each["amount"],
            each["heading"],
            each["reference"] in struck,
            each.get("min_useful_amount"),
        )
        for each in options
    ]


def groups_in(options: Iterable[Option]) -> dict[str, list[str]]:
    """Which references a group of the contest holds."""
    groups: dict[str, list[str]] = {}
    for each in options:
        for group in each.get("groups", ()):
            groups.setdefault(group, []).append(each["reference"])
    return groups


def as_json(projects: Iterable[Project]) -> list[dict[str, Any]]:
    """The projects as an allocation's `inputs` name them."""
    return [
        {
            "reference": each.reference,
            "cost": each.cost,
            "heading": each.heading,
            "struck": each.struck,
            "min_useful_amount": each.min_useful_amount,
        }
        for each in projects
    ]


def from_json(projects: Iterable[Mapping[str, Any]]) -> list[Project]:
    """The projects that an allocation went by."""
    return [
        Project(
            each["reference"],
            each["cost"],
            each["heading"],
            each["struck"],
            each["min_useful_amount"],
        )
        for each in projects
    ]
