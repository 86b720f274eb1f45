"""Officers who do the same for a cycle at once: one of them does it, no request is left behind."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from mvote.budget import moving
from mvote.budget.deciding import enacting
from mvote.budget.deciding.enacting import enact
from mvote.budget.moving import move_dates
from mvote.people.citizens import Citizen
from tests.support.budgets import phase, running
from tests.support.deciding import WHY, Council, decided
from tests.support.waiting import is_blocked, wait_until
from tests.support.world import Person, World
from tests.test_cycle_dates import longer

Deed = Callable[[Session], object]


def officer_in(session: Session, person: Person) -> Citizen:
    return session.get_one(Citizen, person.id)


def beside(world: World, deed: Deed, act: Callable[[], TestResponse]) -> int:
    """The answer to *act*, which begins when *deed* is done and not committed yet."""
    answers: list[int] = []
    with Session(world.engines["api"]) as session, transaction(session):
        deed(session)
        session.flush()
        other = threading.Thread(target=lambda: answers.append(act().status_code))
        other.start()
        wait_until(lambda: is_blocked(world.admin_url, ""))  # by whatever lock is left
    other.join()
    return answers[0]


def waiting(world: World) -> int:
    return len(world.rows("SELECT 1 FROM approval WHERE granted_by IS NULL"))


# dates


def moved_at_once(world: World) -> tuple[int, int, int]:
    """What a third officer hears who moves a phase while a second one does; the notices, and the
    requests that wait."""
    cycle, (first, second, third) = running(world), (world.officer() for _ in range(3))
    body = {"kind": "reviewing", "closes_at": longer(cycle)["phases"][2]["closes_at"]}
    asked = phase(world, cycle, first, **body).get_json()["arguments"]

    def deed(session: Session) -> Any:
        by, cycle_id = officer_in(session, second), uuid.UUID(cycle["id"])
        return move_dates(session, cycle_id=cycle_id, by=by, dates=asked["dates"], why=None)

    heard = beside(world, deed, lambda: phase(world, cycle, third, **body))
    return heard, world.count("cycle_notice"), waiting(world)


def test_who_moves_a_phase_beside_another_finds_it_moved(world: World) -> None:
    assert moved_at_once(world) == (200, 1, 0)


def test_not_alone_they_would_leave_a_request_for_what_is_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(moving, "one_at_a_time", lambda *_: None)
    assert moved_at_once(world) == (202, 1, 1)


# dropping


def dropped_at_once(world: World, year: Council) -> tuple[int, int, int]:
    """The same for a project that the council has dropped: answer, enactments, requests."""
    reference, third = year.references[0], world.officer()
    assert year.try_enact(reference, 0, text=WHY).status_code == 202
    proposal_id = uuid.UUID(year.proposal_id(reference))

    def deed(session: Session) -> Any:
        by = officer_in(session, year.second)
        return enact(session, proposal_id=proposal_id, by=by, amount=0, why=WHY)

    heard = beside(world, deed, lambda: year.try_enact(reference, 0, third, text=WHY))
    return heard, world.count("enactment"), waiting(world)


def test_who_drops_a_project_beside_another_is_refused(world: World) -> None:
    assert dropped_at_once(world, decided(world)) == (409, 1, 0)


def test_not_alone_they_would_ask_for_what_is_dropped_already(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    year = decided(world)
    monkeypatch.setattr(enacting, "one_at_a_time", lambda *_: None)
    assert dropped_at_once(world, year) == (202, 1, 1)
