"""An account as a whole, as its owner and the officers see it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mvote.budget.committee import Application
from mvote.budget.deciding.motion import MotionVote
from mvote.budget.deliberation.judgment import Judgment, JudgmentVote
from mvote.budget.deliberation.shortlist import ShortlistVote
from mvote.budget.files import StoredFile
from mvote.budget.proposal_people import (
    AuthorsConsent,
    ProposalAuthor,
    ProposalContact,
    ProposalSupport,
)
from mvote.budget.reviewing.recusal import Recusal, SeatInterests
from mvote.budget.seat import Seat
from mvote.budget.subcommittees.division import SubcommitteePreference
from mvote.budget.telling.bulletin import Bulletin, CycleFollower, InboxItem
from mvote.journal import JournalEntry
from mvote.moderation.case import Report
from mvote.people.attributes import Attribute
from mvote.people.citizens import Anchor, Citizen, Consent, RoleGrant
from mvote.people.limits import Limit, use_up_for_person
from mvote.people.phones import Phones, masked
from mvote.people.sessions import SignIn
from mvote.polls.integrity.devices import Device
from mvote.polls.poll import Poll

Entry = dict[str, Any]
EXPORTS = Limit("exports", 10, dt.timedelta(hours=1))


@dataclass(frozen=True, kw_only=True)
class Account:
    """What is known of one citizen, with who verified it; plain values, good after the commit."""

    id: uuid.UUID
    created_at: dt.datetime
    #: None for whoever came with an identity and has confirmed no number
    phone: str | None
    identity_confirmed_at: dt.datetime | None
    language: str | None
    roles: Sequence[Entry]
    attributes: dict[str, Entry]
    consents: Sequence[Entry]


@dataclass(frozen=True, kw_only=True)
class Export:
    """All that is kept of a citizen, for themselves to take away."""

    account: Account
    sign_ins: Sequence[Entry]
    proposals: Sequence[Entry]
    supports: Sequence[Entry]
    applications: Sequence[Entry]
    seats: Sequence[Entry]
    interests: Sequence[Entry]
    recusals: Sequence[Entry]
    opinions: Sequence[Entry]
    preferences: Sequence[Entry]
    judgment_votes: Sequence[Entry]
    shortlist_votes: Sequence[Entry]
    motion_votes: Sequence[Entry]
    inbox: Sequence[Entry]
    follows: Sequence[Entry]
    #: what was done to the account, and what its owner did
    journal: Sequence[Entry]
    acts: Sequence[Entry]
    polls: Sequence[Entry]
    #: of polls, as long as they are kept
    reports: Sequence[Entry]
    files: Sequence[Entry]
    agreed: Sequence[Entry]
    #: since when its ballots are counted once by something else
    anchors: Sequence[Entry]
    #: that, never what nor when
    participations: Sequence[Entry]
    #: phones that vouched for it within 30 days
    devices: Sequence[Device]


def locked(session: Session, citizen_id: uuid.UUID) -> Citizen | None:
    """The citizen, alone with whoever changes the account; None if there is none."""
    return session.execute(
        select(Citizen)
        .where(Citizen.id == citizen_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def account_of(session: Session, *, citizen: Citizen, phones: Phones) -> Account:
    """The whole account, its number masked."""
    number = phones.number_of(citizen)
    return _account(session, citizen, masked(number) if number else None)


def count_export(session: Session, *, citizen_id: uuid.UUID, now: dt.datetime) -> None:
    """Count an export before it is made: all polls are looked through. Raises TooManyRequests."""
    use_up_for_person(session, EXPORTS, citizen_id=citizen_id, label="mvote/exports/1", now=now)


def export_of(
    session: Session,
    *,
    citizen: Citizen,
    phones: Phones,
    took_part: Sequence[Poll],
    devices: Sequence[Device],
    reports: Sequence[Report],
) -> Export:
    """The account with its number in full, its sessions, and what the journal says of it.

    *took_part*: the polls in which it is known that the citizen took part; *devices*: their phones;
    *reports*: what the citizen reported, as it is found by a key.
    """
    return Export(
        account=_account(session, citizen, phones.number_of(citizen)),
        sign_ins=_rows(
            session,
            _SIGN_INS.where(SignIn.citizen_id == citizen.id),
        ),
        proposals=_rows(session, _PROPOSALS.where(ProposalAuthor.citizen_id == citizen.id)),
        supports=_rows(session, _SUPPORTS.where(ProposalSupport.citizen_id == citizen.id)),
        applications=_rows(session, _APPLICATIONS.where(Application.citizen_id == citizen.id)),
        seats=_rows(session, _SEATS.where(Seat.citizen_id == citizen.id)),
        interests=_rows(session, _INTERESTS.where(SeatInterests.citizen_id == citizen.id)),
        recusals=_rows(session, _RECUSALS.where(Seat.citizen_id == citizen.id)),
        opinions=_rows(session, _OPINIONS.bindparams(citizen_id=citizen.id)),
        preferences=_rows(session, _PREFERENCES.where(Seat.citizen_id == citizen.id)),
        judgment_votes=_rows(session, _JUDGMENT_VOTES.where(Seat.citizen_id == citizen.id)),
        shortlist_votes=_rows(session, _SHORTLIST_VOTES.where(Seat.citizen_id == citizen.id)),
        motion_votes=_rows(session, _MOTION_VOTES.where(Seat.citizen_id == citizen.id)),
        inbox=_rows(session, _INBOX.where(InboxItem.citizen_id == citizen.id)),
        follows=_rows(session, _FOLLOWS.where(CycleFollower.citizen_id == citizen.id)),
        journal=_rows(session, _JOURNAL.where(JournalEntry.subject_id == citizen.id)),
        acts=_rows(session, _JOURNAL.where(JournalEntry.actor_id == citizen.id)),
        polls=_rows(session, _POLLS.where(Poll.author_id == citizen.id)),
        reports=[
            {"poll_id": each.poll_id, "ground": each.ground, "text": each.text} for each in reports
        ],
        files=_rows(session, _FILES.where(StoredFile.kept_by == citizen.id)),
        agreed=_rows(session, _AGREED.where(AuthorsConsent.citizen_id == citizen.id)),
        anchors=_rows(session, _ANCHORS.where(Anchor.citizen_id == citizen.id)),
        participations=[{"poll_id": each.id} for each in took_part],
        devices=devices,
    )


def _account(session: Session, citizen: Citizen, phone: str | None) -> Account:
    attributes = _rows(session, _ATTRIBUTES.where(Attribute.citizen_id == citizen.id))
    return Account(
        id=citizen.id,
        created_at=citizen.created_at,
        phone=phone,
        identity_confirmed_at=citizen.identity_confirmed_at,
        language=citizen.language,
        roles=_rows(session, _ROLES.where(RoleGrant.citizen_id == citizen.id)),
        attributes={entry.pop("name"): entry for entry in attributes},
        consents=_rows(session, _CONSENTS.where(Consent.citizen_id == citizen.id)),
    )


def _rows(session: Session, statement: Any) -> list[Entry]:
    return [dict(row) for row in session.execute(statement).mappings()]


_ROLES = select(RoleGrant.role, RoleGrant.department_id, RoleGrant.granted_at).order_by(
    RoleGrant.id
)
_JOURNAL = select(JournalEntry.at, JournalEntry.kind, JournalEntry.facts).order_by(JournalEntry.id)
_POLLS = select(Poll.id.label("poll_id"), Poll.state, Poll.created_at).order_by(Poll.id)
_FILES = select(
    func.encode(StoredFile.sha256, "hex").label("sha256"),
    StoredFile.media_type,
    StoredFile.kept_at,
).order_by(StoredFile.kept_at)
_AGREED = select(AuthorsConsent.proposal_id, AuthorsConsent.act, AuthorsConsent.at).order_by(
    AuthorsConsent.at
)
_ANCHORS = select(Anchor.since).order_by(Anchor.since)
_SIGN_INS = select(
    SignIn.started_at, SignIn.last_used_at, SignIn.expires_at, SignIn.how, SignIn.device
).order_by(SignIn.id)
_PROPOSALS = (
    select(
        ProposalAuthor.proposal_id,
        ProposalAuthor.invited_at,
        ProposalAuthor.accepted_at,
        ProposalContact.contact,
    )
    .outerjoin(
        ProposalContact,
        (ProposalContact.proposal_id == ProposalAuthor.proposal_id)
        & (ProposalContact.citizen_id == ProposalAuthor.citizen_id),
    )
    .order_by(ProposalAuthor.proposal_id)
)
_SUPPORTS = select(ProposalSupport.proposal_id, ProposalSupport.at).order_by(
    ProposalSupport.proposal_id
)
_APPLICATIONS = select(
    Application.committee_id,
    Application.pseudonym,
    Application.categories,
    Application.verified,
    Application.interests,
    Application.preferences,
    Application.applied_at,
    Application.withdrawn_at,
).order_by(Application.id)
_SEATS = select(Seat.committee_id, Seat.kind, Seat.filled_at, Seat.vacated_at).order_by(Seat.id)
_INTERESTS = select(SeatInterests.seat_id, SeatInterests.interests, SeatInterests.set_at).order_by(
    SeatInterests.seat_id
)
_RECUSALS = (
    select(Recusal.proposal_id, Recusal.ground, Recusal.how, Recusal.at)
    .join(Seat, Seat.id == Recusal.seat_id)
    .order_by(Recusal.at)
)
_OPINIONS = text("SELECT * FROM own_opinions(:citizen_id)")
_PREFERENCES = (
    select(
        Seat.committee_id,
        SubcommitteePreference.committees.label("subcommittees"),
        SubcommitteePreference.stated_at,
    )
    .join(Seat, Seat.id == SubcommitteePreference.seat_id)
    .order_by(Seat.id)
)
_JUDGMENT_VOTES = (
    select(Judgment.proposal_id, JudgmentVote.vote, JudgmentVote.reason, JudgmentVote.at)
    .join(Judgment, Judgment.id == JudgmentVote.judgment_id)
    .join(Seat, Seat.id == JudgmentVote.seat_id)
    .order_by(Judgment.id)
)
_SHORTLIST_VOTES = (
    select(ShortlistVote.shortlist_id, ShortlistVote.vote, ShortlistVote.reason, ShortlistVote.at)
    .join(Seat, Seat.id == ShortlistVote.seat_id)
    .order_by(ShortlistVote.shortlist_id)
)
_MOTION_VOTES = (
    select(MotionVote.motion_id, MotionVote.vote, MotionVote.at)
    .join(Seat, Seat.id == MotionVote.seat_id)
    .order_by(MotionVote.at)
)
_INBOX = (
    select(
        Bulletin.kind,
        Bulletin.cycle_id,
        Bulletin.proposal_id,
        Bulletin.poll_id,
        Bulletin.at,
        InboxItem.read_at,
    )
    .join(InboxItem, InboxItem.bulletin_id == Bulletin.id)
    .order_by(Bulletin.at, Bulletin.id)
)
_FOLLOWS = select(CycleFollower.cycle_id).order_by(CycleFollower.cycle_id)
_CONSENTS = select(
    Consent.purpose, Consent.text_version, Consent.given_at, Consent.withdrawn_at
).order_by(Consent.id)
_ATTRIBUTES = select(
    Attribute.name,
    Attribute.value,
    Attribute.set_at,
    Attribute.verified_by,
    Attribute.verified_issuer,
    Attribute.verified_at,
    Attribute.verified_how,
).order_by(Attribute.name)
