"""Room passes: who gave number and password may read the private poll for half a day.

A pass names the poll and nobody: who asks for which ballot in a private log is nobody's business,
either. Ballots take the password itself.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import jwt

LIFETIME = dt.timedelta(hours=12)
TYPE = "room+jwt"
ALGORITHM = "HS256"
OPTIONS: Any = {"require": ["poll", "exp"]}


class RoomPasses:
    """Issues and checks passes (HMAC-SHA256). *keys*, of 32 bytes: the first signs, all count."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def issue(self, *, poll_id: uuid.UUID, now: dt.datetime) -> tuple[str, dt.datetime]:
        """A pass, and when it expires."""
        expires_at = (now + LIFETIME).replace(microsecond=0)
        claims = {"poll": str(poll_id), "exp": int(expires_at.timestamp())}
        return jwt.encode(claims, self._keys[0], ALGORITHM, headers={"typ": TYPE}), expires_at

    def admit(self, token: str | None, poll_id: uuid.UUID) -> bool:
        """Whether *token* is a pass for this poll that has not expired."""
        return token is not None and any(_opens(token, key, poll_id) for key in self._keys)


def _opens(token: str, key: bytes, poll_id: uuid.UUID) -> bool:
    try:
        claims = jwt.decode(token, key, algorithms=[ALGORITHM], options=OPTIONS)
        kind = jwt.get_unverified_header(token).get("typ")
    except jwt.PyJWTError:
        return False
    return kind == TYPE and claims["poll"] == str(poll_id)
