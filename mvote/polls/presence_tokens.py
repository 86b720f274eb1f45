"""Presence tokens: what a scan at a site answers with. Bound to citizen, poll and site; brief."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import jwt

from mvote.polls.errors import PresenceTokenInvalid

LIFETIME = dt.timedelta(minutes=10)
TYPE = "presence+jwt"
ALGORITHM = "HS256"
OPTIONS: Any = {"require": ["sub", "poll", "site", "exp", "jti"]}


class PresenceTokens:
    """Issues and checks presence tokens (HMAC-SHA256). *keys*, of 32 bytes: the first signs, all
    are accepted."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def issue(
        self, *, citizen_id: uuid.UUID, poll_id: uuid.UUID, site_id: uuid.UUID, now: dt.datetime
    ) -> tuple[str, dt.datetime]:
        """A token, and when it expires."""
        expires_at = (now + LIFETIME).replace(microsecond=0)
        claims = {
            "sub": str(citizen_id),
            "poll": str(poll_id),
            "site": str(site_id),
            "exp": int(expires_at.timestamp()),
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(claims, self._keys[0], ALGORITHM, headers={"typ": TYPE}), expires_at

    def site_of(self, token: str, *, citizen_id: uuid.UUID, poll_id: uuid.UUID) -> uuid.UUID:
        """The site where this citizen was, for this poll. Raises PresenceTokenInvalid."""
        try:
            if jwt.get_unverified_header(token).get("typ") != TYPE:
                raise PresenceTokenInvalid
            claims = self._verified(token)
            if (claims["sub"], claims["poll"]) != (str(citizen_id), str(poll_id)):
                raise PresenceTokenInvalid
            return uuid.UUID(claims["site"])
        except (jwt.PyJWTError, ValueError, KeyError, TypeError):
            raise PresenceTokenInvalid from None

    def _verified(self, token: str) -> dict[str, Any]:
        for key in self._keys:
            with suppress(jwt.InvalidSignatureError):  # another of our keys may have signed it
                claims: dict[str, Any] = jwt.decode(
                    token, key, algorithms=[ALGORITHM], options=OPTIONS
                )
                return claims
        raise PresenceTokenInvalid
