"""A committee that judges all projects of a cycle with one list and one recorded vote."""

from __future__ import annotations

import uuid

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.db import transaction
from api.demo.budget import people
from api.demo.budget.committee import NAME
from api.demo.budget.reviewing import AROUND
from api.demo.ledger import DemoMade, made, note
from api.wiring import wiring
from mvote.budget.applying import PSEUDONYM_KEY
from mvote.budget.deliberation.closing_lists import close_list
from mvote.budget.deliberation.listing import put_list
from mvote.budget.deliberation.shortlisting import vote_on_list
from mvote.budget.forming import committee_of, form_committee
from mvote.budget.judging import Vote
from mvote.budget.planning import cycle_of
from mvote.budget.proposal import Proposal
from mvote.budget.seating import active_seats, appoint, name_chair, seats_of

MEMBERS = 9
FACTS = {"name": NAME, "kind": "plenary", "headings": [], "area_codes": [], "age_bands": []}


def members_of(session: Session) -> list[uuid.UUID]:
    """Who sits in the committees that are not drawn, the chair first."""
    return people.applicants(session)[:MEMBERS]


def appointed(key: str, cycle_id: uuid.UUID) -> uuid.UUID:
    """The cycle's committee, all its seats given."""
    with transaction() as session:
        known = made(session).get(f"committee:{key}/{cycle_id}")
        if known is not None:
            return known
        officer, _ = people.officers(session, people.BUDGET)
        cycle = cycle_of(session, cycle_id)
        areas = current_app.extensions["areas"]
        committee = form_committee(
            session, cycle=cycle, by=officer.id, facts=FACTS, targets=None, areas=areas
        )
        for citizen_id in members_of(session):
            appoint(
                session,
                committee=committee,
                citizen_id=citizen_id,
                kind="citizen",
                has_vote=True,
                key=wiring().keystore.get(PSEUDONYM_KEY),
                by=officer.id,
            )
        first = seats_of(session, committee.id)[0]
        name_chair(session, committee=committee, seat_id=first.id, by=officer.id)
        note(session, DemoMade(name=f"committee:{key}/{cycle_id}", made=committee.id))
        return committee.id


def approve_all(cycle_id: uuid.UUID, committee_id: uuid.UUID) -> None:
    """Let the chair put what is under review on a list, all vote, and the chair close it."""
    with transaction() as session:
        waiting = _under_review(session, cycle_id)
        if not waiting:
            return
        seats = active_seats(session, committee_of(session, committee_id))
        members = [each.citizen_id for each in seats if each.citizen_id]
        shortlist = put_list(
            session,
            committee_id=committee_id,
            citizen_id=members[0],
            ranked=waiting,
            not_chosen=[],
            meeting_id=None,
            around=AROUND,
        )
        for place, citizen_id in enumerate(members):
            vote_on_list(
                session,
                shortlist_id=shortlist.id,
                citizen_id=citizen_id,
                vote=vote_in(place),
                reason=None,
            )
        close_list(session, shortlist_id=shortlist.id, citizen_id=members[0], around=AROUND)


def vote_in(place: int) -> Vote:
    """How the member in that place votes: nearly all say yes."""
    return "no" if place == MEMBERS - 1 else "yes"


def _under_review(session: Session, cycle_id: uuid.UUID) -> list[uuid.UUID]:
    of_it = select(Proposal.id).where(
        Proposal.cycle_id == cycle_id, Proposal.state == "under_review"
    )
    return list(session.scalars(of_it.order_by(Proposal.number)))
