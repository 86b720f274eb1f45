"""One-time codes: six digits sent to a number, to be typed back within minutes, few times."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from typing import Literal, get_args

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mvote.ballotbox.keystore import Keystore
from mvote.base import Base, random_id, state_check, utc_now
from mvote.people.citizens import hash_check
from mvote.wording import Message, say

CODE_KEY = "one-time-code"
DIGITS = 6
MOST_TRIES = 5
LIFETIME = dt.timedelta(minutes=5)
Purpose = Literal["sign-in", "new-number"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
#: what a phone gets: it says what the code does, so that nobody is talked out of their number;
#: short enough for one message in any language
TEXTS: dict[Purpose, Message] = {
    "sign-in": say(
        "[mvote] Your one-time code is {code}. Enter it within 5 minutes. Tell it to nobody."
    ),
    "new-number": say(
        "[mvote] {code} gives this number to another account. Enter it within 5 minutes."
        " Tell it to nobody."
    ),
}


class Challenge(Base):
    """One code that was sent to one number, whether or not the number has an account."""

    __tablename__ = "challenge"
    __table_args__ = (
        hash_check("phone_hash"),
        hash_check("code_hash"),
        state_check("purpose", PURPOSES),
        CheckConstraint(f"tries BETWEEN 0 AND {MOST_TRIES}", name="few_tries"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=random_id)
    #: what the code is good for, and for nothing else
    purpose: Mapped[str] = mapped_column(default="sign-in")
    phone_hash: Mapped[bytes] = mapped_column(index=True)
    #: the number, encrypted: the account that it may become keeps it
    phone_sealed: Mapped[bytes]
    #: HMAC of the code and this id, with a key of its own: a million codes are soon tried out
    code_hash: Mapped[bytes]
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    spent_at: Mapped[dt.datetime | None]


def new_code() -> str:
    """Six digits, each code as likely as any other."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def hash_of_code(keystore: Keystore, challenge_id: uuid.UUID, code: str) -> bytes:
    """32 bytes that stand for *code* in this challenge only."""
    content = b"mvote/one-time-code/1\x00" + challenge_id.bytes + code.encode()
    return hmac.new(keystore.get(CODE_KEY), content, hashlib.sha256).digest()
