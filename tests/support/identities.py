"""An identity provider for tests: its keys, its tokens, and nonces as the application asks them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy.orm import Session

from mvote.base import utc_now
from mvote.people.challenges import Challenge, hash_of_code
from mvote.people.id_tokens import Jwk, Proven, Provider
from mvote.people.identities import Hall, ask

ISSUER, CLIENT = "https://id.example.org", "mvote-seoul"
CODE = "123456"
CLAIMS = {"birth_year": "birthdate", "gender": "gender", "home_area": "legal_dong"}
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey
_WRITERS: dict[str, Any] = {
    "RS256": jwt.algorithms.RSAAlgorithm,
    "ES256": jwt.algorithms.ECAlgorithm,
    "EdDSA": jwt.algorithms.OKPAlgorithm,
}


def new_key(algorithm: str) -> Private:
    """A private key for that algorithm."""
    match algorithm:
        case "RS256":
            return rsa.generate_private_key(65537, 2048)
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case _:
            return Ed25519PrivateKey.generate()


def public_jwk(key: Private, algorithm: str, **more: Any) -> dict[str, Any]:
    """Its public half as the provider shows it."""
    shown: dict[str, Any] = _WRITERS[algorithm].to_jwk(key.public_key(), as_dict=True)
    return shown | more


class IdentityProvider:
    """Signs ID tokens; `provider` is what the application knows of it."""

    def __init__(self, algorithm: str = "ES256", **more: Any) -> None:
        self.algorithm, self.private = algorithm, new_key(algorithm)
        self.shown: list[Jwk] = [public_jwk(self.private, algorithm, kid="k1", use="sig")]
        self.provider = Provider(issuer=ISSUER, audience=CLIENT, keys=self, claims=CLAIMS, **more)

    def key(self, kid: str | None) -> Jwk | None:
        found = [each for each in self.shown if kid is None or each["kid"] == kid]
        return found[0] if len(found) == 1 else None

    def claims(self, subject: str, nonce: str, /, **more: Any) -> dict[str, Any]:
        now = utc_now()
        usual = {
            "iss": ISSUER,
            "aud": CLIENT,
            "sub": subject,
            "nonce": nonce,
            "iat": int(now.timestamp()),
            "exp": int((now + dt.timedelta(minutes=5)).timestamp()),
        }
        return {key: value for key, value in (usual | more).items() if value is not None}

    def token(self, subject: str, nonce: str, /, **more: Any) -> str:
        """An ID token; a claim that is None is left out."""
        claims, headers = self.claims(subject, nonce, **more), {"kid": "k1"}
        return jwt.encode(claims, self.private, algorithm=self.algorithm, headers=headers)


def hall_of(app: Flask) -> Hall:
    return Hall(desk=app.extensions["front_desk"], areas=app.extensions["areas"])


def proven(subject: str, **attributes: Any) -> Proven:
    return Proven(issuer=ISSUER, subject=subject, is_verified=True, attributes=attributes)


def a_nonce(app: Flask, session: Session) -> str:
    """A nonce that was asked for from an address of its own."""
    nonce, _ = ask(session, desk=hall_of(app).desk, address=str(uuid.uuid4()), now=utc_now())
    return nonce


def a_challenge(app: Flask, session: Session, number: str) -> uuid.UUID:
    """A challenge of *number* as the new one of an account, answered by CODE."""
    desk, id_ = hall_of(app).desk, uuid.uuid4()
    challenge = Challenge(
        id=id_,
        purpose="new-number",
        phone_hash=desk.phones.hash_of(number),
        phone_sealed=desk.phones.seal(number),
        code_hash=hash_of_code(desk.keystore, id_, CODE),
        expires_at=utc_now() + dt.timedelta(minutes=5),
    )
    session.add(challenge)
    session.flush()
    return id_
