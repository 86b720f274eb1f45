"""Signed-in sessions: a chain of refresh tokens, each good for one use, kept only as hashes."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from mvote.ballotbox.keystore import Keystore
from mvote.base import Base, new_id, state_check, utc_now
from mvote.people.citizens import hash_check

LIFETIME = dt.timedelta(days=30)
GRACE = dt.timedelta(seconds=10)
"""So long a used refresh token is answered again as before: the answer may have been lost."""
TOKEN_BYTES = 32
REFRESH_KEY = "refresh-token"
LONGEST_DEVICE = 60
How = Literal["phone", "identity"]
WAYS: tuple[How, ...] = ("phone", "identity")


class SignIn(Base):
    """One sign-in on one device. Signing out, or a refresh token used twice, deletes it."""

    __tablename__ = "sign_in"
    __table_args__ = (
        state_check("how", WAYS),
        CheckConstraint(f"char_length(device) BETWEEN 1 AND {LONGEST_DEVICE}", name="device_short"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), index=True
    )
    started_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: when its tokens were last renewed
    last_used_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    #: what proved who it is
    how: Mapped[How] = mapped_column(default="phone")
    #: what the app calls the device, for its owner to tell sessions apart
    device: Mapped[str | None]


class RefreshToken(Base):
    """One refresh token of a sign-in, by its hash; used ones stay, so that a second use shows."""

    __tablename__ = "refresh_token"
    __table_args__ = (hash_check("token_hash"),)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    sign_in_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("sign_in.id", ondelete="CASCADE"), index=True
    )
    issued_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    used_at: Mapped[dt.datetime | None]


def new_refresh_token() -> str:
    """256 random bits, as text that fits into JSON and headers."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def successor_of(keystore: Keystore, token: str) -> str:
    """The one refresh token that follows *token*: 256 bits, by a key that is in no database.

    So a lost answer can be given again, though only hashes are kept.
    """
    content = b"mvote/refresh/1\x00" + token.encode()
    derived = hmac.new(keystore.get(REFRESH_KEY), content, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(derived).decode().rstrip("=")


def hash_of_token(token: str) -> bytes:
    """What the database keeps of *token*; so many random bits need no key."""
    return hashlib.sha256(token.encode()).digest()
