"""Identities that an outside provider vouches for: signing in with one, linking, giving up.

Of who somebody is there only a keyed hash is kept. A verified identity is an anchor, as a confirmed
number is: of the two the account keeps the one that it was made with.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, new_id, utc_now
from mvote.errors import stands_for
from mvote.journal import Event, write_down
from mvote.people.anchors import (
    LastPollEnds,
    from_now_on,
    has_anchor,
    hold_still,
    is_anothers,
    leave_behind,
    write_first,
)
from mvote.people.attributes import Attribute
from mvote.people.changing_number import both_locked, join
from mvote.people.citizens import Citizen, hash_check
from mvote.people.declaring import Areas, take_over
from mvote.people.errors import (
    AnotherIdentity,
    IdentityInUse,
    IdentityInvalid,
    IdentityRests,
    LastWayIn,
)
from mvote.people.id_tokens import OLDEST, Proven
from mvote.people.limits import Limit, hash_of_address, use_up
from mvote.people.phones import ANCHOR_KEY
from mvote.people.signing_in import FrontDesk, SignedIn, begin

IDENTITY_KEY = "identity-hash"
NONCE_BYTES = 32
NONCES_PER_ADDRESS = Limit("nonces-per-address", 300, dt.timedelta(hours=1))
stands_for("uq_citizen_identity_hash", IdentityInUse)


class IdentityNonce(Base):
    """A question put to the provider, by its hash. The answer deletes it: it is good once."""

    __tablename__ = "identity_nonce"
    __table_args__ = (hash_check("nonce_hash"),)

    nonce_hash: Mapped[bytes] = mapped_column(primary_key=True)
    asked_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


@dataclass(frozen=True, kw_only=True)
class IdentityLinked(Event):
    kind = "identity:linked"
    issuer: str


@dataclass(frozen=True, kw_only=True)
class IdentityGivenUp(Event):
    kind = "identity:given-up"


@dataclass(frozen=True, kw_only=True)
class Hall:
    """What taking identities needs of the world."""

    desk: FrontDesk
    areas: Areas


def ask(
    session: Session, *, desk: FrontDesk, address: str, now: dt.datetime
) -> tuple[str, dt.datetime]:
    """A nonce for an ID token, and until when it is good. Raises TooManyRequests."""
    subject = hash_of_address(desk.keystore, address)
    use_up(session, NONCES_PER_ADDRESS, subject_hash=subject, now=now)
    nonce, ends = secrets.token_urlsafe(NONCE_BYTES), now + OLDEST
    session.add(IdentityNonce(nonce_hash=_hash_of_nonce(nonce), asked_at=now, expires_at=ends))
    return nonce, ends


def spend_nonce(session: Session, nonce: str, *, now: dt.datetime) -> None:
    """Use a nonce; of two who come with one at the same moment the later is refused.

    Raises IdentityInvalid.
    """
    is_it = (IdentityNonce.nonce_hash == _hash_of_nonce(nonce), IdentityNonce.expires_at > now)
    spent = delete(IdentityNonce).where(*is_it).returning(IdentityNonce.asked_at)
    if session.scalar(spent) is None:
        raise IdentityInvalid


def sign_in_with(
    session: Session,
    *,
    hall: Hall,
    proven: Proven,
    nonce: str,
    device: str | None,
    now: dt.datetime,
) -> SignedIn:
    """Sign in whoever the provider says it is; made now, if there is no such account yet."""
    spend_nonce(session, nonce, now=now)
    identity = _hash_of(hall, proven)
    proposed = new_id()
    statement = upsert(Citizen).values(
        id=proposed, identity_hash=identity, identity_confirmed_at=now, created_at=now
    )
    statement = statement.on_conflict_do_update(
        index_elements=[Citizen.identity_hash],
        set_={"identity_hash": statement.excluded.identity_hash},
    )
    citizen_id: uuid.UUID = session.scalars(statement.returning(Citizen.id)).one()
    _take(session, hall, citizen_id, proven, now)
    return begin(session, citizen_id=citizen_id, how="identity", device=device, now=now)


def link_identity(
    session: Session,
    *,
    hall: Hall,
    citizen_id: uuid.UUID,
    proven: Proven,
    nonce: str,
    merge: bool,
    now: dt.datetime,
) -> Citizen:
    """Let a verified identity belong to an account, whose anchor it does not replace.

    One that has an account stays with it, as does what the provider vouches for; with *merge* the
    two are one person. One that was given up stays away from other accounts while a poll is open
    in which it may have served already. Raises IdentityInvalid, IdentityInUse,
    AnotherIdentity, IdentityRests.
    """
    hold_still(session)  # before any row is locked
    spend_nonce(session, nonce, now=now)
    identity = _hash_of(hall, proven)
    citizen, other = both_locked(session, citizen_id, Citizen.identity_hash == identity)
    if citizen.identity_hash not in (None, identity):
        raise AnotherIdentity
    if other is not None and not merge:
        raise IdentityInUse
    if other is not None:
        join(session, hall.desk, citizen, other)
    elif citizen.identity_hash is None:
        if is_anothers(session, citizen_id, identity):
            raise IdentityRests
        citizen.identity_hash, citizen.identity_confirmed_at = identity, now
        citizen.identity_since = from_now_on(session)
        event = IdentityLinked(issuer=proven.issuer)
        write_down(session, event, actor_id=citizen_id, subject_id=citizen_id)
        session.flush()  # nobody else signs up with this identity from here on
    _take(session, hall, other.id if other else citizen_id, proven, now)
    return citizen


def give_up_identity(
    session: Session, *, citizen_id: uuid.UUID, last_poll_ends: LastPollEnds
) -> None:
    """Take the identity out of an account, which keeps its anchor, but nothing that it vouched for.

    Else one identity would verify account after account. Raises LastWayIn.
    """
    hold_still(session)
    citizen, _ = both_locked(session, citizen_id, Citizen.id == citizen_id)
    if citizen.identity_hash is None:
        return
    if citizen.phone_hash is None:
        raise LastWayIn
    until = last_poll_ends(session)
    leave_behind(
        session,
        citizen_id=citizen.id,
        bearer=citizen.identity_hash,
        until=until,
        taken_at=citizen.identity_since,
    )
    vouched_for = (Attribute.citizen_id == citizen.id, Attribute.verified_issuer.is_not(None))
    session.execute(delete(Attribute).where(*vouched_for))
    citizen.identity_hash = citizen.identity_confirmed_at = citizen.identity_since = None
    write_down(session, IdentityGivenUp(), actor_id=citizen_id, subject_id=citizen_id)


def _take(
    session: Session, hall: Hall, citizen_id: uuid.UUID, proven: Proven, now: dt.datetime
) -> None:
    """An account takes over what the provider vouches for, and has an anchor if it had none."""
    if not proven.is_verified:
        return
    if not has_anchor(session, citizen_id):
        content = _content(b"mvote/identity-anchor/1", proven)
        key = hall.desk.keystore.get(ANCHOR_KEY)
        first = {citizen_id: hmac.new(key, content, hashlib.sha256).digest()}
        write_first(session, {citizen_id: _hash_of(hall, proven)}, first, now)
    take_over(
        session,
        citizen_id=citizen_id,
        values=proven.attributes,
        issuer=proven.issuer,
        areas=hall.areas,
        now=now,
    )


def _hash_of(hall: Hall, proven: Proven) -> bytes:
    """32 bytes that find the account of an identity."""
    key = hall.desk.keystore.get(IDENTITY_KEY)
    return hmac.new(key, _content(b"mvote/identity/1", proven), hashlib.sha256).digest()


def _content(label: bytes, proven: Proven) -> bytes:
    issuer = proven.issuer.encode()
    return label + b"\x00" + len(issuer).to_bytes(2, "big") + issuer + proven.subject.encode()


def _hash_of_nonce(nonce: str) -> bytes:
    return hashlib.sha256(nonce.encode()).digest()
