"""Updating: an officer of the department that delivers a project says how far it is."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.delivering.update import (
    FINISHED,
    IN_DELIVERY,
    ProjectUpdate,
    city_day,
    updates_of,
)
from mvote.budget.files import unknown_files
from mvote.budget.looking_up import cycle_of, locked_proposal
from mvote.budget.proposal import Proposal
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest, NotAllowed
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen, Department
from mvote.wording import say

Said = dict[str, Any]
"""`text`, `percent`, `spent`, `milestones` with dates, `pictures`, `corrects`, `department_id`."""
FIRST_DAY, LAST_DAY = dt.date(1990, 1, 1), dt.date(2199, 12, 31)
UNDONE = say("Not all milestones are done.")
NO_DAY = say("From 1990 to 2199.")
DONE_LATER = say("What is done was done today or before.")


@dataclass(frozen=True, kw_only=True)
class ProjectUpdated(Event):
    kind: ClassVar[str] = "project:updated"
    n: int
    corrects: int | None
    department_id: uuid.UUID
    percent: int
    spent: int


def update_project(
    session: Session, *, proposal_id: uuid.UUID, by: Citizen, said: Said
) -> ProjectUpdate:
    """Say how far an enacted project is; the next update replaces it, nothing changes it.

    By the department that had it last; it may hand the project to another with the same words.
    Raises NotFound, ImpossibleTransition, NotAllowed, InvalidRequest.
    """
    proposal = locked_proposal(session, proposal_id, by.id)
    now = database_time(session)
    if proposal.state not in IN_DELIVERY:
        raise ImpossibleTransition(state=proposal.state_at(now), verb="update")
    last = next(iter(updates_of(session, proposal_id, before=None, limit=1)), None)
    department_id = _department(proposal, last, by)
    faults = [*_faults(session, said, last, city_day(cycle_of(session, proposal), now))]
    if faults:
        raise InvalidRequest(*faults)
    update = _kept(said, proposal_id, last, said.get("department_id") or department_id)
    update.by, update.at = by.id, now
    session.add(update)
    session.flush()
    facts = {name: getattr(update, name) for name in ("n", "corrects", "department_id", "percent",
                                                      "spent")}  # fmt: skip
    write_down(session, ProjectUpdated(**facts), actor_id=by.id, subject_id=proposal_id)
    return update


def _department(proposal: Proposal, last: ProjectUpdate | None, by: Citizen) -> uuid.UUID:
    """Who delivers it until now; a project that no department has is taken by the officer's."""
    theirs = last.department_id if last else proposal.department_id
    if theirs is None and by.department_ids:
        return min(by.department_ids)
    if theirs is None or theirs not in by.department_ids:
        raise NotAllowed(say("It is delivered by another department."))
    return theirs


def _faults(
    session: Session, said: Said, last: ProjectUpdate | None, today: dt.date
) -> Iterator[Fault]:
    yield from unknown_files(session, said)
    for n, milestone in enumerate(said["milestones"]):
        yield from _wrong_days(f"/milestones/{n}", milestone, today)
    if said["percent"] == FINISHED and _next_due(said) is not None:
        yield Fault("/percent", UNDONE)
    corrects, newest = said.get("corrects"), last.n if last else 0
    if corrects is not None and not 1 <= corrects <= newest:
        yield Fault("/corrects", say("There is no such update."))
    department_id = said.get("department_id")
    if department_id is not None and session.get(Department, department_id) is None:
        yield Fault(
            "/department_id",
            say("There is no department {department_id}.", department_id=department_id),
        )


def _wrong_days(pointer: str, milestone: Said, today: dt.date) -> Iterator[Fault]:
    planned, done = milestone["planned_on"], milestone.get("done_on")
    if not FIRST_DAY <= planned <= LAST_DAY:
        yield Fault(f"{pointer}/planned_on", NO_DAY)
    if done is not None and not FIRST_DAY <= done <= today:
        yield Fault(f"{pointer}/done_on", DONE_LATER)


def _next_due(said: Said) -> dt.date | None:
    """The earliest day that is planned for something not done yet."""
    open_ones = [each["planned_on"] for each in said["milestones"] if not each.get("done_on")]
    return min(open_ones, default=None)


def _kept(
    said: Said,
    proposal_id: uuid.UUID,
    last: ProjectUpdate | None,
    department_id: uuid.UUID,
) -> ProjectUpdate:
    milestones = [
        {
            "title": each["title"],
            "planned_on": each["planned_on"].isoformat(),
            "done_on": each["done_on"].isoformat() if each.get("done_on") else None,
        }
        for each in said["milestones"]
    ]
    return ProjectUpdate(
        proposal_id=proposal_id,
        n=(last.n if last else 0) + 1,
        corrects=said.get("corrects"),
        department_id=department_id,
        text=said["text"],
        percent=said["percent"],
        spent=said["spent"],
        milestones=milestones,
        pictures=said.get("pictures") or [],
        next_due_on=_next_due(said),
    )
