"""Detecting: which seats have an interest in which proposals, by what the database knows."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mvote.budget.assessment import Assessment
from mvote.budget.proposal import Proposal
from mvote.budget.proposal_people import ProposalAuthor, ProposalSupport
from mvote.budget.proposal_rules import BASES
from mvote.budget.reviewing.interests import Interests, interests_of
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.reviewing.recusal import Ground
from mvote.budget.reviewing.review import Opinion, Review
from mvote.budget.revision import Revision
from mvote.budget.seat import Seat
from mvote.people.attributes import Attribute

NEAR_M = 300.0
"""So near to a place of the project, in metres, a declared point is an interest in it."""
Pair = tuple[uuid.UUID, uuid.UUID]
"""Proposal and seat."""
Found = dict[Pair, Ground]
"""The first ground that was found for each."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Whose interests in which texts are asked for."""

    session: Session
    around: Neighbourhood
    proposals: Mapping[uuid.UUID, Proposal]
    seats: Sequence[Seat]
    revisions: Sequence[Revision]
    interests: Mapping[uuid.UUID, Interests]
    #: what each seat's holder is known by
    citizens: dict[uuid.UUID, list[Seat]] = field(default_factory=dict)

    def seats_of(self, citizen_id: uuid.UUID | None) -> Sequence[Seat]:
        return self.citizens.get(citizen_id, ()) if citizen_id else ()


Grounds = Iterator[tuple[uuid.UUID, Seat, Ground]]


def detect(
    session: Session,
    *,
    proposals: Iterable[Proposal],
    seats: Iterable[Seat],
    around: Neighbourhood,
) -> Found:
    """For each proposal and seat with an interest the first ground: author, co-author, supporter,
    having taken part before an appeal, organisation, dong, a point nearby.

    Whoever was asked to be a co-author and has not accepted is none: nobody recuses another.
    """
    asked = _asked(session, proposals, seats, around)
    found: Found = {}
    if asked.proposals and asked.citizens:
        for look in (_authors, _supporters, _earlier_judges, _organisations, _dongs, _points):
            for proposal_id, seat, ground in look(asked):
                found.setdefault((proposal_id, seat.id), ground)
    return found


def _asked(
    session: Session, proposals: Iterable[Proposal], seats: Iterable[Seat], around: Neighbourhood
) -> _Asked:
    held = [seat for seat in seats if seat.citizen_id is not None]
    by_id = {proposal.id: proposal for proposal in proposals}
    texts = (
        select(Revision)
        .join(Proposal, (Proposal.id == Revision.proposal_id) & (Proposal.revision == Revision.n))
        .where(Proposal.id.in_(by_id))
    )
    asked = _Asked(
        session=session,
        around=around,
        proposals=by_id,
        seats=held,
        revisions=session.scalars(texts).all(),
        interests=interests_of(session, held),
    )
    for seat in held:
        asked.citizens.setdefault(seat.citizen_id, []).append(seat)  # type: ignore[arg-type]
    return asked


def _authors(asked: _Asked) -> Grounds:
    """Who wrote it first is its author, whoever accepted to join a co-author."""
    first = (
        func.rank()
        .over(partition_by=ProposalAuthor.proposal_id, order_by=ProposalAuthor.invited_at)
        .label("place")
    )
    of_them = select(ProposalAuthor.proposal_id, ProposalAuthor.citizen_id, first).where(
        ProposalAuthor.proposal_id.in_(asked.proposals), ProposalAuthor.accepted_at.is_not(None)
    )
    for proposal_id, citizen_id, place in asked.session.execute(of_them):
        for seat in asked.seats_of(citizen_id):
            yield proposal_id, seat, "author" if place == 1 else "co_author"


def _supporters(asked: _Asked) -> Grounds:
    of_them = select(ProposalSupport.proposal_id, ProposalSupport.citizen_id).where(
        ProposalSupport.proposal_id.in_(asked.proposals),
        ProposalSupport.citizen_id.in_(asked.citizens),
    )
    for proposal_id, citizen_id in asked.session.execute(of_them):
        for seat in asked.seats_of(citizen_id):
            yield proposal_id, seat, "supporter"


def _earlier_judges(asked: _Asked) -> Grounds:
    """Appeals are judged by people who took no part: no opinion, no assessment."""
    appealed = [each.id for each in asked.proposals.values() if each.appealed_at is not None]
    spoke = (
        select(Review.proposal_id, Seat.citizen_id, Review.committee_id)
        .join(Opinion, Opinion.review_id == Review.id)
        .join(Seat, Seat.id == Opinion.seat_id)
        .where(Review.proposal_id.in_(appealed), Review.judged_at.is_not(None))
    )
    assessed = select(Assessment.proposal_id, Assessment.found_by, Assessment.confirmed_by).where(
        Assessment.proposal_id.in_(appealed)
    )
    took_part = [
        *asked.session.execute(spoke).all(),
        *(
            (proposal_id, officer, None)
            for proposal_id, *officers in asked.session.execute(assessed)
            for officer in officers
        ),
    ]
    for proposal_id, citizen_id, committee_id in took_part:
        for seat in asked.seats_of(citizen_id):
            if seat.committee_id != committee_id:
                yield proposal_id, seat, "took_part"


def _organisations(asked: _Asked) -> Grounds:
    declared = {
        seat.id: {folded(name) for name in asked.interests[seat.id].organisations}
        for seat in asked.seats
    }
    for revision in asked.revisions:
        names = {folded(name) for name in (revision.content.get("organisation") or {}).values()}
        for seat in asked.seats if names else ():
            if names & declared[seat.id]:
                yield revision.proposal_id, seat, "organisation"


def folded(name: str) -> str:
    """A name without what people write now so, now so: case, width, spaces."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _dongs(asked: _Asked) -> Grounds:
    """Who lives, works, runs a business or studies in a dong of it, or declared that dong."""
    codes = {code for revision in asked.revisions for code in revision.area_codes}
    dongs = asked.around.dongs_among(asked.session, codes=codes)
    if not dongs:
        return
    belonging = _areas_of(asked)
    for revision in asked.revisions:
        here = dongs.intersection(revision.area_codes)
        for seat in asked.seats if here else ():
            if here & belonging[seat.id]:
                yield revision.proposal_id, seat, "dong"


def _areas_of(asked: _Asked) -> dict[uuid.UUID, set[str]]:
    """For each seat the areas that its holder belongs to, and those that they declared."""
    found = {seat.id: set(asked.interests[seat.id].area_codes) for seat in asked.seats}
    known = select(Attribute.citizen_id, Attribute.lineage).where(
        Attribute.citizen_id.in_(asked.citizens),
        Attribute.name.in_([f"{basis}_area" for basis in BASES]),
    )
    for citizen_id, lineage in asked.session.execute(known):
        for seat in asked.seats_of(citizen_id):
            found[seat.id].update(lineage)
    return found


def _points(asked: _Asked) -> Grounds:
    points = {seat.id: declared for seat in asked.seats
              if (declared := asked.interests[seat.id].points)}  # fmt: skip
    if not points:
        return
    seats = {seat.id: seat for seat in asked.seats}
    revisions = [(revision.proposal_id, revision.n) for revision in asked.revisions]
    near = asked.around.near(asked.session, points=points, revisions=revisions, within_m=NEAR_M)
    for proposal_id, seat_id in sorted(near):
        yield proposal_id, seats[seat_id], "nearby"
