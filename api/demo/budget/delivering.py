"""What was enacted is built: one project is done, one is late, the others are under way."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.budget.delivery_schemas import UpdateRequest
from api.db import transaction
from api.demo.budget import people
from api.demo.budget.ideas import DEPARTMENT_FOR
from mvote.base import database_time
from mvote.budget.delivering.update import IN_DELIVERY, city_day, updates_of
from mvote.budget.delivering.updating import update_project
from mvote.budget.planning import cycle_of
from mvote.budget.proposal import Proposal
from mvote.budget.revision import Revision
from mvote.errors import Text

STEPS: tuple[Text, ...] = (
    {"ko": "설계", "en": "Design"},
    {"ko": "계약", "en": "Contract"},
    {"ko": "설치", "en": "Building"},
)
ALL_DONE: Text = {"ko": "모두 마쳤습니다.", "en": "All of it is done."}
LATE: Text = {
    "ko": "자재가 늦어 설치가 미뤄졌습니다.",
    "en": "Material is late, so building has to wait.",
}
GOES_ON: Text = {
    "ko": "계약을 마치고 설치를 준비합니다.",
    "en": "The contract is made; building comes next.",
}
WEEKS_AGO, WEEKS_AHEAD = (12, 6, 1), 8


def deliver(cycle_id: uuid.UUID) -> None:
    """Let the departments say how far each enacted project is, where they have not."""
    with transaction() as session:
        today = city_day(cycle_of(session, cycle_id), database_time(session))
        for place, (proposal, heading, amount) in enumerate(_enacted(session, cycle_id)):
            if not updates_of(session, proposal.id, before=None, limit=1):
                officer, _ = people.officers(session, DEPARTMENT_FOR[heading])
                said = UpdateRequest().load(_update(place, amount, today))
                update_project(session, proposal_id=proposal.id, by=officer, said=said)


def _enacted(session: Session, cycle_id: uuid.UUID) -> list[tuple[Proposal, str, int]]:
    of_it = (
        select(Proposal, Revision.heading, Revision.amount)
        .join(Revision, (Revision.proposal_id == Proposal.id) & (Revision.n == Proposal.revision))
        .where(Proposal.cycle_id == cycle_id, Proposal.state.in_(IN_DELIVERY))
        .order_by(Proposal.number)
    )
    return [
        (proposal, str(heading), amount) for proposal, heading, amount in session.execute(of_it)
    ]


def _update(place: int, amount: int, today: dt.date) -> dict[str, Any]:
    """What an app would send to `POST /v1/proposals/{id}/updates`: the first is done, the second is
    late."""
    done, percent, text = (
        ((3, 100, ALL_DONE), (2, 55, LATE))[place] if place < 2 else (2, 60, GOES_ON)
    )
    ahead = today + dt.timedelta(weeks=WEEKS_AHEAD)
    planned = [today - dt.timedelta(weeks=each) for each in WEEKS_AGO]
    if text is GOES_ON:
        planned[-1] = ahead
    return {
        "text": text,
        "percent": percent,
        "spent": amount * percent // 100 // 10 * 9,
        "milestones": [
            {
                "title": step,
                "planned_on": on.isoformat(),
                "done_on": on.isoformat() if n < done else None,
            }
            for n, (step, on) in enumerate(zip(STEPS, planned, strict=True))
        ],
    }
