"""ID tokens: every kind of token that must not pass, and those that must."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_encode

from mvote.base import utc_now
from mvote.people.errors import IdentityInvalid
from mvote.people.id_tokens import Proven, read_id_token
from tests.support.identities import CLIENT, ISSUER, IdentityProvider, new_key, public_jwk

NONCE = "a-nonce-of-ours"
Forge = Callable[[IdentityProvider], str]


def read(provider: IdentityProvider, token: str) -> Proven:
    return read_id_token(provider.provider, token, nonce=NONCE, now=utc_now())


def at(**delta: float) -> int:
    return int((utc_now() + dt.timedelta(**delta)).timestamp())


def unsigned(provider: IdentityProvider) -> str:
    return jwt.encode(provider.claims("s", NONCE), "", algorithm="none", headers={"kid": "k1"})


def signed_with_the_public_key_as_a_secret(provider: IdentityProvider) -> str:
    public = provider.private.public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = json.dumps({"alg": "HS256", "typ": "JWT", "kid": "k1"}).encode()
    claims = json.dumps(provider.claims("s", NONCE)).encode()
    signed = b".".join(map(base64url_encode, (head, claims)))
    signature = hmac.new(secret, signed, hashlib.sha256).digest()
    return (signed + b"." + base64url_encode(signature)).decode()


def of_another_key(provider: IdentityProvider) -> str:
    other = IdentityProvider(provider.algorithm)
    return other.token("s", NONCE)


def with_headers(**headers: Any) -> Forge:
    def forge(provider: IdentityProvider) -> str:
        claims, said = provider.claims("s", NONCE), {"kid": "k1", **headers}
        return jwt.encode(claims, provider.private, algorithm=provider.algorithm, headers=said)

    return forge


def with_claims(**claims: Any) -> Forge:
    return lambda provider: provider.token("s", NONCE, **claims)


def changed_after_signing(provider: IdentityProvider) -> str:
    head, _, signature = provider.token("s", NONCE).split(".")
    claims = json.dumps(provider.claims("another", NONCE)).encode()
    return f"{head}.{base64url_encode(claims).decode()}.{signature}"


FORGED: dict[str, Forge] = {
    "no signature": unsigned,
    "the public key as a secret": signed_with_the_public_key_as_a_secret,
    "another key under the same id": of_another_key,
    "an unknown key": with_headers(kid="k2"),
    "a key id that is no text": lambda _: "eyJraWQiOjF9.e30.AA",
    "an access token": with_headers(typ="at+jwt"),
    "a critical header": with_headers(crit=["exp"]),
    "changed after signing": changed_after_signing,
    "another issuer": with_claims(iss=ISSUER + "/"),
    "no issuer": with_claims(iss=None),
    "another audience": with_claims(aud="somebody"),
    "no audience": with_claims(aud=None),
    "two audiences, and no party named": with_claims(aud=[CLIENT, "somebody"]),
    "two audiences, for the other": with_claims(aud=[CLIENT, "somebody"], azp="somebody"),
    "issued to another party": with_claims(azp="somebody"),
    "expired": with_claims(exp=at(minutes=-1)),
    "never expiring": with_claims(exp=None),
    "issued in the future": lambda p: p.token("s", NONCE, iat=at(minutes=2)),  # from now on
    "issued long ago": with_claims(iat=at(minutes=-11)),
    "issued at no time": with_claims(iat=None),
    "not valid yet": lambda p: p.token("s", NONCE, nbf=at(minutes=2)),
    "another nonce": with_claims(nonce="another"),
    "no nonce": with_claims(nonce=None),
    "nobody": with_claims(sub=None),
    "an empty name": with_claims(sub=""),
    "a name without end": with_claims(sub="x" * 256),
    "issued before all dates": with_claims(iat=-(10**400)),
    "a header nested thousands deep": lambda _: (
        f"{base64url_encode(b'[' * 100_000).decode()}.e30.AA"
    ),
    "no token": lambda _: "x",
    "three empty parts": lambda _: "..",
    "too deep": lambda _: "[" * 5000,
}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_provider_signs_with_any_of_three_algorithms(algorithm: str) -> None:
    provider = IdentityProvider(algorithm)
    found = read(provider, provider.token("somebody", NONCE))
    assert (found.issuer, found.subject, found.is_verified) == (ISSUER, "somebody", True)


@pytest.mark.parametrize("name", FORGED)
def test_a_token_that_is_not_all_right_proves_nothing(name: str) -> None:
    provider = IdentityProvider("ES256")
    assert read(provider, provider.token("s", NONCE))
    with pytest.raises(IdentityInvalid):
        read(provider, FORGED[name](provider))


def test_two_audiences_pass_where_we_are_the_party() -> None:
    provider = IdentityProvider()
    token = provider.token("s", NONCE, aud=["somebody", CLIENT], azp=CLIENT)
    assert read(provider, token).subject == "s"


@pytest.mark.parametrize(
    "shown", [{"alg": "RS512"}, {"use": "enc"}, {"kty": "oct", "k": "c2VjcmV0"}]
)
def test_a_key_for_another_use_checks_nothing(shown: dict[str, str]) -> None:
    provider = IdentityProvider("RS256")
    provider.shown = [{**provider.shown[0], **shown}]
    with pytest.raises(IdentityInvalid):
        read(provider, provider.token("s", NONCE))


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_short_rsa_key_checks_nothing() -> None:
    provider = IdentityProvider("RS256")
    provider.private = rsa.generate_private_key(65537, 1024)  # noqa: S505 - too short is the point
    provider.shown = [public_jwk(provider.private, "RS256", kid="k1")]
    with pytest.raises(IdentityInvalid):
        read(provider, provider.token("s", NONCE))


def test_claims_become_attributes_and_nonsense_is_left_out() -> None:
    provider = IdentityProvider()
    told = {"birthdate": "1984-05-01", "gender": "female", "legal_dong": "1111010100"}
    found = read(provider, provider.token("s", NONCE, **told))
    assert found.attributes == {"birth_year": 1984, "gender": "female", "home_area": "1111010100"}
    nonsense = {"birthdate": "long ago", "gender": "f", "legal_dong": 11}
    assert read(provider, provider.token("s", NONCE, **nonsense)).attributes == {}


def test_only_the_levels_that_a_city_names_stand_for_a_verified_person() -> None:
    provider = IdentityProvider(verified_by=frozenset({"high"}))
    assert read(provider, provider.token("s", NONCE, acr="high")).is_verified
    assert not read(provider, provider.token("s", NONCE, acr="low")).is_verified
    assert not read(provider, provider.token("s", NONCE)).is_verified


def test_keys_are_made_anew_each_time() -> None:
    assert public_jwk(new_key("EdDSA"), "EdDSA") != public_jwk(new_key("EdDSA"), "EdDSA")
