"""Access tokens: JWTs signed with Ed25519 (RFC 7519, RFC 8037, RFC 9068), ten minutes at most."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nacl.bindings import crypto_sign_BYTES, crypto_sign_open
from nacl.exceptions import BadSignatureError

from mvote.errors import TokenInvalid

LIFETIME = dt.timedelta(minutes=10)
ACCESS_TYPE = "at+jwt"
AUDIENCE = "mvote"
ALGORITHM = "EdDSA"
URL_SAFE = str.maketrans("-_+/", "+/--")
"""The alphabet of RFC 4648 section 5 to that of section 4, whose own signs become none at all."""


@dataclass(frozen=True)
class SigningKey:
    """A token key: its private half, and the id that tokens name it by."""

    kid: str
    private: Ed25519PrivateKey

    @classmethod
    def of(cls, secret: bytes) -> SigningKey:
        """The signing key of a 32-byte *secret*; its id is the start of its public key's hash."""
        private = Ed25519PrivateKey.from_private_bytes(secret)
        return cls(key_id(private.public_key().public_bytes_raw()), private)


def key_id(public: bytes) -> str:
    """16 hex digits that name a public key."""
    return hashlib.sha256(public).hexdigest()[:16]


class Tokens:
    """Issues and checks access tokens. *keys*: the first signs, all are accepted."""

    def __init__(self, *, issuer: str, keys: list[SigningKey]) -> None:
        self._issuer = issuer
        self._signer = keys[0]
        self._public: Mapping[str, Ed25519PublicKey] = {
            key.kid: key.private.public_key() for key in keys
        }
        # Type, algorithm and key are settled by the first part of a token being one of ours, byte
        # for byte. So nothing in a token chooses how it is checked, and every cast checks one:
        # the library, which also looks at no type, takes twice as long.
        self._by_heading = {_heading(key): self._public[key.kid].public_bytes_raw() for key in keys}

    def issue(
        self, citizen_id: uuid.UUID, *, now: dt.datetime, session_id: uuid.UUID | None = None
    ) -> str:
        """A fresh access token of *citizen_id*, in one of their sessions."""
        in_session = {"sid": str(session_id)} if session_id else {}
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(citizen_id),
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "jti": uuid.uuid4().hex,
            **in_session,
        }
        return _signed(claims, self._signer)

    def citizen_of(self, token: str) -> uuid.UUID:
        """Whose *token* it is. Raises TokenInvalid whatever is wrong with it."""
        return uuid.UUID(self._claims_of(token)["sub"])

    def session_of(self, token: str) -> uuid.UUID | None:
        """The session that a *token* was given out in; None if in none. Raises TokenInvalid."""
        said = self._claims_of(token).get("sid")
        return uuid.UUID(said) if said else None

    def _claims_of(self, token: str) -> dict[str, Any]:
        heading, _, rest = token.partition(".")
        content, _, signature = rest.partition(".")
        try:
            signed = f"{heading}.{content}".encode("ascii")
            _check(self._by_heading[heading], _unpacked(signature), signed)
            return self._checked(orjson.loads(_unpacked(content)))
        except (BadSignatureError, ValueError, KeyError, TypeError):
            raise TokenInvalid from None

    def _checked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Claims whose signature is ours; as strict as PyJWT, or stricter."""
        now = time.time()
        if (claims["iss"], claims["aud"]) != (self._issuer, AUDIENCE):
            raise TokenInvalid
        if type(claims["exp"]) is not int or claims["exp"] <= now:
            raise TokenInvalid
        if claims.get("iat", 0) > now or claims.get("nbf", 0) > now:
            raise TokenInvalid
        if type(claims["jti"]) is not str or type(claims["sub"]) is not str:
            raise TokenInvalid
        uuid.UUID(claims["sub"])
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


def _check(public: bytes, signature: bytes, signed: bytes) -> None:
    """Raises BadSignatureError or ValueError. By libsodium, in 0.6 of the time OpenSSL takes."""
    if len(signature) != crypto_sign_BYTES:  # or a part of one would be taken for the other
        raise ValueError("signature")
    crypto_sign_open(signature + signed, public)


def _signed(claims: dict[str, Any], key: SigningKey) -> str:
    headers = {"typ": ACCESS_TYPE, "kid": key.kid}
    return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers=headers)


def _heading(key: SigningKey) -> str:
    """The first part of every token that *key* signs."""
    return _signed({}, key).partition(".")[0]


def _unpacked(part: str) -> bytes:
    """The bytes of base64url without padding. Raises ValueError for anything else in it."""
    padded = part.translate(URL_SAFE) + "=" * (-len(part) % 4)
    return binascii.a2b_base64(padded, strict_mode=True)
