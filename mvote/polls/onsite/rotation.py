"""Values that change every 30 seconds: time-based one-time passwords (TOTP, RFC 6238).

8 digits, HMAC-SHA-256, steps of 30 s since 1970; the step before and the one after are taken, too.
So a value is good for 60 s at most after the screen first showed it.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import os
import uuid
from dataclasses import dataclass

import pyotp
from sqlalchemy import CheckConstraint, ForeignKey, delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base
from mvote.polls.onsite.errors import ScanValueExpired, ScanValueUsed
from mvote.polls.onsite.wrapping import NONCE_BYTES, TAG_BYTES, CodeSecrets

STEP_S, DIGITS, SECRET_BYTES = 30, 8, 32
AROUND = (0, -1, 1)
"""The steps whose values are taken: the present one, its neighbours."""
REMEMBERED = 20
"""A value of this many steps ago is told apart from one that never was."""


class Rotation(Base):
    """The secret of one rotating code, wrapped by the keystore's key."""

    __tablename__ = "rotation"
    __table_args__ = (
        CheckConstraint(
            f"octet_length(sealed_secret) = {NONCE_BYTES + SECRET_BYTES + TAG_BYTES}",
            name="sealed_secret_length",
        ),
    )

    code: Mapped[str] = mapped_column(ForeignKey("site_code.code"), primary_key=True)
    sealed_secret: Mapped[bytes]


class UsedValue(Base):
    """That somebody used one value: a hash that tells nobody who, kept while the value is good."""

    __tablename__ = "used_value"
    __table_args__ = (CheckConstraint("octet_length(use_hash) = 32", name="use_hash_length"),)

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: HMAC-SHA-256 by the code's secret over citizen and step
    use_hash: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a screen shows: the value, until when it shows it, and until when it is taken."""

    value: str
    expires_at: dt.datetime
    accepted_until: dt.datetime


def new_rotation(code: str, secrets: CodeSecrets) -> Rotation:
    """A rotation with a fresh secret."""
    wrapped = secrets.wrap(os.urandom(SECRET_BYTES), purpose=_purpose(code))
    return Rotation(code=code, sealed_secret=wrapped)


def secret_of(session: Session, code: str, secrets: CodeSecrets) -> bytes:
    """The secret of a rotating code. Raises SecretUnreadable."""
    rotation = session.get_one(Rotation, code)
    return secrets.unwrap(rotation.sealed_secret, purpose=_purpose(code))


def shown_at(secret: bytes, now: dt.datetime) -> Shown:
    """What the screen shows at *now*."""
    step = _step_at(now)
    return Shown(
        value=value_of(secret, step), expires_at=_begin(step + 1), accepted_until=_begin(step + 2)
    )


def value_of(secret: bytes, step: int) -> str:
    """The value of a step, 8 digits."""
    key = base64.b32encode(secret).decode()
    return pyotp.TOTP(key, digits=DIGITS, digest=hashlib.sha256, interval=STEP_S).generate_otp(step)


def step_of(secret: bytes, value: str, now: dt.datetime) -> int | None:
    """The step whose value this is, if it is taken at *now*; None for one that never was.

    Raises ScanValueExpired for a value that was shown not long ago.
    """
    present = _step_at(now)
    for step in (present + offset for offset in AROUND):
        if hmac.compare_digest(value_of(secret, step), value):
            return step
    for step in range(present - REMEMBERED, present - 1):
        if hmac.compare_digest(value_of(secret, step), value):
            raise ScanValueExpired
    return None


def use_once(
    session: Session, *, poll_id: uuid.UUID, secret: bytes, citizen_id: uuid.UUID, step: int
) -> None:
    """Let the citizen use the value of a step this once. Raises ScanValueUsed."""
    content = b"mvote/used-value/1\x00" + citizen_id.bytes + step.to_bytes(8)
    statement = insert(UsedValue).values(
        poll_id=poll_id,
        use_hash=hmac.digest(secret, content, "sha256"),
        expires_at=_begin(step + 3),
    )
    if session.execute(statement.on_conflict_do_nothing().returning(1)).first() is None:
        raise ScanValueUsed


def forget_used_values(session: Session) -> None:
    """Remove the traces of values that are refused by now anyway."""
    session.execute(delete(UsedValue).where(UsedValue.expires_at < func.clock_timestamp()))


def _purpose(code: str) -> str:
    return f"rotation/{code}"


def _step_at(now: dt.datetime) -> int:
    return int(now.timestamp()) // STEP_S


def _begin(step: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(step * STEP_S, dt.UTC)
