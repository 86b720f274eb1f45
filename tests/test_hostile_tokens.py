"""No operation takes a token that is not ours, not for us, not of its kind, or of nobody."""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.access import Undeclared, access, caller_or_nobody
from mvote.base import utc_now
from mvote.people.citizens import Citizen
from mvote.people.tokens import SigningKey
from tests.support.census import census
from tests.support.operations import operations_of
from tests.support.world import Person, World, new_key

TEN_KILOBYTES = 10 * 1024


class Forge:
    """Makes tokens as a thief or a liar would: with our real key, or with another."""

    def __init__(self, world: World) -> None:
        keystore = world.wiring.keystore
        self.ours = SigningKey.of(keystore.get(keystore.names("token/")[-1]))
        self.theirs = SigningKey("0123456789abcdef", Ed25519PrivateKey.generate())
        self.citizen = world.citizen()
        self.claims = {
            "iss": world.settings.public_url,
            "aud": "mvote",
            "sub": str(self.citizen.id),
            "exp": int(utc_now().timestamp()) + 600,
            "jti": uuid.uuid4().hex,
        }
        presence = world.wiring.presence_tokens
        self.presence, _ = presence.issue(
            citizen_id=self.citizen.id, poll_id=uuid.uuid4(), site_id=uuid.uuid4(), now=utc_now()
        )

    def token(self, *, kid: str = "", typ: str | None = "at+jwt", **claims: Any) -> str:
        """Signed with our own key, but for what is said; a claim of None is left out."""
        content = {k: v for k, v in (self.claims | claims).items() if v is not None}
        headers = {"kid": kid or self.ours.kid, "typ": typ}
        return jwt.encode(content, self.ours.private, algorithm="EdDSA", headers=headers)

    def signed_otherwise(self, key: Any, algorithm: str, kid: str = "") -> str:
        """With the right content, but another key or algorithm."""
        headers = {"kid": kid or self.ours.kid, "typ": "at+jwt"}
        return jwt.encode(self.claims, key, algorithm=algorithm, headers=headers)

    def with_the_public_key(self, encoding: Encoding, form: PublicFormat) -> str:
        """HS256, its secret being what everyone knows."""
        public = self.ours.private.public_key().public_bytes(encoding, form)
        # the library refuses to sign with a key in PEM: a forger would not
        unsigned = jwt.encode(self.claims, "x" * 32, "HS256", headers=self._hs256_headers())
        signing_input = unsigned.rpartition(".")[0].encode()
        signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        digest = signature.sign(signing_input, public)
        return f"{signing_input.decode()}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"

    def _hs256_headers(self) -> dict[str, str]:
        return {"kid": self.ours.kid, "typ": "at+jwt"}

    def all(self) -> dict[str, str]:
        """Every hostile token by what is wrong with it."""
        past = int(utc_now().timestamp()) - 1
        raw, pem = (
            (Encoding.Raw, PublicFormat.Raw),
            (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        )
        good = self.token()
        return {
            "garbage": "garbage",
            "dots": "..",
            "not base64": "é.ü.ß",
            "a good one cut short": good[:-10],
            "a good one with more": good + "AA",
            "two good ones": f"{good}{good}",
            "ten kilobytes": "a" * TEN_KILOBYTES,
            "ten kilobytes of claims": self.token(more="a" * TEN_KILOBYTES, aud="other"),
            "no algorithm": self.signed_otherwise(None, "none"),
            "HS256 with the public key, raw": self.with_the_public_key(*raw),
            "HS256 with the public key, PEM": self.with_the_public_key(*pem),
            "another key under our key's name": self.signed_otherwise(self.theirs.private, "EdDSA"),
            "an unknown key": self.signed_otherwise(self.theirs.private, "EdDSA", self.theirs.kid),
            "our key under an unknown name": self.token(kid="ffffffffffffffff"),
            "a path for a key's name": self.token(kid="../../../../dev/null"),
            "another audience": self.token(aud="another"),
            "no audience": self.token(aud=None),
            "another issuer": self.token(iss="https://example.org"),
            "no issuer": self.token(iss=None),
            "expired": self.token(exp=past),
            "without end": self.token(exp=None),
            "without id": self.token(jti=None),
            "without citizen": self.token(sub=None),
            "a citizen that is no id": self.token(sub="' OR 1=1 --"),
            "an id token": self.token(typ="JWT"),
            "no type": self.token(typ=None),
            "a presence token's type": self.token(typ="presence+jwt"),
            "a presence token": self.presence,
        }


@pytest.fixture
def forge(world: World) -> Forge:
    return Forge(world)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_like_the_forged_ones_but_right_is_taken(world: World, forge: Forge) -> None:
    assert world.client.get("/v1/me", headers=bearer(forge.token())).status_code == 200


def test_no_operation_takes_a_hostile_token_and_nothing_is_written(
    app: Flask, world: World, forge: Forge
) -> None:
    guarded = [operation for operation in operations_of(app) if operation.who != "public"]
    before = census(world.admin_url)
    for name, token in forge.all().items():
        for operation in guarded:
            answer = operation.call(world.client, bearer(token))
            found = (answer.status_code, answer.get_json()["code"])
            assert found == (401, "token-invalid"), (name, str(operation))
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert census(world.admin_url) == before


def test_where_no_token_is_read_even_a_hostile_one_changes_nothing(
    app: Flask, world: World, forge: Forge
) -> None:
    """So the contract, which is made from the same declarations, says where one is read."""
    draft = world.draft(forge.citizen)["id"]
    public = [operation for operation in operations_of(app) if operation.who == "public"]
    before = census(world.admin_url)
    for operation in public:
        without = operation.call(world.client, poll_id=draft)
        for name, token in forge.all().items():
            answer = operation.call(world.client, bearer(token), poll_id=draft)
            assert answer.status_code == without.status_code, (name, str(operation))
            assert answer.get_data() == without.get_data(), (name, str(operation))
    assert census(world.admin_url) == before


def test_a_view_that_declares_to_read_no_token_cannot_read_one() -> None:
    app = Flask("made-up", static_folder=None)
    app.testing = True
    for who in ("public", "anybody"):
        view = access(who)(lambda: str(caller_or_nobody()))
        app.add_url_rule(f"/{who}", endpoint=who, view_func=view)
    client = app.test_client()
    assert client.get("/anybody").get_data(as_text=True) == "None"
    with pytest.raises(Undeclared, match="public"):
        client.get("/public")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic dTpw", "Token x", "bearer\t", "null"]
)
def test_without_a_token_in_the_header_the_answer_is_that_it_is_missing(
    world: World, header: str
) -> None:
    answer = world.client.get("/v1/me", headers={"Authorization": header})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "token-missing")


def test_a_refresh_token_opens_nothing_but_the_refreshing(world: World) -> None:
    refresh = signed_in(world)["refresh_token"]
    answer = world.client.get("/v1/me", headers=bearer(refresh))
    assert (answer.status_code, answer.get_json()["code"]) == (401, "token-invalid")


def test_an_access_token_does_not_refresh(world: World) -> None:
    tokens = signed_in(world)
    before = census(world.admin_url)
    for token in (tokens["access_token"], tokens["access_token"][:200]):
        answer = world.client.post("/v1/auth/tokens/refresh", json={"refresh_token": token})
        assert answer.status_code in (401, 422)
    assert census(world.admin_url) == before


def signed_in(world: World) -> dict[str, Any]:
    """The tokens of somebody who has just signed in."""
    path = world.settings.var / "outbox.jsonl"
    sent = world.client.post("/v1/auth/codes", json={"phone": "010-2345-6789"}).get_json()
    code = path.read_text().splitlines()[-1].split('"code":"')[1][:6]
    body = {"challenge_id": sent["challenge_id"], "code": code}
    return dict(world.client.post("/v1/auth/tokens", json=body).get_json())


def test_an_access_token_is_no_proof_of_presence(world: World) -> None:
    poll = world.open_poll(presence={"rule": "site"})
    voter = world.citizen()
    before = census(world.admin_url)
    answer = world.cast(poll, voter, presence_token=voter.token)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "presence-token-invalid")
    assert census(world.admin_url) == before


def test_the_token_of_a_deleted_account_opens_nothing(app: Flask, world: World) -> None:
    gone = world.citizen()
    assert world.client.delete("/v1/me", headers=gone.headers).status_code == 204
    before = census(world.admin_url)
    for operation in operations_of(app):
        if operation.who not in ("public", "token"):  # those look first what is asked
            answer = operation.call(world.client, gone.headers)
            found = (answer.status_code, answer.get_json()["code"])
            assert found == (401, "token-invalid"), str(operation)
    assert census(world.admin_url) == before


def test_a_deleted_account_casts_no_ballot(world: World) -> None:
    poll, gone = world.open_poll(), world.citizen()
    world.client.delete("/v1/me", headers=gone.headers)
    before = census(world.admin_url)
    ballot = world.cast(poll, gone)
    asked = world.client.post(f"/v1/polls/{poll['id']}/eligibility", json={}, headers=gone.headers)
    for answer in (ballot, asked):
        assert (answer.status_code, answer.get_json()["code"]) == (401, "token-invalid")
    assert census(world.admin_url) == before


def test_a_role_that_was_taken_away_is_gone_at_once_whatever_the_token(world: World) -> None:
    officer = world.officer()
    path = f"/v1/citizens/{officer.id}/roles"
    taken = world.client.put(path, json={"roles": []}, headers=world.administrator().headers)
    assert taken.status_code == 200
    with Session(world.engines["api"]) as session:
        roles = session.scalars(select(Citizen).where(Citizen.id == officer.id)).one().roles
    assert roles == []
    answer = world.client.post("/v1/sites", json={}, headers=officer.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not-allowed")


def test_a_token_is_ours_for_ten_minutes_only(world: World) -> None:
    citizen = world.citizen()
    then = utc_now() - dt.timedelta(minutes=10, seconds=1)
    old = Person(citizen.id, world.wiring.tokens.issue(citizen.id, now=then))
    poll = world.open_poll()
    answer = world.cast(poll, old, key=new_key())
    assert (answer.status_code, answer.get_json()["code"]) == (401, "token-invalid")
