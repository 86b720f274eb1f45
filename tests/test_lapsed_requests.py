"""A request about the end of voting lapses when that end moves: it was asked for under another."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mvote.approvals import ask
from mvote.base import instant, utc_now
from tests.support.governing import asked, both, call, done, status, superuser, twin
from tests.support.waiting import PATIENCE_SECONDS, is_blocked, wait_until
from tests.support.world import Person, World

ALONE = "PERFORM pg_advisory_xact_lock(hashtextextended(p_poll_id::text, 4));"
LAPSE = "act IN ('poll:close', 'poll:extend')"


def ahead(hours: float) -> dict[str, str]:
    return {"closes_at": instant(utc_now() + dt.timedelta(hours=hours))}


def waiting(world: World, officer: Person) -> list[str]:
    listed = world.client.get("/v1/approvals", headers=officer.headers).get_json()
    return [item["approval_id"] for item in listed["items"]]


def test_a_request_to_close_early_is_not_granted_after_an_extension_but_asked_anew(
    world: World,
) -> None:
    poll, first, second = world.open_poll(), world.officer(), world.officer()
    old = call(world, poll, "close", first).get_json()
    assert old["lapsed_requests"] == []
    assert both(world, poll, "extend", **ahead(5)).status_code == 200
    assert waiting(world, second) == []
    answer = call(world, poll, "close", second)
    new = answer.get_json()
    assert answer.status_code == 202
    assert new["lapsed_requests"] == [old["approval_id"]]
    assert (status(world, poll), waiting(world, first)) == ("open", [new["approval_id"]])
    assert call(world, poll, "close", first).status_code == 200
    assert status(world, poll) in {"closing", "closed"}


def test_a_request_for_another_end_lapses_with_the_end_it_was_asked_under(world: World) -> None:
    poll, first, second = world.open_poll(), world.officer(), world.officer()
    later = ahead(9)
    old = call(world, poll, "extend", first, **later).get_json()["approval_id"]
    assert both(world, poll, "extend", **ahead(5)).status_code == 200
    answer = call(world, poll, "extend", second, **later)
    assert (answer.status_code, answer.get_json()["lapsed_requests"]) == (202, [old])


def test_a_request_that_has_nothing_to_do_with_the_end_goes_on_waiting(world: World) -> None:
    poll, first, second = world.open_poll(), world.officer(), world.officer()
    reason: dict[str, Any] = {"text": {"ko": "선택지가 잘못 적혔습니다."}}
    waits = call(world, poll, "void", first, **reason).get_json()["approval_id"]
    assert both(world, poll, "extend", **ahead(5)).status_code == 200
    assert waiting(world, second) == [waits]
    assert call(world, poll, "void", second, **reason).status_code == 200


def test_an_extension_lets_no_request_for_another_poll_lapse(world: World) -> None:
    poll, other, first = world.open_poll(), world.open_poll(), world.officer()
    waits = call(world, other, "close", first).get_json()["approval_id"]
    assert both(world, poll, "extend", **ahead(5)).status_code == 200
    assert waiting(world, first) == [waits]
    assert call(world, other, "close", world.officer()).status_code == 200


@pytest.mark.parametrize("verb", ["close", "extend"])
def test_the_database_itself_grants_no_request_that_has_lapsed(world: World, verb: str) -> None:
    poll = world.open_poll()
    deed = asked(world, poll, verb, **(ahead(9) if verb == "extend" else {}))
    assert both(world, poll, "extend", **ahead(5)).status_code == 200
    before = world.rows("SELECT closes_at, state FROM poll")
    with pytest.raises(IntegrityError, match="no such request waits"):
        done(world, deed)
    assert world.rows("SELECT closes_at, state FROM poll") == before


def test_without_the_lapse_the_old_request_would_close_the_extended_poll(
    world: World, owner: Session
) -> None:
    """The sabotaged twin: an extension that lets nothing lapse."""
    poll = world.open_poll()
    deed = asked(world, poll, "close")
    with twin(owner, "extend_poll", LAPSE, "false"):
        assert both(world, poll, "extend", **ahead(5)).status_code == 200
    assert done(world, deed)


def _asked_while_the_poll_is_extended(world: World) -> list[tuple[Any, ...]]:
    """A request to close that is not yet committed when the function is called by itself."""
    poll, first = world.open_poll(), world.officer()
    deed = asked(world, poll, "extend", **ahead(5))
    extending = threading.Thread(target=done, args=(world, deed))
    with Session(world.engines["api"]) as session:
        ask(
            session,
            act="poll:close",
            subject_id=uuid.UUID(poll["id"]),
            arguments={},
            officer_id=first.id,
        )
        extending.start()
        wait_until(lambda: not extending.is_alive() or is_blocked(world.admin_url, "extend_poll"))
        session.commit()
    extending.join(PATIENCE_SECONDS)
    assert world.count("notice") == 1
    return world.rows("SELECT lapsed_at IS NOT NULL FROM approval WHERE act = 'poll:close'")


def test_a_request_that_is_being_made_lapses_though_nobody_but_the_function_waits(
    world: World,
) -> None:
    assert _asked_while_the_poll_is_extended(world) == [(True,)]


def test_without_its_own_lock_the_extension_would_not_see_that_request(
    world: World, owner: Session
) -> None:
    """The sabotaged twin: it trusts its caller to wait."""
    with twin(owner, "extend_poll", ALONE, ""):
        assert _asked_while_the_poll_is_extended(world) == [(False,)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE approval SET lapsed_at = NULL WHERE lapsed_at IS NOT NULL",
        "UPDATE approval SET lapsed_at = now() WHERE granted_by IS NOT NULL",
        "UPDATE approval SET granted_by = gen_random_uuid() WHERE lapsed_at IS NOT NULL",
    ],
)
def test_what_has_lapsed_or_was_granted_stays_so_whoever_tries(
    world: World, owner: Session, change: str
) -> None:
    poll = world.open_poll()
    call(world, poll, "close", world.officer())
    both(world, poll, "extend", **ahead(5))
    before = world.rows("SELECT * FROM approval ORDER BY id")
    with pytest.raises(IntegrityError):
        owner.connection().exec_driver_sql(change)
    owner.rollback()
    assert world.rows("SELECT * FROM approval ORDER BY id") == before


def test_a_request_that_lapsed_a_day_ago_is_not_spoken_of_any_more(world: World) -> None:
    poll = world.open_poll()
    call(world, poll, "close", world.officer())
    both(world, poll, "extend", **ahead(5))
    with superuser(world) as connection:
        connection.execute(
            "UPDATE approval SET asked_at = asked_at - interval '1 day',"
            " expires_at = expires_at - interval '1 day' WHERE lapsed_at IS NOT NULL"
        )
    assert call(world, poll, "close", world.officer()).get_json()["lapsed_requests"] == []
