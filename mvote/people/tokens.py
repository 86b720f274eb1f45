"""Access tokens: JWTs signed with Ed25519 (RFC 7519, RFC 8037, RFC 9068), ten minutes at most."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mvote.errors import TokenInvalid

LIFETIME = dt.timedelta(minutes=10)
ACCESS_TYPE = "at+jwt"
AUDIENCE = "mvote"
ALGORITHM = "EdDSA"


@dataclass(frozen=True)
class SigningKey:
    """A token key: its private half, and the id that tokens name it by."""

    kid: str
    private: Ed25519PrivateKey

    @classmethod
    def of(cls, secret: bytes) -> SigningKey:
        """The signing key of a 32-byte *secret*; its id is the start of its public key's hash."""
        private = Ed25519PrivateKey.from_private_bytes(secret)
        return cls(key_id(private.public_key()), private)


def key_id(public: Ed25519PublicKey) -> str:
    """16 hex digits that name a public key."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


class Tokens:
    """Issues and checks access tokens. *keys*: the first signs, all are accepted."""

    def __init__(self, *, issuer: str, keys: list[SigningKey]) -> None:
        self._issuer = issuer
        self._signer = keys[0]
        self._public: Mapping[str, Ed25519PublicKey] = {
            key.kid: key.private.public_key() for key in keys
        }
        # Type, algorithm and key are settled by the first part of a token being one of ours, byte
        # for byte: the library looks at no type, and would read every token twice.
        self._by_heading = {_heading(key): self._public[key.kid] for key in keys}

    def issue(self, citizen_id: uuid.UUID, *, now: dt.datetime) -> str:
        """A fresh access token of *citizen_id*."""
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(citizen_id),
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "jti": uuid.uuid4().hex,
        }
        return _signed(claims, self._signer)

    def citizen_of(self, token: str) -> uuid.UUID:
        """Whose *token* it is. Raises TokenInvalid whatever is wrong with it."""
        try:
            claims = self._verified(token, self._by_heading[token.partition(".")[0]])
            return uuid.UUID(claims["sub"])
        except (jwt.PyJWTError, ValueError, KeyError, TypeError):
            raise TokenInvalid from None

    def _verified(self, token: str, key: Ed25519PublicKey) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=self._issuer,
            audience=AUDIENCE,
            options={"require": ["iss", "aud", "sub", "exp", "jti"]},
        )
        return claims

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JWK set (RFC 7517, RFC 8037)."""
        return {
            "keys": [
                {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM, "kid": kid,
                 "x": base64.urlsafe_b64encode(public.public_bytes_raw()).decode().rstrip("=")}
                for kid, public in self._public.items()
            ]
        }  # fmt: skip


def _signed(claims: dict[str, Any], key: SigningKey) -> str:
    headers = {"typ": ACCESS_TYPE, "kid": key.kid}
    return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers=headers)


def _heading(key: SigningKey) -> str:
    """The first part of every token that *key* signs."""
    return _signed({}, key).partition(".")[0]
