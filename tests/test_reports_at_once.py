"""Reports at the same moment: once is once, and enough are enough. Each has a sabotaged twin."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.errors import DomainError
from mvote.moderation import reporting
from mvote.moderation.case import Case, Report
from mvote.moderation.reporting import Complaint, report_poll
from mvote.people.citizens import Citizen
from mvote.polls.poll import Poll
from tests.support.racing import Beside, meeting_of, race
from tests.support.reporting import citizens_poll, reported
from tests.support.waiting import is_blocked, wait_until
from tests.support.world import Person, World

AT_ONCE = 8


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    return citizens_poll(world)


def reporting_by(
    world: World, poll: dict[str, Any], people: list[Person]
) -> Callable[[Session], None]:
    """Each of the *people* reports the poll, one in each call."""
    left = iter(people)

    def act(session: Session) -> None:
        report_poll(
            session,
            poll=session.get_one(Poll, uuid.UUID(poll["id"])),
            citizen=session.get_one(Citizen, next(left).id),
            complaint=Complaint(ground="other"),
            desk=world.wiring.moderation,
        )

    return act


def state_of(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT state, waiting FROM moderation_case")


def test_one_persons_reports_at_once_are_one(world: World, poll: dict[str, Any]) -> None:
    people = [world.citizen()] * AT_ONCE
    results = race(world.engines["api"], AT_ONCE, reporting_by(world, poll, people))
    refused = [each.code for each in results if isinstance(each, DomainError)]
    assert refused == ["already-reported"] * (AT_ONCE - 1)
    assert state_of(world) == [("reported", 1)]
    assert world.count("report") == 1


def test_if_reporters_were_looked_up_before_they_would_be_more(
    world: World, poll: dict[str, Any]
) -> None:
    """The sabotaged twin: it looks whether there is a report, and writes one under another key."""
    together = meeting_of(AT_ONCE)
    poll_id = uuid.UUID(poll["id"])
    reported(world, poll, 1)

    def act(session: Session) -> None:
        mine = select(func.count()).select_from(Report).where(Report.ground == "other")
        is_there = session.scalars(mine).one() > 0
        together.wait()
        if not is_there:
            values = {"poll_id": poll_id, "ground": "other", "decided_before": 0}
            session.execute(insert(Report).values(reporter=uuid.uuid4().bytes * 2, **values))

    race(world.engines["api"], AT_ONCE, act)
    assert len(world.rows("SELECT 1 FROM report WHERE ground = 'other'")) > 1


def test_enough_people_at_once_hold_a_poll_back(world: World, poll: dict[str, Any]) -> None:
    people = world.citizens(world.settings.reports_to_hold)
    race(world.engines["api"], len(people), reporting_by(world, poll, people))
    assert state_of(world) == [("held", len(people))]
    assert world.rows("SELECT kind FROM bulletin") == [("poll_held_back",)]


def test_counting_without_waiting_for_each_other_would_miss_that_it_is_enough(
    world: World, poll: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: each counts the reports it can see: its own and earlier ones."""
    reported(world, poll, 1)
    people = world.citizens(world.settings.reports_to_hold - 1)
    together = meeting_of(len(people))

    def counted(session: Session, poll_id: uuid.UUID) -> Case:
        seen = select(func.count()).select_from(Report).where(Report.poll_id == poll_id)
        number = session.scalars(seen).one() + 1
        together.wait()
        found = session.get_one(Case, poll_id)
        session.expunge(found)
        found.waiting = number
        return found

    monkeypatch.setattr(reporting, "_counted", counted)
    race(world.engines["api"], len(people), reporting_by(world, poll, people))
    assert world.count("report") == world.settings.reports_to_hold
    assert state_of(world) == [("reported", 1)]


def test_what_is_reported_while_the_account_is_deleted_keeps_no_words(
    world: World, poll: dict[str, Any]
) -> None:
    person = world.citizen()
    leaving = Beside(lambda: world.app.test_client().delete("/v1/me", headers=person.headers))
    with Session(world.engines["api"]) as session, transaction(session):
        report_poll(
            session,
            poll=session.get_one(Poll, uuid.UUID(poll["id"])),
            citizen=session.get_one(Citizen, person.id),
            complaint=Complaint(ground="other", text="내 번호는 …"),
            desk=world.wiring.moderation,
        )
        leaving.__enter__()
        wait_until(lambda: is_blocked(world.admin_url, "advisory") or is_gone(world, person))
    leaving.__exit__()
    assert is_gone(world, person)
    assert world.rows("SELECT text FROM report") == [(None,)]


def is_gone(world: World, person: Person) -> bool:
    return world.rows("SELECT 1 FROM citizen WHERE id = %s", person.id) == []
