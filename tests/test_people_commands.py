"""Commands: tokens for trying out, the first administrator, and the keys."""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.app import create_app
from api.holders import open_keystore
from api.keys import LASTING, make_missing_keys, missing_keys, numbered_keys
from api.settings import Misconfigured, Settings
from api.wiring import token_keys
from mvote.ballotbox.receipts import ReceiptKeys
from mvote.base import utc_now
from mvote.people.citizens import Citizen, Department
from mvote.polls.errors import PresenceTokenInvalid
from mvote.polls.presence_tokens import PresenceTokens
from tests.support.contract import CheckedClient
from tests.support.people import KnownAreas, a_number

AREAS = KnownAreas(["11110", "11"])


def run(app: Flask, *words: str) -> Result:
    """`flask --app wsgi …`."""
    return app.test_cli_runner().invoke(args=list(words))


def me(client: CheckedClient, token: str) -> dict[str, Any]:
    response = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200
    account: dict[str, Any] = response.get_json()
    return account


def count(session: Session) -> int:
    session.rollback()
    return session.scalars(select(func.count()).select_from(Citizen)).one()


@pytest.fixture
def in_production(app: Flask) -> Iterator[None]:
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, environment="production")
    yield
    app.extensions["settings"] = settings


@pytest.fixture
def own_keystore(app: Flask, tmp_path: Path, tidy: None) -> Iterator[Settings]:
    """A keystore that this test may break; what is in stock for it goes with it."""
    kept = app.extensions["settings"], app.extensions["keystore"]
    settings = replace(kept[0], keystore=tmp_path / "keys")
    app.extensions["settings"] = settings
    app.extensions["keystore"] = open_keystore(settings, "api")
    yield settings
    app.extensions["settings"], app.extensions["keystore"] = kept


def test_each_token_stands_on_a_line_of_its_own_and_is_of_another_citizen(
    app: Flask, client: CheckedClient
) -> None:
    result = run(app, "token", "--count", "5")
    assert (result.exit_code, result.stderr) == (0, "")
    accounts = [me(client, token) for token in result.stdout.splitlines()]
    assert len({account["id"] for account in accounts}) == 5
    assert all(account["roles"] == [] for account in accounts)


def test_officers_come_with_one_demo_department(
    app: Flask, client: CheckedClient, session: Session
) -> None:
    tokens = run(app, "token", "--role", "officer", "--count", "2").stdout.splitlines()
    department = session.scalars(select(Department)).one()
    for token in tokens:
        [role] = me(client, token)["roles"]
        assert (role["role"], role["department_id"]) == ("officer", str(department.id))


def test_an_administrator_comes_with_the_role(app: Flask, client: CheckedClient) -> None:
    token = run(app, "token", "--role", "administrator").stdout.strip()
    assert [role["role"] for role in me(client, token)["roles"]] == ["administrator"]


def test_one_number_is_the_same_citizen_every_time(app: Flask, client: CheckedClient) -> None:
    ids = {me(client, run(app, "token", "--phone", p).stdout.strip())["id"]
           for p in ("010-7777-8888", "+821077778888")}  # fmt: skip
    assert len(ids) == 1


def test_a_citizen_comes_with_area_and_birth_year(
    app: Flask, client: CheckedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "areas", AREAS)
    result = run(app, "token", "--area", "11110", "--birth-year", "1950")
    attributes = me(client, result.stdout.strip())["attributes"]
    assert {name: each["value"] for name, each in attributes.items()} == {
        "home_area": "11110",
        "birth_year": 1950,
    }


@pytest.mark.parametrize(
    "words",
    [
        ("--phone", "hello"),
        ("--phone", "010-7777-8888", "--count", "2"),
        ("--count", "0"),
        ("--role", "mayor"),
        ("--area", "99999"),
        ("--birth-year", "1"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_with_nothing_on_stdout(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setitem(app.extensions, "areas", AREAS)
    result = run(app, "token", *words)
    assert result.exit_code != 0
    assert result.stdout == ""
    assert result.stderr
    assert count(session) == 0


def test_production_hands_out_no_tokens(app: Flask, session: Session, in_production: None) -> None:
    result = run(app, "token")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "production" in result.stderr
    assert count(session) == 0


def test_the_first_administrator_is_made_in_production_too(
    app: Flask, session: Session, in_production: None
) -> None:
    number = a_number()
    first = run(app, "administrators", "add", "--phone", number)
    again = run(app, "administrators", "add", "--phone", number)
    assert first.exit_code == again.exit_code == 0
    assert first.stdout == again.stdout
    citizen = session.get_one(Citizen, uuid.UUID(first.stdout.split()[0]))
    assert [grant.role for grant in citizen.roles] == ["administrator"]


def test_init_makes_every_key_once(app: Flask, own_keystore: Settings) -> None:
    keystore = app.extensions["keystore"]
    first = run(app, "keys", "init")
    assert first.exit_code == 0
    assert set(first.stdout.split()) >= set(LASTING)
    assert missing_keys(keystore) == []
    before = {name: keystore.get(name) for name in keystore.names("")}
    assert run(app, "keys", "init").stdout == ""
    assert {name: keystore.get(name) for name in keystore.names("")} == before
    for holder in ("api", "shuffler", "counter", "auditor"):
        assert (own_keystore.keystore / holder / "wrapping.pub").exists()


def test_no_two_keys_are_the_same(app: Flask, own_keystore: Settings) -> None:
    keystore = app.extensions["keystore"]
    make_missing_keys(keystore)
    names = keystore.names("")
    assert len({keystore.get(name) for name in names}) == len(names)


def test_check_is_content_when_every_key_is_there_and_opens(
    app: Flask, own_keystore: Settings
) -> None:
    run(app, "keys", "init")
    result = run(app, "keys", "check")
    assert (result.exit_code, result.stderr) == (0, "")


def test_check_lists_keys_that_are_missing_or_do_not_open(
    app: Flask, own_keystore: Settings
) -> None:
    run(app, "keys", "init")
    api = own_keystore.keystore / "api"
    (api / "anchor.key").unlink()
    (api / "phone-hash.key").write_bytes(os.urandom(80))
    result = run(app, "keys", "check")
    assert result.exit_code == 1
    assert set(result.stderr.splitlines()) == {"api/anchor: missing", "api/phone-hash: unreadable"}


def test_rotation_puts_a_new_token_key_first_and_keeps_three(
    app: Flask, own_keystore: Settings
) -> None:
    run(app, "keys", "init")
    keystore = app.extensions["keystore"]
    for number in range(2, 6):
        result = run(app, "keys", "rotate")
        assert result.exit_code == 0
        assert f"token/{number:06d}" in result.stdout
    assert keystore.names("token/") == ["token/000003", "token/000004", "token/000005"]
    assert missing_keys(keystore) == []


def test_a_running_process_uses_a_new_receipt_key_for_polls_opened_from_now_on(
    app: Flask, own_keystore: Settings
) -> None:
    run(app, "keys", "init")
    running, other = (ReceiptKeys(app.extensions["keystore"]) for _ in range(2))
    before = running.current_id
    assert "receipt/000002" in run(app, "keys", "rotate", "--kind", "receipt").stdout
    assert running.current_id != before
    assert other.sign(running.current_id, b"m") == running.sign(running.current_id, b"m")
    assert other.sign(before, b"m") == running.sign(before, b"m")  # polls keep their key
    assert set(other.public()) == {before, running.current_id}


def test_tokens_go_on_after_so_many_rotations_that_the_first_key_is_gone(
    app: Flask, own_keystore: Settings
) -> None:
    run(app, "keys", "init")
    for _ in range(4):
        run(app, "keys", "rotate")
    keystore = app.extensions["keystore"]
    assert len(token_keys(keystore)) == 3
    assert "token/000001" not in keystore.names("token/")


def test_a_presence_token_is_good_after_the_key_was_changed_twice(
    app: Flask, own_keystore: Settings
) -> None:
    run(app, "keys", "init")
    keystore, now = app.extensions["keystore"], utc_now()
    citizen, poll, site = (uuid.uuid4() for _ in range(3))

    def restarted() -> PresenceTokens:
        return PresenceTokens(numbered_keys(keystore, "presence"))

    before = restarted()
    token, _ = before.issue(citizen_id=citizen, poll_id=poll, site_id=site, now=now)
    for number in (2, 3):
        result = run(app, "keys", "rotate", "--kind", "presence")
        assert (result.exit_code, "restart" in result.stdout) == (0, True)
        assert f"presence/{number:06d}" in result.stdout
        assert restarted().site_of(token, citizen_id=citizen, poll_id=poll) == site
    new, _ = restarted().issue(citizen_id=citizen, poll_id=poll, site_id=site, now=now)
    with pytest.raises(PresenceTokenInvalid):  # the new key signs
        before.site_of(new, citizen_id=citizen, poll_id=poll)
    run(app, "keys", "rotate", "--kind", "presence")
    assert keystore.names("presence/") == [f"presence/{n:06d}" for n in (2, 3, 4)]
    with pytest.raises(PresenceTokenInvalid):
        restarted().site_of(token, citizen_id=citizen, poll_id=poll)
    assert missing_keys(keystore) == []
    assert keystore.names("token/") == ["token/000001"]


def test_a_web_server_starts_after_every_kind_was_rotated_and_the_first_keys_are_gone(
    app: Flask, own_keystore: Settings
) -> None:
    run(app, "keys", "init")
    for kind in ("token", "presence", "receipt"):
        for _ in range(4):
            assert run(app, "keys", "rotate", "--kind", kind).exit_code == 0
    create_app(own_keystore)
    names = app.extensions["keystore"].names
    assert [len(names(f"{kind}/")) for kind in ("token", "presence", "receipt")] == [3, 3, 5]


def test_where_another_holders_key_is_commands_work_without_the_webs_key(
    own_keystore: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")
    counters = {"counter": base64.b64encode(os.urandom(32)).decode()}
    production = replace(own_keystore, environment="production", master_keys=counters)
    bare = create_app(replace(production, counter_url=""))
    assert run(bare, "keys", "init").exit_code == 0
    result = run(bare, "keys", "check")
    assert result.exit_code == 0
    assert "api: not checked, no master key here" in result.stderr
    assert run(bare, "polls", "progress").stdout == "Nothing is being counted.\n"
    refused = run(bare, "administrators", "add", "--phone", "010-1234-5678")
    assert (refused.exit_code, refused.stderr) == (1, "Error: the api's master key is not here\n")
    monkeypatch.delenv("FLASK_RUN_FROM_CLI")
    with pytest.raises(Misconfigured):
        create_app(production)  # a web server does not start like that
