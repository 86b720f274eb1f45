"""Tokens of Play Integrity, opened here with the developer's own keys: JWS inside JWE.

Source: "Decrypt and verify the integrity verdict" for classic requests: compact JWE (RFC 7516) with
A256KW and A256GCM, around a compact JWS (RFC 7515) with ES256. No header chooses anything.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey

from mvote.polls.integrity.attesting import LONGEST_TOKEN
from mvote.polls.integrity.errors import AttestationInvalid

AES_KEY_BYTES = 32
OUTER = {"alg": "A256KW", "enc": "A256GCM"}
INNER = {"alg": "ES256"}
HARMLESS = {"typ", "cty", "kid"}
UNREADABLE = (JoseError, ValueError, TypeError, KeyError, binascii.Error, RecursionError)
"""The library lets its own errors through, and some of what it is built on."""


class LocalDecoder:
    """Opens tokens without asking Google; *decryption* and *verification* as its console shows
    them: base64 of an AES key of 32 bytes, and of a public key of P-256 (DER).

    Raises ValueError for what are no such keys.
    """

    def __init__(self, *, decryption: str, verification: str) -> None:
        secret = base64.b64decode(decryption, validate=True)
        public = load_der_public_key(base64.b64decode(verification, validate=True))
        if len(secret) != AES_KEY_BYTES:
            raise ValueError("the decryption key has 32 bytes")
        curve = public.curve if isinstance(public, ec.EllipticCurvePublicKey) else None
        if not isinstance(curve, ec.SECP256R1):
            raise ValueError("the verification key is one of P-256")  # noqa: TRY004 - like the others
        self._secret = OctKey.import_key(secret)
        self._public = ECKey.import_key(
            public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )

    def payload(self, token: str) -> Any:
        """The verdict, parsed JSON. Raises AttestationInvalid."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise AttestationInvalid("form")
        try:
            outer = jwe.decrypt_compact(token, self._secret, algorithms=list(OUTER.values()))
            _check_header(outer.headers(), OUTER)
            inner = jws.deserialize_compact(
                outer.plaintext or b"", self._public, algorithms=list(INNER.values())
            )
            _check_header(inner.headers(), INNER)
            return orjson.loads(inner.payload)
        except UNREADABLE:
            raise AttestationInvalid("token") from None


def _check_header(header: dict[str, Any], expected: dict[str, str]) -> None:
    """Exactly these algorithms, no compression, nothing that asks for more."""
    rest = {name: value for name, value in header.items() if name not in HARMLESS}
    if rest != expected:
        raise ValueError("another header")
