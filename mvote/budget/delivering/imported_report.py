"""The report of a cycle that was held elsewhere: of its projects, what the file and its rule say.

What became of them afterwards nobody here knows: their last stage is that they were funded.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.allocations import allocation_of
from mvote.budget.cycle import Cycle
from mvote.budget.delivering.report import Reported
from mvote.budget.imported import CONTEST, ImportedProject


def reported_from_file(
    session: Session, cycle: Cycle, *, after: int = 0, limit: int
) -> Sequence[Reported]:
    """Projects of an imported cycle in the file's order, numbered from 1, behind *after*.

    Money is in the smallest unit of its currency.
    """
    mine = select(ImportedProject).where(
        ImportedProject.cycle_id == cycle.id, ImportedProject.n >= after
    )
    found = session.scalars(mine.order_by(ImportedProject.n).limit(limit)).all()
    binding = allocation_of(session, cycle=cycle, contest=CONTEST).document["binding"]
    funded: dict[str, int] = {each["reference"]: each["amount"] for each in binding["funded"]}
    language = next(iter(cycle.title))
    return [_reported(each, funded.get(each.reference), language) for each in found]


def _reported(project: ImportedProject, funded: int | None, language: str) -> Reported:
    unknown = dict.fromkeys(
        (
            "id", "heading", "kind", "assessed_amount", "enacted_amount", "department_id",
            "percent", "spent",
        )
    )  # fmt: skip
    return Reported(
        number=project.n + 1,
        revision=0,
        reference=project.reference,
        state="not_funded" if funded is None else "funded",
        title={language: project.name},
        area_codes=[],
        amount=project.cost,
        funded_amount=funded,
        **unknown,
    )
