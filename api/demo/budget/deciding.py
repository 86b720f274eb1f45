"""From counted votes to the council's amounts: survey, allocation, motion, enactment."""

from __future__ import annotations

import hashlib
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.db import reading, transaction
from api.demo.budget import people
from api.demo.budget.approving import members_of, vote_in
from api.demo.budget.plans import CITY
from api.demo.budget.reviewing import AROUND
from api.demo.ledger import DemoMade, made, note
from api.demo.standing import fraction
from api.wiring import wiring
from mvote.budget.allocations import latest_allocation
from mvote.budget.applying import PSEUDONYM_KEY
from mvote.budget.deciding.allocating import work_out, write_allocation
from mvote.budget.deciding.confirming import judge_motion
from mvote.budget.deciding.enacting import Decided, decided_projects, enact
from mvote.budget.deciding.motions import carried_motion, lay, vote
from mvote.budget.deciding.sealing import seal
from mvote.budget.deciding.statement import Statement
from mvote.budget.planning import cycle_of, own_cycle
from mvote.budget.proposal import Proposal
from mvote.errors import Text
from mvote.people.citizens import Citizen

ASKED = 1_000
REPORT = {
    "url": "https://survey.example/neighbourhood.pdf",
    "sha256": hashlib.sha256(b"the survey of the demo").hexdigest(),
}
LESS: Text = {
    "ko": "조달 단가가 내려 예산을 줄였습니다.",
    "en": "Prices have fallen since, so it costs less.",
}
NOT_AT_ALL: Text = {
    "ko": "같은 시설을 구에서 먼저 짓기로 했습니다.",
    "en": "The district builds the same before.",
}


def seal_survey(cycle_id: uuid.UUID) -> None:
    """Let two officers seal what a thousand people said, before anybody votes."""
    with transaction() as session:
        name = f"survey:{cycle_id}"
        if name in made(session):
            return
        found = Statement(
            values=_said(session, cycle_id),
            unit="respondents",
            sample_size=ASKED,
            document=REPORT,
        )
        key = wiring().keystore.get(PSEUDONYM_KEY)
        whose = {"cycle_id": cycle_id, "contest": CITY, "source": "survey"}
        for officer in people.officers(session, people.BUDGET):
            seal(session, **whose, statement=found, key=key, by=officer)  # type: ignore[arg-type]
        note(session, DemoMade(name=name, made=cycle_id))


def _said(session: Session, cycle_id: uuid.UUID) -> dict[str, int]:
    references = session.scalars(
        select(Proposal.reference).where(
            Proposal.cycle_id == cycle_id, Proposal.state == "approved"
        )
    )
    return {each: 100 + int(400 * fraction(f"survey/{each}")) for each in references if each}


def allocate(cycle_id: uuid.UUID) -> None:
    """Give out the money by the cycle's frozen rule, if that was not done before."""
    with transaction() as session:
        officer, _ = people.officers(session, people.BUDGET)
        cycle = own_cycle(session, cycle_id, officer)
        if latest_allocation(session, cycle_id=cycle_id, contest=CITY) is None:
            most = wiring().settings.allocation_steps
            found = work_out(session, cycle=cycle, contest=CITY, most_steps=most)
            write_allocation(session, cycle=cycle, found=found, by=officer.id)


def confirm(cycle_id: uuid.UUID) -> None:
    """Let the plenary confirm the allocation by recorded vote."""
    with transaction() as session:
        officer, _ = people.officers(session, people.BUDGET)
        cycle = cycle_of(session, cycle_id)
        if carried_motion(session, cycle=cycle, contest=CITY) is not None:
            return
        motion = lay(session, cycle=cycle, contest=CITY, changes=[], by=officer)
        members = [session.get_one(Citizen, each) for each in members_of(session)]
        for place, member in enumerate(members):
            vote(session, motion_id=motion.id, by=member, choice=vote_in(place), around=AROUND)
        judge_motion(session, motion_id=motion.id, by=members[0], around=AROUND)


def enact_all(cycle_id: uuid.UUID) -> None:
    """Let the council enact what was funded: the second for less, the last not at all.

    What moves up for the last one is enacted as well.
    """
    for project in _funded(cycle_id):
        _enact(project.proposal.id, *_enacted(project, cycle_id))
    for project in _funded(cycle_id):
        _enact(project.proposal.id, project.funded_amount, None)


def _enact(proposal_id: uuid.UUID, amount: int, why: Text | None) -> None:
    with transaction() as session:
        for officer in people.officers(session, people.BUDGET):
            enact(session, proposal_id=proposal_id, by=officer, amount=amount, why=why)


def _funded(cycle_id: uuid.UUID) -> list[Decided]:
    """What waits for the council, in the order of the decision."""
    with reading() as session:
        return [each for each in _decided(session, cycle_id) if each.proposal.state == "funded"]


def _decided(session: Session, cycle_id: uuid.UUID) -> list[Decided]:
    motion = carried_motion(session, cycle=cycle_of(session, cycle_id), contest=CITY)
    return list(decided_projects(session, motion.id)) if motion else []


def _enacted(project: Decided, cycle_id: uuid.UUID) -> tuple[int, Text | None]:
    """The council's amount, and why it is less."""
    with reading() as session:
        decided = _decided(session, cycle_id)
    funded = [each.proposal.id for each in decided if each.decision.decision == "funded"]
    amount, id_ = project.funded_amount, project.proposal.id
    if id_ == funded[-1]:
        return 0, NOT_AT_ALL
    return (amount * 9 // 10, LESS) if id_ == funded[1] else (amount, None)
