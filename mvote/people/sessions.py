"""Signed-in sessions: a chain of refresh tokens, each good for one use, kept only as hashes."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, new_id, utc_now
from mvote.people.citizens import hash_check

LIFETIME = dt.timedelta(days=30)
TOKEN_BYTES = 32


class SignIn(Base):
    """One sign-in on one device. Signing out, or a refresh token used twice, deletes it."""

    __tablename__ = "sign_in"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), index=True
    )
    started_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


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


def hash_of_token(token: str) -> bytes:
    """What the database keeps of *token*; so many random bits need no key."""
    return hashlib.sha256(token.encode()).digest()
