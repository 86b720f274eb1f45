"""Sessions: renewing, a lost answer, a stolen token, the list of one's own, and ending them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mvote.base import utc_now
from mvote.journal import JournalEntry
from mvote.people.sessions import GRACE, RefreshToken, SignIn, hash_of_token
from tests.support.contract import CheckedClient
from tests.support.people import a_number, problem
from tests.test_signing_in import ask_for_code, count, my_id, sign_in

Outbox = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def citizen_token(app: Flask) -> Callable[[str], str]:
    """Makes access tokens that belong to no session, as a command prints them."""
    return lambda id_: app.extensions["tokens"].issue(uuid.UUID(id_), now=utc_now())


def renew(client: CheckedClient, tokens: dict[str, Any]) -> Any:
    body = {"refresh_token": tokens["refresh_token"]}
    return client.post("/v1/auth/tokens/refresh", json=body)


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def after_the_grace(owner: Session, tokens: dict[str, Any]) -> None:
    """Let the use of a refresh token be longer ago than a lost answer explains."""
    is_it = RefreshToken.token_hash == hash_of_token(tokens["refresh_token"])
    owner.execute(update(RefreshToken).where(is_it).values(used_at=utc_now() - GRACE))
    owner.commit()


def revocations(session: Session) -> list[uuid.UUID | None]:
    session.rollback()
    of_kind = JournalEntry.kind == "session:revoked"
    return list(session.scalars(select(JournalEntry.subject_id).where(of_kind)))


def test_a_lost_answer_is_given_again_for_ten_seconds(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    tokens = sign_in(client, outbox, a_number())
    first, again = renew(client, tokens), renew(client, tokens)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json()["refresh_token"] == again.get_json()["refresh_token"]
    assert count(session, RefreshToken) == 2
    assert renew(client, again.get_json()).status_code == 201


def test_a_token_that_comes_again_after_ten_seconds_ends_the_whole_family_and_its_citizen_is_told(
    client: CheckedClient, session: Session, owner: Session, outbox: Outbox
) -> None:
    number = a_number()
    stolen, other = sign_in(client, outbox, number), sign_in(client, outbox, number)
    renewed = renew(client, stolen).get_json()
    after_the_grace(owner, stolen)
    assert problem(renew(client, stolen)) == (401, "token-invalid")
    assert problem(renew(client, renewed)) == (401, "token-invalid")
    assert renew(client, other).status_code == 201
    assert revocations(session) == [uuid.UUID(my_id(client, other))]
    [told] = [each for each in outbox() if not each["code"]]
    assert told["to"] == number
    assert count(session, SignIn) == 1


def test_a_used_token_is_stolen_as_soon_as_somebody_came_with_its_successor(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    tokens = sign_in(client, outbox, a_number())
    assert renew(client, renew(client, tokens).get_json()).status_code == 201
    assert problem(renew(client, tokens)) == (401, "token-invalid")
    assert (count(session, SignIn), count(session, RefreshToken)) == (0, 0)
    assert len(revocations(session)) == 1


def test_a_family_that_was_revoked_stays_silent(
    client: CheckedClient, session: Session, owner: Session, outbox: Outbox
) -> None:
    tokens = sign_in(client, outbox, a_number())
    renew(client, tokens)
    after_the_grace(owner, tokens)
    for _ in range(3):
        assert problem(renew(client, tokens)) == (401, "token-invalid")
    assert len(revocations(session)) == 1
    assert len([each for each in outbox() if not each["code"]]) == 1


def test_the_database_alone_does_not_tell_the_next_token(
    client: CheckedClient, owner: Session, outbox: Outbox
) -> None:
    tokens = sign_in(client, outbox, a_number())
    successor = renew(client, tokens).get_json()["refresh_token"]
    kept = "".join(str(row) for row in owner.execute(select(RefreshToken.__table__)))
    assert tokens["refresh_token"] not in kept
    assert successor not in kept
    assert hash_of_token(tokens["refresh_token"]).hex() != hash_of_token(successor).hex()


def test_signing_out_ends_the_family_of_the_token_and_no_other(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    number = a_number()
    phone, tablet = sign_in(client, outbox, number), sign_in(client, outbox, number)
    renewed = renew(client, phone).get_json()
    assert client.delete("/v1/auth/tokens", headers=bearer(phone)).status_code == 204
    assert problem(renew(client, renewed)) == (401, "token-invalid")
    assert renew(client, tablet).status_code == 201
    assert revocations(session) == []


def test_a_token_of_no_session_signs_out_everywhere(
    client: CheckedClient, session: Session, outbox: Outbox, citizen_token: Callable[[str], str]
) -> None:
    tokens = sign_in(client, outbox, a_number())
    headers = {"Authorization": f"Bearer {citizen_token(my_id(client, tokens))}"}
    assert client.delete("/v1/auth/tokens", headers=headers).status_code == 204
    assert count(session, SignIn) == 0


def test_one_sees_where_one_is_signed_in(client: CheckedClient, outbox: Outbox) -> None:
    number = a_number()
    old = sign_in(client, outbox, number)
    body = {"challenge_id": ask_for_code(client, number)["challenge_id"], "device": "내 태블릿"}
    new = client.post("/v1/auth/tokens", json=body | {"code": outbox()[-1]["code"]}).get_json()
    sign_in(client, outbox, a_number())
    found = client.get("/v1/me/sessions", headers=bearer(new)).get_json()
    assert found["next_cursor"] is None
    shown = [(each["device"], each["how"], each["current"]) for each in found["items"]]
    assert shown == [("내 태블릿", "phone", True), (None, "phone", False)]
    renewed = renew(client, old).get_json()
    first = client.get("/v1/me/sessions", headers=bearer(renewed)).get_json()["items"][0]
    assert (first["current"], first["last_used_at"] > first["started_at"]) == (True, True)


def test_a_name_of_a_device_is_short(client: CheckedClient, session: Session) -> None:
    body = {"challenge_id": str(uuid.uuid4()), "code": "123456", "device": "x" * 61}
    response = client.post("/v1/auth/tokens", json=body)
    assert problem(response) == (422, "invalid-request")
    assert response.get_json()["errors"][0]["pointer"] == "/device"


def test_one_session_can_be_ended_from_another(client: CheckedClient, outbox: Outbox) -> None:
    number = a_number()
    lost, kept = sign_in(client, outbox, number), sign_in(client, outbox, number)
    items = client.get("/v1/me/sessions", headers=bearer(kept)).get_json()["items"]
    [of_lost] = [each["id"] for each in items if not each["current"]]
    path = f"/v1/me/sessions/{of_lost}"
    assert client.delete(path, headers=bearer(kept)).status_code == 204
    assert problem(client.delete(path, headers=bearer(kept))) == (404, "not-found")
    assert problem(renew(client, lost)) == (401, "token-invalid")
    assert renew(client, kept).status_code == 201


def test_nobody_ends_the_session_of_another(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    mine, theirs = sign_in(client, outbox, a_number()), sign_in(client, outbox, a_number())
    [of_theirs] = client.get("/v1/me/sessions", headers=bearer(theirs)).get_json()["items"]
    refused = client.delete(f"/v1/me/sessions/{of_theirs['id']}", headers=bearer(mine))
    assert problem(refused) == (404, "not-found")
    assert count(session, SignIn) == 2


def test_signing_out_everywhere_leaves_no_session_of_the_citizen(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    number = a_number()
    phone, tablet = sign_in(client, outbox, number), sign_in(client, outbox, number)
    other = sign_in(client, outbox, a_number())
    assert client.delete("/v1/me/sessions", headers=bearer(phone)).status_code == 204
    assert [renew(client, each).status_code for each in (phone, tablet, other)] == [401, 401, 201]
