"""Who is on a contest's roll is settled at the instant its poll is frozen, and not before."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.base import utc_now
from mvote.budget.balloting import opening
from mvote.people.anchors import become_one, hold_still
from mvote.people.citizens import Anchor, Citizen
from mvote.polls import opening as polls_opening
from mvote.polls.opening import open_poll
from tests.support.balloting import rules_against
from tests.support.racing import Beside
from tests.support.rolls import e164
from tests.support.waiting import wait_until_blocked
from tests.support.world import World
from tests.test_contest_rolls import alumni


def listed_while_two_accounts_become_one(world: World) -> list[str]:
    """Why somebody on a list may not vote whose account is joined with an elder one while the poll
    of the list opens."""
    year = alumni(world)
    elder, younger = (year.register(e164(n)) for n in (1, 2))
    opened = Beside(lambda: year.open("alumni", roll=[e164(2)]))
    with Session(world.engines["api"]) as session, transaction(session):
        hold_still(session)
        become_one(session, *(session.get_one(Citizen, each) for each in (elder, younger)))
        opened.__enter__()
        wait_until_blocked(world.admin_url, "'anchors'")
    opened.__exit__()
    [(poll_id,)] = world.rows("SELECT poll_id FROM contest_poll")
    return rules_against(world, {"id": str(poll_id)}, world.person(younger))


def test_a_roll_names_people_as_they_are_when_the_poll_opens(world: World) -> None:
    assert listed_while_two_accounts_become_one(world) == []


def test_a_roll_that_is_read_before_anchors_are_held_still_keeps_somebody_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: the roll names who they were, the poll asks who they are."""
    monkeypatch.setattr(opening, "hold_still", lambda _: None)
    without = {"at": None}
    monkeypatch.setattr(
        opening, "open_poll", lambda session, **how: open_poll(session, **(how | without))
    )
    assert listed_while_two_accounts_become_one(world) == ["roll"]


def test_roll_and_definition_are_of_one_instant(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts from an instant in between counts for neither."""
    year = alumni(world)
    listed = year.register(e164(1))
    between = utc_now() + dt.timedelta(minutes=30)
    with Session(world.engines["api"]) as session, transaction(session):
        session.add(Anchor(citizen_id=listed, since=between, anchor=b"n" * 32))
    monkeypatch.setattr(polls_opening, "database_time", lambda _: utc_now() + dt.timedelta(hours=1))
    poll = year.open("alumni", roll=[e164(1)])
    assert rules_against(world, poll, world.person(listed)) == []
