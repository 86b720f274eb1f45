"""What happens to a reported poll while an officer decides: nothing is answered or shown unseen."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction_on
from geo.places import CityPlaces
from mvote.moderation.case import Case, Decision
from mvote.moderation.deciding import decide
from mvote.moderation.expiring import release_unseen
from mvote.moderation.reporting import Complaint, report_poll
from mvote.people.citizens import Citizen
from mvote.polls.poll import Poll
from tests.support.people import problem
from tests.support.racing import Beside, race
from tests.support.reporting import (
    REASON,
    case_of,
    decided,
    held_back,
    is_listed,
    reported,
    version_of,
)
from tests.support.waiting import wait_until_blocked
from tests.support.world import Person, World

HOLD = dt.timedelta(hours=72)


@pytest.fixture
def held(world: World) -> dict[str, Any]:
    return held_back(world)


@pytest.fixture
def held_for_long(world: World, held: dict[str, Any]) -> dict[str, Any]:
    """Held back so long that the keeper would end it."""
    with psycopg.connect(world.admin_url) as connection:
        connection.execute(
            "UPDATE moderation_case SET held_at = held_at - interval '100 hours',"
            " waiting_since = waiting_since - interval '100 hours'"
        )
    return held


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: all that officers read has the same version."""
    monkeypatch.setattr(Case, "version", property(lambda _: "always"))


def decide_as(
    session: Session,
    world: World,
    poll: dict[str, Any],
    decision: Decision,
    read: str | None = None,
    officer: Person | None = None,
) -> None:
    decide(
        session,
        poll_id=uuid.UUID(poll["id"]),
        officer=session.get_one(Citizen, (officer or world.officer()).id),
        decision=decision,
        reason=REASON,
        version=read or version_of(world, poll),
        desk=world.wiring.moderation,
    )


def report_as(session: Session, world: World, poll: dict[str, Any], who: Person) -> None:
    report_poll(
        session,
        poll=session.get_one(Poll, uuid.UUID(poll["id"])),
        citizen=session.get_one(Citizen, who.id),
        complaint=Complaint(ground="other"),
        desk=world.wiring.moderation,
    )


def written(world: World) -> list[int]:
    told = world.rows("SELECT count(*) FROM journal WHERE kind = 'poll:reports-decided'")
    return [world.count("moderation_decision"), world.count("bulletin"), told[0][0]]


# two officers


def test_of_two_officers_who_read_the_same_case_one_decides(
    world: World, held: dict[str, Any]
) -> None:
    read, left = (
        version_of(world, held),
        iter([("keep", world.officer()), ("release", world.officer())]),
    )

    def act(session: Session) -> None:
        decision, officer = next(left)
        decide_as(session, world, held, decision, read, officer)  # type: ignore[arg-type]

    results = race(world.engines["api"], 2, act)
    assert sorted(getattr(each, "code", "done") for each in results) == ["case-changed", "done"]
    assert world.count("moderation_decision") == 1


@pytest.mark.usefixtures("blind")
def test_without_a_version_the_second_officer_would_overrule_the_first_unseen(
    world: World, held: dict[str, Any]
) -> None:
    """The sabotaged twin."""
    for decision in ("keep", "release"):
        assert decided(world, held, decision, version="always").status_code == 200
    assert is_listed(world, held)


def test_what_another_officer_has_decided_is_read_before_it_is_overruled(
    world: World, held: dict[str, Any]
) -> None:
    read = version_of(world, held)
    assert decided(world, held, "keep", version=read).status_code == 200
    before = written(world)
    assert problem(decided(world, held, "release", version=read)) == (409, "case-changed")
    assert (written(world), case_of(world, held)) == (before, ("kept", 0, 1))
    assert decided(world, held, "release").status_code == 200


def test_as_many_new_reports_after_a_decision_are_another_version(
    world: World, held: dict[str, Any]
) -> None:
    read, waiting = version_of(world, held), world.settings.reports_to_hold
    assert decided(world, held, "release", version=read).status_code == 200
    reported(world, held, waiting)
    assert case_of(world, held) == ("reported", waiting, 1)
    assert problem(decided(world, held, "keep", version=read)) == (409, "case-changed")


# a report that comes meanwhile


def decided_behind_a_report(world: World, poll: dict[str, Any], read: str) -> TestResponse:
    """What an officer is answered who decides while a report is being taken."""
    officer, answers = world.officer(), list[TestResponse]()
    deciding_now = Beside(
        lambda: answers.append(decided(world, poll, "release", officer, version=read))
    )
    with transaction_on(world.engines["api"]) as session:
        report_as(session, world, poll, world.citizen())
        deciding_now.__enter__()
        wait_until_blocked(world.admin_url, "moderation_case")
    deciding_now.__exit__()
    return answers[0]


def test_no_decision_answers_a_report_that_came_after_the_officer_read(
    world: World, held: dict[str, Any]
) -> None:
    waiting, read = world.settings.reports_to_hold, version_of(world, held)
    before = written(world)
    assert problem(decided_behind_a_report(world, held, read)) == (409, "case-changed")
    assert (written(world), case_of(world, held)) == (before, ("held", waiting + 1, 0))


@pytest.mark.usefixtures("blind")
def test_without_a_version_it_would_be_answered_unread(world: World, held: dict[str, Any]) -> None:
    """The sabotaged twin."""
    assert decided_behind_a_report(world, held, "always").status_code == 200
    assert case_of(world, held) == ("released", 0, 1)


@pytest.mark.parametrize(
    ("decision", "case"), [("release", ("reported", 1, 1)), ("keep", ("kept", 0, 1))]
)
def test_a_report_that_waits_for_a_decision_comes_after_it(
    world: World, held: dict[str, Any], decision: Decision, case: tuple[Any, ...]
) -> None:
    person = world.citizen()

    def report() -> None:
        with transaction_on(world.engines["api"]) as session:
            report_as(session, world, held, person)

    reporting = Beside(report)
    with transaction_on(world.engines["api"]) as session:
        decide_as(session, world, held, decision)
        reporting.__enter__()
        wait_until_blocked(world.admin_url, "moderation_case")
    reporting.__exit__()
    assert reporting.error is None
    assert case_of(world, held) == case
    assert world.count("report") == world.settings.reports_to_hold + 1


# the time of a hold runs out


def end_holds(session: Session) -> None:
    release_unseen(session, places=CityPlaces(), term=HOLD)


def test_a_hold_does_not_end_while_an_officer_decides(
    world: World, held_for_long: dict[str, Any]
) -> None:
    with transaction_on(world.engines["api"]) as session:
        decide_as(session, world, held_for_long, "keep")
        with transaction_on(world.engines["api"]) as keepers:
            end_holds(keepers)
    with transaction_on(world.engines["api"]) as keepers:
        end_holds(keepers)
    assert case_of(world, held_for_long)[0] == "kept"
    assert world.rows("SELECT expired FROM moderation_case") == [(0,)]


def test_what_an_officer_decides_while_the_hold_ends_is_decided_after_it(
    world: World, held_for_long: dict[str, Any]
) -> None:
    officer, answers = world.officer(), list[TestResponse]()
    read = version_of(world, held_for_long)
    deciding_now = Beside(
        lambda: answers.append(decided(world, held_for_long, "keep", officer, version=read))
    )
    with transaction_on(world.engines["api"]) as keepers:
        end_holds(keepers)
        deciding_now.__enter__()
        wait_until_blocked(world.admin_url, "moderation_case")
    deciding_now.__exit__()
    assert answers[0].status_code == 200
    assert case_of(world, held_for_long)[0] == "kept"
    assert not is_listed(world, held_for_long)


def test_a_release_after_the_hold_has_ended_protects_as_one_before(
    world: World, held_for_long: dict[str, Any]
) -> None:
    with transaction_on(world.engines["api"]) as keepers:
        end_holds(keepers)
    assert decided(world, held_for_long, "release").status_code == 200
    reported(world, held_for_long, 2 * world.settings.reports_to_hold - 1)
    assert is_listed(world, held_for_long)
    reported(world, held_for_long, 1)
    assert not is_listed(world, held_for_long)
