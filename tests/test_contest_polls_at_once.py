"""Freezing a contest while others act: one poll for each source, and no project left out."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from mvote.budget.balloting import opening
from mvote.budget.balloting.asking import Asking
from mvote.budget.balloting.opening import open_contest_poll
from mvote.budget.balloting.voters import Listed
from mvote.budget.planning import cycle_of, own_cycle
from mvote.errors import DomainError, ImpossibleTransition
from mvote.people.citizens import Citizen
from mvote.polls.drafting import Author
from mvote.polls.poll import Poll
from tests.support.balloting import Balloting, field
from tests.support.racing import race
from tests.support.waiting import PATIENCE_SECONDS, is_blocked, wait_until
from tests.support.world import World

CONTENDERS = 4


@pytest.fixture
def year(world: World) -> Balloting:
    year = Balloting(world, 2015)
    year.projects(8, heading=field)
    year.seal_surveys("city")
    return year


def opens(world: World, year: Balloting, *, locks: bool = True) -> Callable[[Session], Poll]:
    """What an officer does to open the citizens' poll."""

    def act(session: Session) -> Poll:
        officer = session.get_one(Citizen, year.officer.id)
        cycle_id = uuid.UUID(year.cycle["id"])
        cycle = own_cycle(session, cycle_id, officer) if locks else cycle_of(session, cycle_id)
        poll, _ = open_contest_poll(
            session,
            asking=Asking.of(cycle, "city", "citizens"),
            groups={},
            listed=Listed(numbers=[], phones=world.app.extensions["phones"]),
            by=Author.of(officer),
            around=world.wiring.around,
        )
        return poll

    return act


def test_officers_who_open_a_source_at_once_open_one_poll(world: World, year: Balloting) -> None:
    year.begin()
    results = race(world.engines["api"], CONTENDERS, opens(world, year))
    refusals = [each for each in results if isinstance(each, DomainError)]
    assert len(refusals) == CONTENDERS - 1
    assert all(isinstance(each, ImpossibleTransition) for each in refusals)
    assert (world.count("poll"), world.count("contest_poll")) == (1, 1)


def test_without_lock_and_guard_each_officer_would_open_one(
    world: World, year: Balloting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: the number of the attempt is made up, and nobody looks at it."""
    year.begin()
    made_up = itertools.count(1)
    with psycopg.connect(world.admin_url, autocommit=True) as admin:
        admin.execute("ALTER TABLE contest_poll DISABLE TRIGGER contest_poll_guard")
        monkeypatch.setattr(opening, "_next_attempt", lambda *_: next(made_up))
        monkeypatch.setattr(opening, "_freeze", lambda *_: None)
        try:
            race(world.engines["api"], CONTENDERS, opens(world, year, locks=False))
        finally:
            admin.execute("ALTER TABLE contest_poll ENABLE TRIGGER contest_poll_guard")
    assert world.count("contest_poll") == CONTENDERS


def options_when_one_is_approved_meanwhile(world: World, year: Balloting) -> set[str]:
    """What stands on the ballot if a judgment is about to commit while the poll is opened."""
    [last] = year.projects(1, heading=field, state="under_review")
    opened: list[Any] = []
    officer = threading.Thread(target=lambda: opened.append(year.try_open("citizens")))
    with psycopg.connect(world.admin_url) as judge:
        judge.execute("SET session_replication_role = replica")
        judge.execute("UPDATE proposal SET state = 'approved' WHERE reference = %s", [last])
        officer.start()
        wait_until(lambda: bool(opened) or is_blocked(world.admin_url, "FROM proposal"))
    officer.join(PATIENCE_SECONDS)
    assert opened[0].status_code == 201, opened[0].get_data(as_text=True)
    return {each["key"] for each in opened[0].get_json()["question"]["options"]}


def test_what_is_approved_while_the_poll_is_opened_stands_on_the_ballot(
    world: World, year: Balloting
) -> None:
    assert options_when_one_is_approved_meanwhile(world, year) == set(year.references)


def test_projects_read_before_the_open_matters_would_leave_it_out(
    world: World, year: Balloting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: it chooses first, and looks for open matters afterwards."""
    chosen: list[Any] = []
    choose, look = opening._candidates, opening._open_matters

    def look_after_choosing(session: Session, asking: Asking) -> Any:
        chosen.extend(choose(session, asking, {}))
        return look(session, asking)

    monkeypatch.setattr(opening, "_open_matters", look_after_choosing)
    monkeypatch.setattr(opening, "_candidates", lambda *_: chosen)
    found = options_when_one_is_approved_meanwhile(world, year)
    assert found == set(year.references[:-1])
