"""What the database itself keeps of the rule of two persons, whoever calls its functions."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mvote.approvals import ask
from mvote.base import new_id
from mvote.people.anchors import become_one, hold_still
from mvote.people.citizens import Citizen
from tests.support.ballots import at_once
from tests.support.governing import correct, let_expire, put, status, void
from tests.support.world import Person, World


def _void(session: Session, poll: dict[str, Any], approval_id: Any, by: Person) -> bool:
    call = text("SELECT void_poll(:poll, :approval, :by)")
    bound = {"poll": poll["id"], "approval": approval_id, "by": by.id}
    return bool(session.execute(call, bound).scalar_one())


def test_the_database_grants_no_expired_request(world: World, session: Session) -> None:
    poll, officers = world.open_poll(), [world.officer(), world.officer()]
    approval_id = void(world, poll, officers[0]).get_json()["approval_id"]
    let_expire(world)
    with pytest.raises(IntegrityError, match="ck_approval_granted_in_time"):
        _void(session, poll, approval_id, officers[1])
    session.rollback()
    assert status(world, poll) == "open"


@pytest.mark.parametrize("function", ["extend_poll", "void_poll", "close_poll_early"])
def test_the_database_lets_nobody_act_without_a_request(
    world: World, session: Session, function: str
) -> None:
    poll, officer = world.open_poll(), world.officer()
    call = text(f"SELECT {function}(:poll, :approval, :by)")
    for approval in (None, new_id()):
        with pytest.raises(IntegrityError, match="no such request waits"):
            session.execute(call, {"poll": poll["id"], "approval": approval, "by": officer.id})
        session.rollback()
    assert (status(world, poll), world.count("notice")) == ("open", 0)


def test_nobody_at_all_is_no_author_of_a_citizens_poll(world: World, session: Session) -> None:
    poll = world.open_poll(world.citizen())
    call = text("SELECT close_poll_early(:poll, NULL, NULL)")
    with pytest.raises(IntegrityError, match="no such request waits"):
        session.execute(call, {"poll": poll["id"]})
    session.rollback()
    assert (status(world, poll), world.count("notice")) == ("open", 0)


def test_the_database_lets_nobody_grant_their_own_request(world: World, session: Session) -> None:
    poll, officer = world.open_poll(), world.officer()
    approval_id = void(world, poll, officer).get_json()["approval_id"]
    with pytest.raises(IntegrityError, match="ck_approval_by_two_persons"):
        _void(session, poll, approval_id, officer)
    session.rollback()
    assert (status(world, poll), world.count("notice")) == ("open", 0)


def _made_one(session: Session, one: Person, other: Person) -> None:
    hold_still(session)
    become_one(session, session.get_one(Citizen, one.id), session.get_one(Citizen, other.id))
    session.commit()


def test_two_accounts_of_one_person_are_not_two_officers(world: World, session: Session) -> None:
    poll, one, other = world.open_poll(), world.officer(), world.officer()
    _made_one(session, one, other)
    assert void(world, poll, one).status_code == 202
    refused = void(world, poll, other)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "not-allowed")
    assert (status(world, poll), world.count("notice")) == ("open", 0)
    assert void(world, poll, world.officer()).status_code == 200


def test_nobody_verifies_their_own_attributes_by_another_account(
    world: World, session: Session
) -> None:
    one, other = world.officer(), world.citizen()
    _made_one(session, one, other)
    path, body = (
        f"/v1/citizens/{other.id}/attributes",
        {"attributes": {"birth_year": 1990}},
    )
    refused = world.client.put(path, json=body, headers=one.headers)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "not-allowed")
    assert world.count("attribute") == 0


def test_the_database_lets_only_officers_ask_and_grant(world: World, session: Session) -> None:
    poll, citizen, officer = world.open_poll(), world.citizen(), world.officer()
    poll_id = uuid.UUID(poll["id"])
    with pytest.raises(IntegrityError, match="request of an officer"):
        ask(session, act="poll:void", subject_id=poll_id, arguments={}, officer_id=citizen.id)
    session.rollback()
    approval_id = void(world, poll, officer).get_json()["approval_id"]
    with pytest.raises(IntegrityError, match="by a second officer"):
        _void(session, poll, approval_id, citizen)
    session.rollback()
    assert status(world, poll) == "open"


def test_a_request_for_one_act_does_not_serve_another(world: World, session: Session) -> None:
    poll, other = world.open_poll(), world.open_poll()
    first, second = world.officer(), world.officer()
    approval_id = void(world, poll, first).get_json()["approval_id"]
    for function, subject in (("close_poll_early", poll), ("void_poll", other)):
        with pytest.raises(IntegrityError, match="no such request waits"):
            session.execute(
                text(f"SELECT {function}(:poll, :approval, :by)"),
                {"poll": subject["id"], "approval": approval_id, "by": second.id},
            )
        session.rollback()
    assert {status(world, poll), status(world, other)} == {"open"}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE approval SET arguments = '{}'",
        "UPDATE approval SET expires_at = expires_at + interval '1 day'",
        "UPDATE approval SET asked_by = granted_by, granted_by = asked_by",
        "UPDATE approval SET granted_by = NULL, granted_at = NULL",
        "DELETE FROM approval",
        "UPDATE notice SET content = '{}'",
        "DELETE FROM notice",
    ],
)
def test_what_was_asked_and_granted_never_changes_whoever_tries(world: World, change: str) -> None:
    poll = world.open_poll()
    for officer in (world.officer(), world.officer()):
        void(world, poll, officer)
    before = world.rows("SELECT * FROM approval") + world.rows("SELECT * FROM notice")
    with (
        psycopg.connect(world.admin_url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.RestrictViolation),
    ):
        connection.execute(change.encode())
    assert before == world.rows("SELECT * FROM approval") + world.rows("SELECT * FROM notice")


def _grants_at_once(world: World, engine: Engine) -> int:
    """How many of eight succeed in granting one request, straight at the database."""
    poll, first = world.open_poll(), world.officer()
    approval_id = correct(world, poll, first, "정정합니다.").get_json()["approval_id"]
    call = text("SELECT publish_correction(:poll, :approval, :by)")

    def grant(officer: Person) -> bool:
        with Session(engine) as session:
            try:
                bound = {"poll": poll["id"], "approval": approval_id, "by": officer.id}
                session.execute(call, bound)
                session.commit()
            except IntegrityError:
                return False
            return True

    return sum(at_once(grant, [world.officer() for _ in range(8)], threads=8))


def test_the_database_grants_a_request_once_however_many_try_at_once(
    world: World, engines: dict[str, Engine]
) -> None:
    assert _grants_at_once(world, engines["api"]) == 1
    assert world.count("notice") == 1


def test_without_its_guards_one_request_would_be_granted_many_times(
    world: World, engines: dict[str, Engine], owner: Session
) -> None:
    """The sabotaged twin: a grant that does not look whether it was granted."""
    looks = {
        "grant_approval": "AND granted_by IS NULL",
        "approval_guard": "OR OLD.granted_by IS NOT NULL",
    }
    shown = text("SELECT pg_get_functiondef(CAST(:name AS regproc))")
    whole = {name: str(owner.execute(shown, {"name": name}).scalar_one()) for name in looks}
    assert all(look in whole[name] for name, look in looks.items())
    try:
        for name, look in looks.items():
            put(owner, whole[name].replace(look, ""))
        assert _grants_at_once(world, engines["api"]) == 8
        assert world.count("notice") == 8
    finally:
        for definition in whole.values():
            put(owner, definition)
