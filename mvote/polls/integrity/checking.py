"""What is asked of a position beside its place: a nonce of ours, and a platform's word for it.

Nothing here proves a location. A position that was recorded, or sent by a script without an app,
is told apart; one that was faked for a whole phone is not.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy.orm import Session

from mvote.errors import DomainError
from mvote.polls.integrity.attesting import (
    Ask,
    Attestation,
    Attestors,
    Vouched,
    position_statement,
)
from mvote.polls.integrity.devices import Owners, use_device_of
from mvote.polls.integrity.errors import (
    AttestationInvalid,
    AttestationRequired,
    PositionNonceInvalid,
)
from mvote.polls.integrity.nonces import given_at, use_nonce
from mvote.polls.presence import Position

Demand = Literal["none", "nonce", "attested"]
DEMANDS: tuple[Demand, ...] = ("none", "nonce", "attested")


@dataclass(frozen=True, kw_only=True, repr=False)
class Integrity:
    """What an app says of how it came by a position. Has no repr, so it is never logged."""

    nonce: str | None = None
    #: what Android's `Location.isMock` says
    is_mock: bool = False
    attestation: Attestation | None = None


NOTHING_SAID = Integrity()


@dataclass(frozen=True, kw_only=True, repr=False)
class Claim:
    """A position with what is said of it: by whom, for which poll."""

    poll_id: uuid.UUID
    citizen_id: uuid.UUID
    position: Position
    demand: Demand = "none"
    integrity: Integrity = NOTHING_SAID


@dataclass(frozen=True, kw_only=True, repr=False)
class Checked:
    """What a look at a claim found; nothing is used up yet."""

    claim: Claim
    reasons: list[DomainError] = field(default_factory=list)
    #: when its nonce was given out; None without a valid one
    nonce_given_at: dt.datetime | None = None
    #: what the platform says, or how to ask it: see `asking.answered`
    vouched: Vouched | Ask | None = None


def check(session: Session, attestors: Attestors, claim: Claim, *, now: dt.datetime) -> Checked:
    """Every reason why the position is not taken as it came. Reads only, and asks the database
    nothing where nothing was sent. A platform that is elsewhere is not asked yet."""
    reasons: list[DomainError] = []
    if claim.demand == "attested" and claim.integrity.attestation is None:
        reasons.append(AttestationRequired())
    given: dt.datetime | None = None
    vouched: Vouched | Ask | None = None
    try:
        given = _nonce_given_at(session, claim, now)
        if given and claim.integrity.attestation:
            vouched = _vouched(session, attestors, claim, now)
    except (PositionNonceInvalid, AttestationInvalid) as error:
        reasons.append(error)
    return Checked(claim=claim, reasons=reasons, nonce_given_at=given, vouched=vouched)


def _nonce_given_at(session: Session, claim: Claim, now: dt.datetime) -> dt.datetime | None:
    nonce = claim.integrity.nonce
    if nonce is not None:
        return given_at(session, citizen_id=claim.citizen_id, nonce=nonce, now=now)
    if claim.demand == "none":
        return None
    raise PositionNonceInvalid


def _vouched(
    session: Session, attestors: Attestors, claim: Claim, now: dt.datetime
) -> Vouched | Ask | None:
    said = claim.integrity
    if said.attestation is None or said.nonce is None:
        return None
    statement = position_statement(
        poll_id=claim.poll_id,
        nonce=said.nonce,
        position=claim.position,
        is_mock=said.is_mock,
        key_id=said.attestation.key_id,
    )
    return attestors.check(
        session,
        statement=statement,
        attestation=said.attestation,
        citizen_id=claim.citizen_id,
        now=now,
    )


def spend(session: Session, owners: Owners, checked: Checked, *, now: dt.datetime) -> int | None:
    """Use what is good once, for a position that admits: nonce and counter, both or neither.

    How many accounts the phone's key vouched for within 30 days; None if nothing vouches. Raises
    PositionNonceInvalid; AttestationInvalid, also where a platform is still to be asked.
    """
    claim, vouched = checked.claim, checked.vouched
    if not isinstance(vouched, Vouched) and (vouched or claim.demand == "attested"):
        raise AttestationInvalid("not-asked")
    if claim.integrity.nonce is not None:
        use_nonce(session, citizen_id=claim.citizen_id, nonce=claim.integrity.nonce, now=now)
    if not isinstance(vouched, Vouched):
        return None
    return use_device_of(
        session, vouched=vouched, citizen_id=claim.citizen_id, owners=owners, now=now
    )
