"""The lot between tied winners, drawn at the same moment, again, and too early or too late."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mvote.base import new_id
from mvote.polls import tie_drawing
from tests.support.ballots import at_once
from tests.support.governing import (
    Deed,
    asked,
    call,
    done,
    notices,
    superuser,
    twin,
)
from tests.support.waiting import PATIENCE_SECONDS, wait_until_blocked
from tests.support.world import Person, World, new_key
from tests.test_ties_drawn import result_of, tied

LOCK = "FROM poll WHERE id = p_poll_id FOR UPDATE;"
DRAWN_ALREADY = "->> 'kind' = 'draw'"
COPY = (
    "INSERT INTO approval SELECT %s, act, subject_id, arguments, asked_by, asked_at, expires_at"
    " FROM approval WHERE granted_by IS NULL"
)
DRAW = text("SELECT draw_tie(:poll, :approval, :by)")


def two_deeds(world: World, poll: dict[str, Any]) -> tuple[Deed, Deed]:
    """Two requests for the lot, as could only be without the rules above the database's function;
    each with a second officer who grants it."""
    first, twice = asked(world, poll, "draw"), new_id()
    with superuser(world) as connection:
        connection.execute(COPY, [twice])
    bound = {"poll": poll["id"], "approval": twice, "by": world.officer().id}
    return first, lambda session: bool(session.execute(DRAW, bound).scalar_one())


def second_beside_first(world: World, deeds: tuple[Deed, Deed]) -> bool | str:
    """What the second deed comes to, begun while the first is done but not committed."""
    answers: list[bool | str] = []

    def act() -> None:
        try:
            answers.append(done(world, deeds[1]))
        except IntegrityError as error:
            answers.append(str(error.orig))

    with Session(world.engines["api"]) as session:
        assert deeds[0](session)
        beside = threading.Thread(target=act)
        beside.start()
        wait_until_blocked(world.admin_url, "draw_tie")
        session.commit()
        beside.join(PATIENCE_SECONDS)
    return answers[0]


def test_whoever_draws_beside_another_finds_the_lot_drawn(world: World) -> None:
    poll = tied(world)
    assert second_beside_first(world, two_deeds(world, poll)) is False
    assert world.count("notice") == 1


def test_without_the_polls_row_held_both_would_draw_and_one_break_a_key(
    world: World, owner: Session
) -> None:
    """The sabotaged twin: both see no lot; only the number of the notice keeps them apart."""
    poll = tied(world)
    deeds = two_deeds(world, poll)
    with twin(owner, "draw_tie", LOCK, LOCK.replace(" FOR UPDATE", "")):
        assert "pk_notice" in str(second_beside_first(world, deeds))
    assert world.count("notice") == 1


def test_a_request_granted_later_draws_no_second_lot(world: World) -> None:
    poll = tied(world)
    first, later = two_deeds(world, poll)
    assert [done(world, first), done(world, later)] == [True, False]
    assert (world.count("notice"), granted(world)) == (1, 1)


def test_without_a_look_at_the_notices_a_second_lot_would_be_drawn(
    world: World, owner: Session
) -> None:
    """The sabotaged twin: it would look for notices of another kind."""
    poll = tied(world)
    first, later = two_deeds(world, poll)
    with twin(owner, "draw_tie", DRAWN_ALREADY, "->> 'kind' = 'none'"):
        assert [done(world, first), done(world, later)] == [True, True]
    assert world.count("notice") == 2


def granted(world: World) -> int:
    return len(world.rows("SELECT 1 FROM approval WHERE granted_by IS NOT NULL"))


def waiting(world: World) -> int:
    return world.count("approval") - granted(world)


def test_of_officers_who_second_it_at_the_same_moment_one_draws(world: World) -> None:
    poll = tied(world)
    assert call(world, poll, "draw", world.officer()).status_code == 202
    seconds = [world.officer() for _ in range(4)]
    answers = at_once(lambda officer: call(world, poll, "draw", officer), seconds)
    codes = sorted((each.status_code, each.get_json().get("code")) for each in answers)
    assert codes == [(200, None), *[(409, "no-tie")] * 3]
    assert (world.count("notice"), waiting(world)) == (1, 0)


def asked_while_drawn(world: World, poll: dict[str, Any]) -> tuple[int, int]:
    """The answer to an officer who asks for the lot while another draws it; the requests left."""
    call(world, poll, "draw", world.officer())
    second, third = world.officer(), world.officer()
    answers: list[int] = []
    with Session(world.engines["api"]) as session:
        session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:id AS text), 4))"),
            {"id": poll["id"]},
        )
        approval = world.rows("SELECT id FROM approval")[0][0]
        session.execute(DRAW, {"poll": poll["id"], "approval": approval, "by": second.id})
        asking = threading.Thread(
            target=lambda: answers.append(call(world, poll, "draw", third).status_code)
        )
        asking.start()
        wait_until_blocked(world.admin_url, "pg_advisory_xact_lock")
        session.commit()
        asking.join(PATIENCE_SECONDS)
    return answers[0], waiting(world)


def test_who_asks_for_a_lot_that_is_being_drawn_leaves_no_request_behind(world: World) -> None:
    assert asked_while_drawn(world, tied(world)) == (409, 0)


def test_a_look_before_one_is_alone_would_leave_a_request_that_nobody_can_grant(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: the look for a tie before the wait."""
    monkeypatch.setattr(tie_drawing, "one_at_a_time", lambda *_: None)
    assert asked_while_drawn(world, tied(world)) == (202, 1)


def again(world: World, poll: dict[str, Any], officer: Person, key: str) -> Any:
    headers = officer.headers | {"Idempotency-Key": key}
    answer = world.client.post(f"/v1/polls/{poll['id']}/draw", headers=headers)
    return answer.status_code, answer.get_json()


def test_a_draw_that_is_sent_again_is_answered_again_and_drawn_once(world: World) -> None:
    poll, first, second = tied(world), world.officer(), world.officer()
    asking, drawing = new_key(), new_key()
    requested = again(world, poll, first, asking)
    assert (requested[0], requested) == (202, again(world, poll, first, asking))
    drawn = again(world, poll, second, drawing)
    assert (drawn[0], drawn) == (200, again(world, poll, second, drawing))
    assert again(world, poll, first, asking) == requested  # late: and asks for nothing
    assert len(notices(world, poll)) == world.count("approval") == 1
    order = result_of(world, poll)["draw"]["order"]
    assert again(world, poll, second, new_key())[1]["code"] == "no-tie"
    assert result_of(world, poll)["draw"]["order"] == order


def test_no_lot_is_drawn_before_publication_nor_of_a_voided_poll(world: World) -> None:
    poll = world.open_poll(publish_from=2)
    for voter, choice in zip(world.citizens(2), ("yes", "no"), strict=True):
        world.cast(poll, voter, [choice])
    world.close(poll)
    for _ in ("closed", "voided"):
        refused = call(world, poll, "draw", world.officer())
        assert (refused.status_code, refused.get_json()["code"]) == (409, "results-not-available")
        bound = {"poll": uuid.UUID(poll["id"]), "approval": None, "by": world.officer().id}
        with Session(world.engines["api"]) as session:
            assert session.execute(DRAW, bound).scalar_one() is False
        with superuser(world) as connection:
            connection.execute("UPDATE poll SET state = 'voided'")
    assert world.count("approval") == world.count("notice") == 0
