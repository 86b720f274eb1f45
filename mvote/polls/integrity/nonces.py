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

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base
from mvote.people.citizens import hash_check
from mvote.polls.integrity.errors import PositionNonceInvalid

NONCE_BYTES = 32
NONCE = r"[A-Za-z0-9_-]{43}"
"""32 bytes in base64url without padding."""
LIFETIME = dt.timedelta(seconds=60)


class PositionNonce(Base):
    """A nonce that somebody may use until it expires. Using it deletes it; used for a ballot it
    stays, marked, so that the same request is taken again after a lost answer."""

    __tablename__ = "position_nonce"
    __table_args__ = (
        hash_check("nonce_hash"),
        hash_check("used_for"),
        {"prefixes": ["UNLOGGED"]},
    )

    nonce_hash: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    #: a hash of the request, which its own key K makes nobody's to guess
    used_for: Mapped[bytes | None]


def give_nonce(
    session: Session, *, citizen_id: uuid.UUID, now: dt.datetime
) -> tuple[str, dt.datetime]:
    """A nonce for this citizen alone, 43 characters, and when it expires."""
    nonce, expires_at = secrets.token_urlsafe(NONCE_BYTES), now + LIFETIME
    session.add(PositionNonce(nonce_hash=_hash_of(citizen_id, nonce), expires_at=expires_at))
    return nonce, expires_at


def found_nonce(
    session: Session,
    *,
    citizen_id: uuid.UUID,
    nonce: str,
    now: dt.datetime,
    mark: bytes | None = None,
) -> tuple[dt.datetime, bool]:
    """When this citizen was given the nonce, which stays as it is; and whether it was used, for
    the very request that *mark* stands for. Raises PositionNonceInvalid."""
    is_free = PositionNonce.used_for.is_(None) | (PositionNonce.used_for == mark)
    wanted = select(PositionNonce.expires_at, PositionNonce.used_for).where(
        _is_known(citizen_id, nonce, now), is_free
    )
    found = session.execute(wanted).one_or_none()
    if found is None:
        raise PositionNonceInvalid
    return _given_at(found[0]), found[1] is not None


def use_nonce_for(
    session: Session, *, citizen_id: uuid.UUID, nonce: str, mark: bytes, now: dt.datetime
) -> bool:
    """Use the nonce for the request that *mark* stands for; false if it was used for it before.

    As with `use_nonce`, of two that are not the same the later is refused. Raises
    PositionNonceInvalid.
    """
    used = (
        update(PositionNonce)
        .where(_is_good(citizen_id, nonce, now))
        .values(used_for=mark)
        .returning(PositionNonce.expires_at)
        .execution_options(synchronize_session=False)
    )
    if session.scalar(used) is not None:
        return True
    found_nonce(session, citizen_id=citizen_id, nonce=nonce, now=now, mark=mark)
    return False


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
    return _is_known(citizen_id, nonce, now) & PositionNonce.used_for.is_(None)


def _is_known(citizen_id: uuid.UUID, nonce: str, now: dt.datetime) -> ColumnElement[bool]:
    is_it = PositionNonce.nonce_hash == _hash_of(citizen_id, nonce)
    return is_it & (PositionNonce.expires_at > now)


def _given_at(expires_at: dt.datetime | None) -> dt.datetime:
    if expires_at is None:
        raise PositionNonceInvalid
    return expires_at - LIFETIME


def _hash_of(citizen_id: uuid.UUID, nonce: str) -> bytes:
    content = b"mvote/position-nonce/1\x00" + citizen_id.bytes + nonce.encode()
    return hashlib.sha256(content).digest()
