"""Signing in over HTTP: a number, a one-time code, tokens; and what a stranger cannot learn."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from api.db import db
from mvote.people.challenges import Challenge
from mvote.people.citizens import Citizen
from mvote.people.sessions import RefreshToken, SignIn
from mvote.people.signing_in import CODES_PER_NUMBER, CODES_PER_PAIR
from tests.support.contract import CheckedClient
from tests.support.people import a_citizen, a_number, problem
from tests.support.waiting import PATIENCE_SECONDS

Outbox = Callable[[], list[dict[str, Any]]]


def ask_for_code(
    client: CheckedClient, phone: str, purpose: str = "sign-in", **headers: str
) -> dict[str, Any]:
    body = {"phone": phone, "purpose": purpose}
    response = client.post("/v1/auth/codes", json=body, headers=headers)
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.get_json()
    return answer


def sign_in(client: CheckedClient, outbox: Outbox, phone: str) -> dict[str, Any]:
    challenge = ask_for_code(client, phone)
    body = {"challenge_id": challenge["challenge_id"], "code": outbox()[-1]["code"]}
    response = client.post("/v1/auth/tokens", json=body)
    assert response.status_code == 201, response.text
    tokens: dict[str, Any] = response.get_json()
    return tokens


def my_id(client: CheckedClient, tokens: dict[str, Any]) -> str:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    account: dict[str, str] = client.get("/v1/me", headers=headers).get_json()
    return account["id"]


def count(session: Session, table: type[Any]) -> int:
    session.rollback()
    return session.scalars(select(func.count()).select_from(table)).one()


def test_whoever_proves_a_new_number_has_an_account(client: CheckedClient, outbox: Outbox) -> None:
    number = a_number()
    tokens = sign_in(client, outbox, number)
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 600
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    account = client.get("/v1/me", headers=headers).get_json()
    assert account["phone"] == f"+82******{number[-4:]}"
    assert account["roles"] == account["consents"] == []


@pytest.mark.parametrize("written", ["010-2345-6789", "010 2345 6789", "+82 10-2345-6789"])
def test_one_number_is_one_citizen_however_it_is_written(
    client: CheckedClient, outbox: Outbox, written: str
) -> None:
    first = my_id(client, sign_in(client, outbox, "+821023456789"))
    assert my_id(client, sign_in(client, outbox, written)) == first


def test_two_numbers_are_two_citizens(client: CheckedClient, outbox: Outbox) -> None:
    first = my_id(client, sign_in(client, outbox, a_number()))
    assert my_id(client, sign_in(client, outbox, a_number())) != first


@pytest.mark.parametrize(
    "phone", ["", "hello", "112", "02-120-1234", "1588-1234", "060-700-1234", "010-1234-5678;ext=9"]
)
def test_a_number_that_no_text_message_reaches_is_refused(
    client: CheckedClient, session: Session, outbox: Outbox, phone: str
) -> None:
    response = client.post("/v1/auth/codes", json={"phone": phone})
    assert problem(response) == (422, "invalid-request")
    assert response.get_json()["errors"][0]["pointer"] == "/phone"
    assert (count(session, Challenge), outbox()) == (0, [])


@pytest.mark.parametrize(("language", "word"), [("ko", "인증번호"), ("en", "one-time code")])
def test_the_message_speaks_the_language_of_the_caller(
    client: CheckedClient, outbox: Outbox, language: str, word: str
) -> None:
    number = a_number()
    ask_for_code(client, number, **{"Accept-Language": language})
    [message] = outbox()
    assert message["to"] == number
    assert word in message["text"]
    assert message["code"] in message["text"]
    assert len(message["code"]) == 6


def test_the_answer_does_not_tell_whether_a_number_is_known(
    app: Flask, client: CheckedClient, session: Session
) -> None:
    known = a_citizen(app, session).number
    with app.app_context():
        engine = db.engine
    seen: list[str] = []
    listen = (engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    event.listen(*listen)
    try:
        answers, work = [], []
        for number in (known, a_number()):
            seen.clear()
            answers.append(ask_for_code(client, number))
            work.append(list(seen))
    finally:
        event.remove(*listen)
    assert set(answers[0]) == set(answers[1]) == {"challenge_id", "expires_at"}
    assert work[0] == work[1] != []
    assert not any("citizen" in statement for statement in work[0])


def test_a_wrong_code_signs_nobody_in(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    challenge = ask_for_code(client, a_number())
    wrong = f"{(int(outbox()[-1]['code']) + 1) % 1_000_000:06d}"
    body = {"challenge_id": challenge["challenge_id"], "code": wrong}
    assert problem(client.post("/v1/auth/tokens", json=body)) == (401, "one-time-code-invalid")
    assert (count(session, Citizen), count(session, SignIn)) == (0, 0)


def test_after_five_wrong_codes_the_right_one_is_refused(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    challenge = ask_for_code(client, a_number())
    right = outbox()[-1]["code"]
    body = {"challenge_id": challenge["challenge_id"]}
    for guess in range(5):
        wrong = f"{(int(right) + 1 + guess) % 1_000_000:06d}"
        assert client.post("/v1/auth/tokens", json=body | {"code": wrong}).status_code == 401
    response = client.post("/v1/auth/tokens", json=body | {"code": right})
    assert problem(response) == (401, "one-time-code-invalid")
    assert count(session, Citizen) == 0


def test_a_code_signs_in_once(client: CheckedClient, session: Session, outbox: Outbox) -> None:
    challenge = ask_for_code(client, a_number())
    body = {"challenge_id": challenge["challenge_id"], "code": outbox()[-1]["code"]}
    assert client.post("/v1/auth/tokens", json=body).status_code == 201
    again = client.post("/v1/auth/tokens", json=body)
    assert problem(again) == (401, "one-time-code-invalid")
    assert count(session, SignIn) == 1


def test_a_code_is_good_for_its_own_challenge_only(client: CheckedClient, outbox: Outbox) -> None:
    mine, other = ask_for_code(client, a_number()), ask_for_code(client, a_number())
    code = outbox()[0]["code"]
    body = {"challenge_id": other["challenge_id"], "code": code}
    assert client.post("/v1/auth/tokens", json=body).status_code == 401
    body = {"challenge_id": str(uuid.uuid4()), "code": code}
    assert client.post("/v1/auth/tokens", json=body).status_code == 401
    body = {"challenge_id": mine["challenge_id"], "code": code}
    assert client.post("/v1/auth/tokens", json=body).status_code == 201


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a", "１２３４５６", 123456, None, ""])
def test_a_code_is_six_digits(client: CheckedClient, code: Any) -> None:
    body = {"challenge_id": str(uuid.uuid4()), "code": code}
    response = client.post("/v1/auth/tokens", json=body)
    assert problem(response) == (422, "invalid-request")
    assert response.get_json()["errors"][0]["pointer"] == "/code"


def test_a_number_gets_five_codes_an_hour_for_one_address(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    number = a_number()
    for _ in range(CODES_PER_PAIR.most):
        ask_for_code(client, number)
    response = client.post("/v1/auth/codes", json={"phone": number})
    assert problem(response) == (429, "too-many-requests")
    assert 3600 - PATIENCE_SECONDS < int(response.headers["Retry-After"]) <= 3600
    assert (count(session, Challenge), len(outbox())) == (5, 5)
    ask_for_code(client, a_number())


def test_nobody_alone_keeps_somebody_elses_number_signed_out(
    client: CheckedClient, session: Session
) -> None:
    number = a_number()
    assert [_asked_from("198.51.100.1", client, number) for _ in range(6)] == [202] * 5 + [429]
    assert _asked_from("198.51.100.2", client, number) == 202


def test_a_number_gets_fifteen_codes_an_hour_whoever_asks(
    client: CheckedClient, session: Session
) -> None:
    number = a_number()
    asked = [_asked_from(f"198.51.100.{n}", client, number) for n in range(16)]
    assert asked == [202] * CODES_PER_NUMBER.most + [429]
    assert count(session, Challenge) == CODES_PER_NUMBER.most


def _asked_from(address: str, client: CheckedClient, number: str) -> int:
    from_there = {"REMOTE_ADDR": address}
    body = {"phone": number}
    return client.post("/v1/auth/codes", json=body, environ_base=from_there).status_code


def test_a_refresh_token_is_traded_for_new_tokens(client: CheckedClient, outbox: Outbox) -> None:
    tokens = sign_in(client, outbox, a_number())
    response = client.post(
        "/v1/auth/tokens/refresh", json={"refresh_token": tokens["refresh_token"]}
    )
    assert response.status_code == 201
    assert response.get_json()["refresh_token"] != tokens["refresh_token"]
    assert my_id(client, response.get_json()) == my_id(client, tokens)


def test_an_unknown_refresh_token_is_refused(client: CheckedClient) -> None:
    response = client.post("/v1/auth/tokens/refresh", json={"refresh_token": "made-up"})
    assert problem(response) == (401, "token-invalid")


def test_the_database_keeps_no_number_code_or_token_in_clear(
    client: CheckedClient, outbox: Outbox, owner: Session
) -> None:
    number = a_number()
    tokens = sign_in(client, outbox, number)
    secrets = [number, number[3:], outbox()[-1]["code"], *map(str, tokens.values())]
    secrets = [each for each in secrets if each not in ("Bearer", "600")]
    rows = "".join(
        str(row)
        for table in (Challenge, Citizen, SignIn, RefreshToken)
        for row in owner.execute(select(table.__table__))
    )
    assert rows
    assert not [secret for secret in secrets if secret in rows]
