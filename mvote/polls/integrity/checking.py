"""What is asked of a position beside its place: a nonce of ours, and a platform's word for it.

Nothing here proves a location. A position that was recorded, or sent by a script without an app,
is told apart; one that was faked for a whole phone is not.
"""

from __future__ import annotations

import datetime as dt
import hashlib
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
from mvote.polls.integrity.nonces import found_nonce, use_nonce, use_nonce_for
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
    #: the key K of the ballot that it comes with
    ballot_key: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Checked:
    """What a look at a claim found; nothing is used up yet."""

    claim: Claim
    reasons: list[DomainError] = field(default_factory=list)
    #: when its nonce was given out; None without a valid one
    nonce_given_at: dt.datetime | None = None
    #: what the platform says, or how to ask it: see `asking.answered`
    vouched: Vouched | Ask | None = None
    #: this very request used its nonce before: nothing of it is asked or used again
    is_used: bool = False


def check(session: Session, attestors: Attestors, claim: Claim, *, now: dt.datetime) -> Checked:
    """Every reason why the position is not taken as it came. Reads only, and asks the database
    nothing where nothing was sent. A platform that is elsewhere is not asked yet."""
    reasons: list[DomainError] = []
    if claim.demand == "attested" and claim.integrity.attestation is None:
        reasons.append(AttestationRequired())
    given: dt.datetime | None = None
    vouched: Vouched | Ask | None = None
    is_used = False
    try:
        given, is_used = _nonce_sent(session, claim, now)
        if given and claim.integrity.attestation and not is_used:
            vouched = _vouched(session, attestors, claim, now)
    except (PositionNonceInvalid, AttestationInvalid) as error:
        reasons.append(error)
    return Checked(
        claim=claim, reasons=reasons, nonce_given_at=given, vouched=vouched, is_used=is_used
    )


def _nonce_sent(
    session: Session, claim: Claim, now: dt.datetime
) -> tuple[dt.datetime | None, bool]:
    """When its nonce was given out, None without one; and whether this very request used it."""
    nonce = claim.integrity.nonce
    if nonce is not None:
        who, mark = claim.citizen_id, _mark_of(claim, nonce)
        return found_nonce(session, citizen_id=who, nonce=nonce, now=now, mark=mark)
    if claim.demand == "none":
        return None, False
    raise PositionNonceInvalid


def _mark_of(claim: Claim, nonce: str) -> bytes | None:
    """What stands for a ballot with all that is said of its position: 32 bytes. With another
    position or another token it is another request."""
    if claim.ballot_key is None:
        return None
    token = claim.integrity.attestation.token if claim.integrity.attestation else ""
    parts = ("mvote/nonce-use/1", claim.ballot_key, token)
    return hashlib.sha256("\n".join(parts).encode() + b"\n" + _statement(claim, nonce)).digest()


def _statement(claim: Claim, nonce: str) -> bytes:
    said = claim.integrity
    return position_statement(
        poll_id=claim.poll_id,
        nonce=nonce,
        position=claim.position,
        is_mock=said.is_mock,
        key_id=said.attestation.key_id if said.attestation else "",
    )


def _vouched(
    session: Session, attestors: Attestors, claim: Claim, now: dt.datetime
) -> Vouched | Ask | None:
    said = claim.integrity
    if said.attestation is None or said.nonce is None:
        return None
    return attestors.check(
        session,
        statement=_statement(claim, said.nonce),
        attestation=said.attestation,
        citizen_id=claim.citizen_id,
        now=now,
    )


def spend(session: Session, owners: Owners, checked: Checked, *, now: dt.datetime) -> int | None:
    """Use what is good once, for a position that admits: nonce and counter, both or neither.

    How many accounts the phone's key vouched for within 30 days; None if nothing vouches, or if
    this very request used it before. Raises PositionNonceInvalid; AttestationInvalid, also where a
    platform is still to be asked.
    """
    claim, vouched = checked.claim, checked.vouched
    if checked.is_used:
        return None
    if not isinstance(vouched, Vouched) and (vouched or claim.demand == "attested"):
        raise AttestationInvalid("not-asked")
    if not _used_now(session, claim, now):
        return None
    if not isinstance(vouched, Vouched):
        return None
    return use_device_of(
        session, vouched=vouched, citizen_id=claim.citizen_id, owners=owners, now=now
    )


def _used_now(session: Session, claim: Claim, now: dt.datetime) -> bool:
    """Use the nonce, if there is one; false if the same request did so at the same moment."""
    nonce = claim.integrity.nonce
    if nonce is None:
        return True
    who, mark = claim.citizen_id, _mark_of(claim, nonce)
    if mark is not None:
        return use_nonce_for(session, citizen_id=who, nonce=nonce, mark=mark, now=now)
    use_nonce(session, citizen_id=who, nonce=nonce, now=now)
    return True
