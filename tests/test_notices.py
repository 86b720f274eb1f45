"""Notices: what is said in public of an act, by which bytes, and what the journal knows of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid

import rfc8785

from api.holders import open_keystore
from mvote.ballotbox.poll_keys import key_name
from mvote.base import instant, utc_now
from tests.support.census import census
from tests.support.governing import REASON, both, call, correct, notices, void
from tests.support.world import World


def test_a_correction_stands_beside_the_definition_which_does_not_change(world: World) -> None:
    poll, path = world.open_poll(), "definition"
    before = world.client.get(f"/v1/polls/{poll['id']}/{path}").get_data()
    correct(world, poll, world.officer(), "3쪽의 금액은 5억 원입니다.")
    done = correct(world, poll, world.officer(), "3쪽의 금액은 5억 원입니다.")
    assert (done.status_code, done.get_json()["kind"]) == (201, "correction")
    assert notices(world, poll) == [done.get_json()]
    assert world.client.get(f"/v1/polls/{poll['id']}/{path}").get_data() == before


def test_notices_are_numbered_hashed_and_in_canonical_form(world: World) -> None:
    poll = world.open_poll()
    said = '따옴표 "와" \\ 역슬래시,\n줄바꿈\t탭, é, 😀'
    correct(world, poll, world.officer(), said)
    correct(world, poll, world.officer(), said)
    both(world, poll, "void", **REASON)
    found = notices(world, poll)
    assert [notice["n"] for notice in found] == [0, 1]
    assert found[0]["text"] == {"ko": said}
    stored = world.rows("SELECT content FROM notice ORDER BY n")
    for (content,), notice in zip(stored, found, strict=True):
        assert rfc8785.dumps(notice["content"]) == bytes(content)
        assert hashlib.sha256(content).hexdigest() == notice["hash"]
        assert notice["content"]["format"] == "mvote-notice/1"
        assert notice["content"]["poll_id"] == poll["id"]


def test_a_notice_names_no_person(world: World) -> None:
    poll, first, second = world.open_poll(), world.officer(), world.officer()
    void(world, poll, first)
    void(world, poll, second)
    shown = world.client.get(f"/v1/polls/{poll['id']}/notices").get_data(as_text=True)
    assert str(first.id) not in shown
    assert str(second.id) not in shown


def test_the_same_correction_is_not_published_twice(world: World) -> None:
    poll = world.open_poll()
    for expected in (202, 201, 422):
        assert correct(world, poll, world.officer(), "정정합니다.").status_code == expected
    assert world.count("notice") == world.count("approval") == 1


def test_the_journal_knows_who_asked_and_who_did_it(world: World) -> None:
    poll, first, second = world.open_poll(), world.officer(), world.officer()
    asked = void(world, poll, first).get_json()["approval_id"]
    void(world, poll, second)
    acts = world.rows(
        "SELECT kind, actor_id, facts ->> 'approval_id' FROM journal WHERE kind IN"
        " ('approval:asked', 'poll:voided') ORDER BY id"
    )
    assert acts == [("approval:asked", first.id, asked), ("poll:voided", second.id, asked)]


def test_a_draft_is_not_governed_and_others_do_not_hear_of_it(world: World) -> None:
    author = world.officer()
    draft = world.draft(author)
    before = census(world.admin_url)
    for verb, body in (("close", {}), ("void", REASON), ("notices", REASON), ("publish", {})):
        assert call(world, draft, verb, world.officer(), **body).status_code == 404
        assert call(world, draft, verb, author, **body).status_code == 409
    assert world.client.get(f"/v1/polls/{draft['id']}/notices").status_code == 404
    after = census(world.admin_url)
    assert {t for t in before if before[t] != after[t]} <= {
        "citizen",
        "role_grant",
        "department",
        "journal",
        "anchor",
    }  # the officers that were made for the test


def test_the_notice_of_each_act_becomes_an_entry_of_the_polls_log(world: World) -> None:
    poll = world.open_poll(publish_from=2)
    for voter in world.citizens(2):
        world.cast(poll, voter)
    correct(world, poll, world.officer(), "정정합니다.")
    correct(world, poll, world.officer(), "정정합니다.")
    both(world, poll, "extend", closes_at=instant(utc_now() + dt.timedelta(hours=5)))
    world.run_shuffler()
    both(world, poll, "close")
    world.run_shuffler()
    told = [bytes.fromhex(notice["hash"]) for notice in notices(world, poll)]
    assert [n["kind"] for n in notices(world, poll)] == ["correction", "extension", "early-close"]
    logged = world.rows("SELECT data FROM log_entry WHERE kind = 3 ORDER BY idx")
    assert [bytes(data) for (data,) in logged] == told


def test_the_ballots_of_a_poll_that_was_voided_come_into_its_log_before_the_key_goes(
    world: World,
) -> None:
    """What the receipts promise is kept: the log shows each ballot, though none is counted."""
    poll = world.open_poll()
    casts = [world.cast(poll, voter).get_json() for voter in world.citizens(3)]
    both(world, poll, "void", **REASON)
    world.run_shuffler()
    logged = world.rows("SELECT encode(substr(data, 1, 16), 'hex') FROM log_entry WHERE kind = 1")
    assert {tracker for (tracker,) in logged} == {cast["tracker"] for cast in casts}
    assert world.count("envelope") == 0
    key = key_name(uuid.UUID(poll["id"]), "L")
    assert key not in open_keystore(world.settings, "shuffler").names("poll/")
    world.run_counter()
    assert world.count("result") == world.count("record") == 0
