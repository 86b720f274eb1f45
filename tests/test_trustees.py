"""Custody of trustees: no drill, no poll; one key, one poll; and the box opens only to them."""

from __future__ import annotations

import json
import logging
import uuid
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.holders import open_keystore
from jobs import counter_round, keeper_round
from mvote.ballotbox.stock import sealing_key_name
from tests.support.ballots import at_once
from tests.support.trustees import NAMES, Ceremony, drill, drilled, hold, run
from tests.support.world import Person, World


@pytest.fixture
def key(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ceremony:
    """A trustees' key that was drilled and imported."""
    return drilled(world.app, monkeypatch, tmp_path)


def opening(world: World, author: Person, **content: Any) -> TestResponse:
    """The answer to opening a poll with this content."""
    draft = world.draft(author, **content)
    return world.client.post(f"/v1/polls/{draft['id']}/open", headers=author.headers)


def hindrances(answer: TestResponse) -> dict[str, str]:
    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (409, "not-ready-to-open")
    return {each["code"]: each["pointer"] for each in body["hindrances"]}


def sealing_keys(world: World) -> list[str]:
    return open_keystore(world.settings, "counter").names("sealing/")


def open_with(world: World, key: Ceremony, **content: Any) -> dict[str, Any]:
    return world.open_poll(custody="trustees", trustee_key=key.key, **content)


def test_a_poll_with_trustees_needs_a_key_that_passed_the_drill(
    world: World, tmp_path: Path
) -> None:
    officer = world.officer()
    undrilled = hold(tmp_path / "undrilled")
    missing = opening(world, officer, custody="trustees")
    assert hindrances(missing) == {"no-trustee-key": "/trustee_key"}
    unknown = opening(world, officer, custody="trustees", trustee_key=undrilled.key)
    assert hindrances(unknown) == {"unknown-trustee-key": "/trustee_key"}
    assert world.count("poll_definition") == 0


def test_the_definition_says_who_holds_the_key_and_how_many_open_it(
    world: World, key: Ceremony
) -> None:
    poll = open_with(world, key)
    definition = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
    assert (poll["custody"], poll["trustee_key"]) == ("trustees", key.key)
    assert (definition["custody"], definition["sealing_key"]) == ("trustees", key.key)
    assert definition["trustees"] == {
        "threshold": 3,
        "names": NAMES,
        "ceremony": key.record.hash.hex(),
    }
    shown = world.client.get(f"/v1/trustee-keys/{key.key}").get_json()
    assert (shown["poll_id"], shown["names"]) == (poll["id"], NAMES)
    assert shown["record"] == key.record.document


def test_the_keys_are_listed_with_the_poll_they_serve(world: World, key: Ceremony) -> None:
    [item] = world.client.get("/v1/trustee-keys").get_json()["items"]
    assert (item["public_key"], item["poll_id"]) == (key.key, None)
    assert f"{key.key} free: 3 of 김하나" in run(world.app, "trustees", "list").stdout
    for unknown in ("00" * 32, "zz", "0"):
        assert world.client.get(f"/v1/trustee-keys/{unknown}").status_code == 404


def test_a_key_serves_one_poll_for_good(world: World, key: Ceremony) -> None:
    officer = world.officer()
    open_with(world, key)
    again = opening(world, officer, custody="trustees", trustee_key=key.key)
    assert hindrances(again) == {"trustee-key-used": "/trustee_key"}
    assert world.count("poll_definition") == 1


def test_of_polls_opened_at_once_with_one_key_one_opens(world: World, key: Ceremony) -> None:
    officer = world.officer()
    drafts = [world.draft(officer, custody="trustees", trustee_key=key.key) for _ in range(6)]

    def open_draft(draft: dict[str, Any]) -> int:
        client = world.app.test_client()
        path = f"/v1/polls/{draft['id']}/open"
        return client.post(path, headers=officer.headers).status_code

    assert sorted(at_once(open_draft, drafts, threads=6)) == [200] + [409] * 5
    assert world.count("poll_definition") == 1


@pytest.mark.parametrize("login", ["api", "owner"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trustee_key SET poll_id = gen_random_uuid()",
        "UPDATE trustee_key SET poll_id = NULL",
        "UPDATE trustee_key SET record = 'x'",
        "DELETE FROM trustee_key",
    ],
)
def test_the_database_lets_no_used_key_go_to_another_poll(
    world: World, key: Ceremony, login: str, statement: str
) -> None:
    open_with(world, key)
    before = world.rows("SELECT * FROM trustee_key")
    with Session(world.engines[login]) as session, pytest.raises(DBAPIError):
        session.execute(text(statement))
    assert world.rows("SELECT * FROM trustee_key") == before


def test_without_its_guard_the_database_would_give_a_key_away_twice(
    world: World, key: Ceremony
) -> None:
    """The sabotaged twin."""
    open_with(world, key)
    with Session(world.engines["owner"]) as session:
        session.execute(text("ALTER TABLE trustee_key DISABLE TRIGGER trustee_key_guard"))
        changed = session.execute(text("UPDATE trustee_key SET poll_id = NULL"))
        assert changed.rowcount == 1  # type: ignore[attr-defined]
        session.rollback()


def test_live_results_and_trustees_contradict_each_other(world: World, key: Ceremony) -> None:
    officer = world.officer()
    content = {"custody": "trustees", "trustee_key": key.key, "results": "live"}
    draft = world.draft(officer, **{k: v for k, v in content.items() if k != "results"})
    with Session(world.engines["owner"]) as session:  # whatever the schema allows
        session.execute(
            text('UPDATE poll SET content = content || \'{"results": "live"}\' WHERE id = :id'),
            {"id": draft["id"]},
        )
        session.commit()
    answer = world.client.post(f"/v1/polls/{draft['id']}/open", headers=officer.headers)
    assert hindrances(answer) == {"live-with-trustees": "/results"}


def test_a_citizen_cannot_use_up_a_citys_key(world: World, key: Ceremony) -> None:
    answer = opening(world, world.citizen(), custody="trustees", trustee_key=key.key)
    assert hindrances(answer) == {"trustees-for-government": "/custody"}
    assert world.rows("SELECT poll_id FROM trustee_key") == [(None,)]


def test_a_trustees_key_in_a_servers_custody_is_a_mistake_that_is_said(
    world: World, key: Ceremony
) -> None:
    answer = opening(world, world.officer(), trustee_key=key.key)
    assert hindrances(answer) == {"custody-is-server": "/trustee_key"}


@pytest.mark.parametrize("wrong", ["", "00", "Z" * 64, "0" * 65, 5])
def test_what_is_no_key_is_refused_by_its_place(world: World, wrong: object) -> None:
    body = {"title": "나무", "custody": "trustees", "trustee_key": wrong}
    answer = world.client.post("/v1/polls", json=body, headers=world.officer().headers)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/trustee_key"
    assert world.count("poll") == 0


def test_a_closed_poll_waits_for_its_trustees_without_any_noise(
    world: World, key: Ceremony, caplog: pytest.LogCaptureFixture
) -> None:
    poll = open_with(world, key)
    world.cast(poll, world.citizen())
    world.close(poll)
    logging.getLogger("mvote").addHandler(caplog.handler)
    try:
        counter_round(world.engines["counter"], open_keystore(world.settings, "counter"))
    finally:
        logging.getLogger("mvote").removeHandler(caplog.handler)
    assert world.rows("SELECT state FROM poll") == [("closed",)]
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


def test_enough_trustees_open_the_box_the_counter_counts_and_the_key_is_gone(
    world: World, key: Ceremony, caplog: pytest.LogCaptureFixture
) -> None:
    poll = open_with(world, key, publish_from=2)
    for voter, choice in zip(world.citizens(5), ["yes", "no", "yes", "yes", "no"], strict=True):
        assert world.cast(poll, voter, [choice]).status_code == 201
    world.close(poll)
    typed = ["4", key.words(4), "1", key.words(1), "5", key.words(5)]
    done = run(world.app, "trustees", "open", "--poll", poll["id"], typed=typed)
    assert done.exit_code == 0, done.output
    assert not any(line in done.output for line in typed if " " in line)
    counter = open_keystore(world.settings, "counter")
    assert counter.is_held(sealing_key_name(bytes.fromhex(key.key)))
    counter_round(world.engines["counter"], counter)
    result = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    assert {o["key"]: o["votes"] for o in result["options"]} == {"yes": 3, "no": 2}
    assert not counter.is_held(sealing_key_name(bytes.fromhex(key.key)))
    for _ in range(2):
        keeper_round(world.engines["api"], world.wiring.keystore)
    written = world.rows("SELECT subject_id FROM journal WHERE kind = 'trustees:key-erased'")
    assert written == [(uuid.UUID(poll["id"]),)]


def test_a_key_that_outlived_a_crash_after_the_count_is_destroyed_in_the_next_round(
    world: World, key: Ceremony
) -> None:
    poll = open_with(world, key)
    world.close(poll)
    typed = ["1", key.words(1), "2", key.words(2), "3", key.words(3)]
    assert run(world.app, "trustees", "open", "--poll", poll["id"], typed=typed).exit_code == 0
    world.run_counter()  # counted, and killed before the key was destroyed
    counter = open_keystore(world.settings, "counter")
    name = sealing_key_name(bytes.fromhex(key.key))
    assert counter.is_held(name)
    counter_round(world.engines["counter"], counter)
    assert not counter.is_held(name)


def test_nothing_is_kept_of_shares_that_do_not_suffice(
    world: World, key: Ceremony, tmp_path: Path
) -> None:
    other = hold(tmp_path / "elsewhere")
    poll = open_with(world, key)
    world.close(poll)
    before = sealing_keys(world)
    one, two = ["1", key.words(1)], ["2", key.words(2)]
    wrong = key.words(3).split()
    wrong[10], wrong[11] = wrong[11], wrong[10]
    for typed, said in (
        ([*one, *two], "nothing was kept"),
        ([*one, *one], "1. 김하나: 이미 입력한 조각"),
        ([*one, "2", other.words(2)], "2. 이두리: 다른 키 생성식"),
        ([*one, "2", key.words(3)], "2. 이두리: 이것은 3번 조각"),
        ([*one, *two, "3", " ".join(wrong)], "3. 박세찬: 낱말 하나 이상이"),
        ([*one, *two, "3", "zebra"], "3. 박세찬: 1번째 낱말"),
        ([*one, *two, "9"], "그런 번호의 조각은 없습니다"),
    ):
        done = run(world.app, "trustees", "open", "--poll", poll["id"], typed=typed)
        assert (done.exit_code, said in done.output) == (1, True), done.output
        assert "Traceback" not in done.output
    at_the_wrong_prompt = run(world.app, "trustees", "open", "--poll", poll["id"], typed=one[::-1])
    assert key.words(1).split()[5] not in at_the_wrong_prompt.output
    assert sealing_keys(world) == before
    assert world.rows("SELECT state FROM poll") == [("closed",)]


def test_a_box_is_opened_only_while_its_poll_is_closed_and_has_trustees(
    world: World, key: Ceremony
) -> None:
    poll, own = open_with(world, key), world.open_poll()
    before = sealing_keys(world)
    for poll_id in (poll["id"], own["id"], str(uuid.uuid4())):
        done = run(world.app, "trustees", "open", "--poll", poll_id, typed=["1", key.words(1)])
        assert (done.exit_code, "Traceback" in done.output) == (1, False)
    assert sealing_keys(world) == before


def test_an_answer_serves_once_and_only_with_its_record(
    world: World, key: Ceremony, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, challenge = hold(tmp_path / "other", threshold=2), tmp_path / "second.json"
    answer = tmp_path / "answer.json"
    replayed = run(world.app, "trustees", "import", key.record_file, answer)
    assert (replayed.exit_code, "no challenge" in replayed.output) == (1, True)
    answer.unlink()
    run(world.app, "trustees", "challenge", other.record_file, "--out", challenge)
    assert drill(monkeypatch, challenge, other.all_words()) == 0
    crossed = run(world.app, "trustees", "import", key.record_file, answer)
    assert (crossed.exit_code, "another key" in crossed.output) == (1, True)
    partial = json.loads(answer.read_bytes())
    partial["proofs"].pop()
    (tmp_path / "partial.json").write_text(json.dumps(partial))
    short = run(world.app, "trustees", "import", other.record_file, tmp_path / "partial.json")
    assert (short.exit_code, "must prove 10 groups" in short.output) == (1, True)
    assert world.rows("SELECT count(*) FROM trustee_key") == [(1,)]
    done = run(world.app, "trustees", "import", other.record_file, answer)
    assert (done.exit_code, "10 groups" in done.stdout) == (0, True)
    assert world.rows("SELECT count(*) FROM journal WHERE kind = 'trustees:drilled'") == [(2,)]


def test_the_secret_of_a_challenge_is_destroyed_once_it_was_answered(
    world: World, key: Ceremony
) -> None:
    assert world.wiring.keystore.names("drill/") == []


def test_commands_run_without_a_request_context(app: Flask) -> None:
    assert run(app, "trustees", "list").exit_code == 0
