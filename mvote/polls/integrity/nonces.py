"""Nonces: a position that comes with one was sent after we gave it out, and is sent once.

Kept is one hash over the nonce and its citizen, with no name beside it: for anybody else the same
nonce is none, and who could have used it stands nowhere. The table is UNLOGGED, so that no WAL
tells when somebody was about to vote; after a crash all nonces are gone, none is good again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base
from mvote.people.citizens import hash_check
from mvote.polls.integrity.errors import PositionNonceInvalid

NONCE_BYTES = 32
NONCE = r"[A-Za-z0-9_-]{43}"
"""32 bytes in base64url without padding."""
LIFETIME = dt.timedelta(seconds=60)


class PositionNonce(Base):
    """A nonce that somebody may use until it expires. Using it deletes it."""

    __tablename__ = "position_nonce"
    __table_args__ = (hash_check("nonce_hash"), {"prefixes": ["UNLOGGED"]})

    nonce_hash: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


def give_nonce(
    session: Session, *, citizen_id: uuid.UUID, now: dt.datetime
) -> tuple[str, dt.datetime]:
    """A nonce for this citizen alone, 43 characters, and when it expires."""
    nonce, expires_at = secrets.token_urlsafe(NONCE_BYTES), now + LIFETIME
    session.add(PositionNonce(nonce_hash=_hash_of(citizen_id, nonce), expires_at=expires_at))
    return nonce, expires_at


def given_at(
    session: Session, *, citizen_id: uuid.UUID, nonce: str, now: dt.datetime
) -> dt.datetime:
    """When this citizen was given the nonce, which stays good. Raises PositionNonceInvalid."""
    wanted = select(PositionNonce.expires_at).where(_is_good(citizen_id, nonce, now))
    return _given_at(session.scalar(wanted))


def use_nonce(
    session: Session, *, citizen_id: uuid.UUID, nonce: str, now: dt.datetime
) -> dt.datetime:
    """Use the nonce; when it was given. Raises PositionNonceInvalid.

    Of two who come with it at the same moment the later waits, and is refused once the first is
    done.
    """
    used = delete(PositionNonce).where(_is_good(citizen_id, nonce, now))
    return _given_at(session.scalar(used.returning(PositionNonce.expires_at)))


def forget_expired_nonces(session: Session) -> None:
    """Remove what nobody used in time."""
    session.execute(delete(PositionNonce).where(PositionNonce.expires_at < func.clock_timestamp()))


def _is_good(citizen_id: uuid.UUID, nonce: str, now: dt.datetime) -> ColumnElement[bool]:
    is_it = PositionNonce.nonce_hash == _hash_of(citizen_id, nonce)
    return is_it & (PositionNonce.expires_at > now)


def _given_at(expires_at: dt.datetime | None) -> dt.datetime:
    if expires_at is None:
        raise PositionNonceInvalid
    return expires_at - LIFETIME


def _hash_of(citizen_id: uuid.UUID, nonce: str) -> bytes:
    content = b"mvote/position-nonce/1\x00" + citizen_id.bytes + nonce.encode()
    return hashlib.sha256(content).digest()
