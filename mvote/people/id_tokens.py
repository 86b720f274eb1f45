"""ID tokens of an outside identity provider (OpenID Connect Core 1.0, 3.1.3.7), checked strictly.

Only asymmetric signatures count, and the key says which: nothing in a token chooses how it is
checked. So none passes without a signature, or signed with a public key as if it were a secret.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from mvote.people.attributes import AREA_NAMES, GENDERS
from mvote.people.errors import IdentityInvalid

ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
SMALLEST_RSA_BITS = 2048
LEEWAY = dt.timedelta(seconds=30)
OLDEST = dt.timedelta(minutes=10)
"""So long ago a token may have been issued: the nonce lives no longer, either."""
LONGEST_SUBJECT = 255
REQUIRED = ["iss", "aud", "exp", "iat", "sub", "nonce"]
# the last two: numbers too large for a date, and JSON nested thousands deep
UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError, RecursionError)
Jwk = Mapping[str, Any]


class ProviderKeys(Protocol):
    """The public keys of a provider, as they are now."""

    def key(self, kid: str | None) -> Jwk | None:
        """The key of that id, the only one if None. Raises IdentityProviderAway."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Who vouches for identities, and how what they say is read."""

    issuer: str
    #: our client id there
    audience: str
    keys: ProviderKeys
    #: by attribute of ours: the claim that tells it
    claims: Mapping[str, str] = field(default_factory=dict)
    #: values of `acr` that stand for a person whom the provider has verified; empty: every one does
    verified_by: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, repr=False)
class Proven:
    """Who somebody is, in the provider's words. Has no repr, so it is never logged."""

    issuer: str
    subject: str
    is_verified: bool
    attributes: Mapping[str, Any]


def read_id_token(provider: Provider, token: str, *, nonce: str, now: dt.datetime) -> Proven:
    """What the provider says in *token*. Raises IdentityInvalid, IdentityProviderAway."""
    try:
        header = jwt.get_unverified_header(token)
        jwk = _key_for(provider, header)
        claims = jwt.decode(
            token,
            jwk.key,
            algorithms=[jwk.algorithm_name],
            audience=provider.audience,
            issuer=provider.issuer,
            leeway=LEEWAY,
            options={"require": REQUIRED},
        )
        _check(provider, claims, nonce, now)
    except UNREADABLE:
        raise IdentityInvalid from None
    return Proven(
        issuer=provider.issuer,
        subject=claims["sub"],
        is_verified=not provider.verified_by or claims.get("acr") in provider.verified_by,
        attributes=_attributes(provider.claims, claims),
    )


def _key_for(provider: Provider, header: Mapping[str, Any]) -> jwt.PyJWK:
    """The key that a token's header names, with the one algorithm it is used with."""
    if str(header.get("typ", "JWT")).upper() != "JWT" or "crit" in header:
        raise IdentityInvalid
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise IdentityInvalid
    found = provider.keys.key(kid)
    algorithm = ALGORITHMS.get((found.get("kty", ""), found.get("crv"))) if found else None
    if found is None or algorithm is None or header.get("alg") != algorithm:
        raise IdentityInvalid
    if found.get("alg", algorithm) != algorithm or found.get("use", "sig") != "sig":
        raise IdentityInvalid
    jwk = jwt.PyJWK(dict(found), algorithm=algorithm)
    if isinstance(jwk.key, RSAPublicKey) and jwk.key.key_size < SMALLEST_RSA_BITS:
        raise IdentityInvalid
    return jwk


def _check(provider: Provider, claims: Mapping[str, Any], nonce: str, now: dt.datetime) -> None:
    """What the library does not look at."""
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    party = claims.get("azp", provider.audience if len(audiences) == 1 else None)
    if party != provider.audience or claims["nonce"] != nonce:
        raise IdentityInvalid
    issued = dt.datetime.fromtimestamp(float(claims["iat"]), dt.UTC)
    if not now - OLDEST - LEEWAY <= issued <= now + LEEWAY:
        raise IdentityInvalid
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= LONGEST_SUBJECT:
        raise IdentityInvalid


def _attributes(mapping: Mapping[str, str], claims: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of ours that the claims tell, each of its own type; others are left out."""
    found = {name: _value(name, claims.get(claim)) for name, claim in mapping.items()}
    return {name: value for name, value in found.items() if value is not None}


def _value(name: str, claim: Any) -> Any:
    """`birthdate` is a date or a year (OpenID Connect Core 1.0, 5.1); an area is its code."""
    if name == "birth_year":
        year = str(claim)[:4]
        return int(year) if year.isascii() and year.isdigit() else None
    if name == "gender":
        return claim if claim in GENDERS else None
    if name in AREA_NAMES or name == "occupation":
        return claim if isinstance(claim, str) and claim else None
    return claim if isinstance(claim, bool) else None
