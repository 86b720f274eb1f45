"""Which act each status of a poll allows: every pair, over HTTP and in the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import rfc8785
from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.base import instant, utc_now
from mvote.polls.governing import ACTS, DRAW
from mvote.polls.poll import STATUSES
from tests.support.governing import REASON, call, spoil
from tests.support.world import Person, World

BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "close": dict,
    "extend": lambda: {"closes_at": instant(utc_now() + dt.timedelta(days=20))},
    "void": lambda: REASON,
    "publish": dict,
    "notices": lambda: REASON,
}
ALLOWED: dict[str, set[str]] = {
    "draft": set(),
    "scheduled": {"extend", "void", "notices"},
    "open": {"close", "extend", "void", "notices"},
    "closing": {"void", "notices"},
    "closed": {"void", "notices"},
    "counted": {"void", "publish", "notices"},
    "published": {"notices"},
    "cancelled": {"notices"},
    "voided": {"notices"},
}
FUNCTIONS = {
    "close": "close_poll_early", "extend": "extend_poll", "void": "void_poll",
    "publish": "publish_poll", "notices": "publish_correction",
}  # fmt: skip


def poll_that_is(world: World, author: Person, status: str) -> dict[str, Any]:
    """A poll of one ballot in that status."""
    if status == "draft":
        return world.draft(author)
    if status in ("scheduled", "cancelled"):
        soon = instant(utc_now() + dt.timedelta(minutes=30))
        poll = world.open_poll(author, opens_at=soon)
        if status == "cancelled":
            world.client.post(f"/v1/polls/{poll['id']}/cancel", headers=author.headers)
        return poll
    poll = world.open_poll(author, publish_from=2)
    assert world.cast(poll, world.citizen()).status_code == 201
    if status == "voided":
        for _ in range(2):
            call(world, poll, "void", world.officer(), **REASON)
    if status == "counted":
        spoil(world, "DELETE FROM envelope")
    if status not in ("open", "voided"):
        world.end_voting(poll)
    if status in ("closed", "counted", "published"):
        world.run_shuffler()
    if status in ("counted", "published"):
        world.run_counter()
    return poll


@pytest.mark.parametrize("status", STATUSES)
def test_each_act_is_asked_for_exactly_where_the_table_allows_it(world: World, status: str) -> None:
    author = world.officer()
    poll = poll_that_is(world, author, status)
    path = f"/v1/polls/{poll['id']}"
    assert world.client.get(path, headers=author.headers).get_json()["status"] == status
    answers = {verb: call(world, poll, verb, author, **body()) for verb, body in BODIES.items()}
    assert {verb for verb, answer in answers.items() if answer.status_code == 202} == ALLOWED[
        status
    ]
    refused = [answer for answer in answers.values() if answer.status_code != 202]
    assert {answer.get_json()["code"] for answer in refused} <= {"impossible-transition"}
    assert {answer.get_json()["state"] for answer in refused} <= {status}


@pytest.mark.parametrize("status", STATUSES)
def test_the_database_carries_out_exactly_what_the_table_allows(
    world: World, session: Session, status: str
) -> None:
    """Requests made while the poll was open do not help when it is so no more."""
    author = world.officer()
    poll = poll_that_is(world, author, status)
    first, second = world.officer(), world.officer()
    done = set()
    for verb, body in BODIES.items():
        arguments = body()
        name = "correct" if verb == "notices" else verb
        approval = session.execute(
            text("SELECT ask_approval(gen_random_uuid(), :act, :poll, :arguments, :by)"),
            {
                "act": f"poll:{name}", "poll": poll["id"], "by": first.id,
                "arguments": rfc8785.dumps(arguments),
            },
        ).scalar_one()  # fmt: skip
        act = text(f"SELECT {FUNCTIONS[verb]}(:poll, :approval, :by)")
        bound = {"poll": poll["id"], "approval": approval, "by": second.id}
        if session.execute(act, bound).scalar_one():
            done.add(verb)
        session.rollback()
    assert done == ALLOWED[status]


def test_the_program_knows_the_same_table() -> None:
    assert DRAW.statuses == {"published"}  # of ties, which the table has none of
    for act in {*ACTS} - {DRAW}:
        verb = "notices" if act.verb == "correct" else act.verb
        assert act.statuses == {status for status in ALLOWED if verb in ALLOWED[status]}
