"""Access tokens: ours are taken, everything that only looks like one is refused."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from flask import Flask

from mvote.base import utc_now
from mvote.errors import TokenInvalid
from mvote.people.tokens import SigningKey, Tokens
from tests.support.contract import CheckedClient

ISSUER = "https://vote.example"
KEY = SigningKey.of(bytes(range(32)))
STRANGER = SigningKey.of(bytes(32))
TOKENS = Tokens(issuer=ISSUER, keys=[KEY])
CITIZEN = uuid.uuid4()
NOON = dt.datetime(2026, 5, 2, 12, tzinfo=dt.UTC)


def forged(
    *,
    claims: dict[str, Any] | None = None,
    headers: dict[str, Any] | None = None,
    key: Any = KEY.private,
    algorithm: str = "EdDSA",
    without: str = "",
) -> str:
    """A token like ours, but for what is said."""
    now = int(utc_now().timestamp())
    content = {"iss": ISSUER, "aud": "mvote", "sub": str(CITIZEN), "exp": now + 600, "jti": "1"}
    content |= claims or {}
    content.pop(without, None)
    all_headers = {"typ": "at+jwt", "kid": KEY.kid} | (headers or {})
    all_headers = {name: value for name, value in all_headers.items() if value != "left out"}
    return jwt.encode(content, key, algorithm=algorithm, headers=all_headers)


def test_a_token_of_ours_names_its_citizen() -> None:
    assert TOKENS.citizen_of(TOKENS.issue(CITIZEN, now=utc_now())) == CITIZEN
    assert TOKENS.citizen_of(forged()) == CITIZEN


@time_machine.travel(NOON, tick=False)
def test_a_token_lives_ten_minutes() -> None:
    now = utc_now()
    nearly = now - dt.timedelta(minutes=9, seconds=59)
    assert TOKENS.citizen_of(TOKENS.issue(CITIZEN, now=nearly)) == CITIZEN
    with pytest.raises(TokenInvalid):
        TOKENS.citizen_of(TOKENS.issue(CITIZEN, now=now - dt.timedelta(minutes=10, seconds=1)))


def test_two_tokens_are_never_the_same() -> None:
    now = utc_now()
    assert TOKENS.issue(CITIZEN, now=now) != TOKENS.issue(CITIZEN, now=now)


def unsigned() -> str:
    parts = (
        {"alg": "none", "typ": "at+jwt", "kid": KEY.kid},
        {"sub": str(CITIZEN), "aud": "mvote"},
    )
    encoded = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in parts]
    return ".".join(each.rstrip("=") for each in encoded) + "."


def signed_with_the_public_key() -> str:
    public = base64.b64encode(KEY.private.public_key().public_bytes_raw()).decode()
    return forged(key=public, algorithm="HS256")


def with_a_changed_citizen() -> str:
    head, _, signature = forged().split(".")
    _, other, _ = forged(claims={"sub": str(uuid.uuid4())}).split(".")
    return f"{head}.{other}.{signature}"


def with_its_signature(change: Callable[[bytes], bytes]) -> str:
    head, claims, signature = forged().split(".")
    changed = change(base64.urlsafe_b64decode(f"{signature}=="))
    return f"{head}.{claims}.{base64.urlsafe_b64encode(changed).decode().rstrip('=')}"


HOSTILE: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "no token at all": lambda: "hello",
    "three empty parts": lambda: "..",
    "not text of this alphabet": lambda: "é.é.é",
    "without a signature": unsigned,
    "with an empty signature": lambda: with_its_signature(lambda _: b""),
    "with a signature that is too short": lambda: with_its_signature(lambda right: right[:-1]),
    "with a signature that is too long": lambda: with_its_signature(lambda right: right + b"e"),
    "with another signature": lambda: with_its_signature(lambda right: right[:-1] + b"\xff"),
    "signed with the public key": signed_with_the_public_key,
    "of a key we do not know": lambda: forged(key=STRANGER.private, headers={"kid": STRANGER.kid}),
    "of another key under our key's id": lambda: forged(key=STRANGER.private),
    "without a key id": lambda: forged(headers={"kid": "left out"}),
    "with a changed citizen": with_a_changed_citizen,
    "for another audience": lambda: forged(claims={"aud": "other"}),
    "of another issuer": lambda: forged(claims={"iss": "https://evil.example"}),
    "expired": lambda: forged(claims={"exp": int(utc_now().timestamp()) - 1}),
    "not yet valid": lambda: forged(claims={"nbf": int(utc_now().timestamp()) + 600}),
    "an id token": lambda: forged(headers={"typ": "JWT"}),
    "without a type": lambda: forged(headers={"typ": ""}),
    "a presence token": lambda: forged(headers={"typ": "presence+jwt"}),
    "without an end": lambda: forged(without="exp"),
    "without a citizen": lambda: forged(without="sub"),
    "without an audience": lambda: forged(without="aud"),
    "without an issuer": lambda: forged(without="iss"),
    "without an id": lambda: forged(without="jti"),
    "of a citizen that is no id": lambda: forged(claims={"sub": "1"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_token_is_refused(name: str) -> None:
    with pytest.raises(TokenInvalid):
        TOKENS.citizen_of(HOSTILE[name]())


def test_a_new_key_signs_while_tokens_of_the_old_one_are_still_taken() -> None:
    both = Tokens(issuer=ISSUER, keys=[STRANGER, KEY])
    old = TOKENS.issue(CITIZEN, now=utc_now())
    new = both.issue(CITIZEN, now=utc_now())
    assert both.citizen_of(old) == both.citizen_of(new) == CITIZEN
    assert jwt.get_unverified_header(new)["kid"] == STRANGER.kid
    with pytest.raises(TokenInvalid):
        TOKENS.citizen_of(new)


def test_the_published_keys_check_our_tokens(app: Flask, client: CheckedClient) -> None:
    token = app.extensions["tokens"].issue(CITIZEN, now=utc_now())
    response = client.get("/.well-known/jwks.json")
    assert response.status_code == 200
    published = {key["kid"]: key for key in response.get_json()["keys"]}
    key = jwt.PyJWK(published[jwt.get_unverified_header(token)["kid"]])
    assert isinstance(key.key, Ed25519PublicKey)
    assert jwt.decode(token, key.key, algorithms=["EdDSA"], audience="mvote")["sub"] == str(CITIZEN)


def test_no_private_key_is_published(client: CheckedClient) -> None:
    for key in client.get("/.well-known/jwks.json").get_json()["keys"]:
        assert set(key) == {"kty", "crv", "use", "alg", "kid", "x"}


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "token-missing"),
        ({"Authorization": "Basic dTpw"}, "token-missing"),
        ({"Authorization": "Bearer "}, "token-missing"),
        ({"Authorization": "Bearer nonsense"}, "token-invalid"),
        ({"Authorization": f"Bearer {forged()}"}, "token-invalid"),
    ],
)
def test_the_account_opens_to_no_foreign_token(
    client: CheckedClient, header: dict[str, str], code: str
) -> None:
    response = client.get("/v1/me", headers=header)
    assert (response.status_code, response.get_json()["code"]) == (401, code)
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_good_token_of_an_account_that_is_gone_is_refused(
    app: Flask, client: CheckedClient
) -> None:
    token = app.extensions["tokens"].issue(uuid.uuid4(), now=utc_now())
    response = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert (response.status_code, response.get_json()["code"]) == (401, "token-invalid")


def test_a_key_is_named_by_its_public_half() -> None:
    assert SigningKey.of(bytes(range(32))).kid == KEY.kid != STRANGER.kid
    assert isinstance(KEY.private, Ed25519PrivateKey)


def library_takes(token: str) -> str | None:
    """The subject that PyJWT finds in *token*, with the type that it does not look at; or none."""
    try:
        if jwt.get_unverified_header(token).get("typ") != "at+jwt":
            return None
        claims = jwt.decode(
            token,
            KEY.private.public_key(),
            algorithms=["EdDSA"],
            issuer=ISSUER,
            audience="mvote",
            options={"require": ["iss", "aud", "sub", "exp", "jti"]},
        )
    except jwt.PyJWTError:
        return None
    return str(claims["sub"])


ODD_VALUES: list[Any] = [
    None, "", 0, -1, 1e300, True, [], {}, ["mvote"], "9999999999", 9_999_999_999,
]  # fmt: skip
ODD_CLAIMS: list[dict[str, Any]] = [
    {name: value} for name in ("aud", "sub", "exp", "jti", "iat", "nbf") for value in ODD_VALUES
]


@pytest.mark.parametrize("claims", ODD_CLAIMS, ids=str)
def test_no_token_is_taken_that_the_library_would_refuse(claims: dict[str, Any]) -> None:
    token = forged(claims=claims)
    try:
        found = TOKENS.citizen_of(token)
    except TokenInvalid:
        return
    assert library_takes(token) == str(found)


def test_every_changed_character_of_a_token_is_noticed() -> None:
    token = forged()
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        changed = token[:place] + other + token[place + 1 :]
        if place == len(token) - 1:  # its last four bits are no part of the signature
            continue
        with pytest.raises(TokenInvalid):
            TOKENS.citizen_of(changed)
