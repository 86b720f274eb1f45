"""What must end before a ballot of the cycle is frozen: all of it is named, nothing slips in."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.base import database_time
from mvote.budget.hindrances import OpenMatter, open_matters
from mvote.budget.looking_up import locked_proposals
from tests.support.governing import twin
from tests.support.proposals import Town
from tests.support.waiting import PATIENCE_SECONDS, is_blocked, wait_until
from tests.support.world import World

REVIEW = {"body": "plenary", "appeal_body": "appeals"}


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle with a committee and a body for appeals."""
    return Town(world, review=REVIEW)


def matters(town: Town, **more: Any) -> list[OpenMatter]:
    with Session(town.world.engines["api"]) as session, transaction(session):
        return open_matters(session, cycle_id=uuid.UUID(town.cycle_id), **more)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("submitted", "assessment-open"),
        ("returned", "assessment-open"),
        ("assessed", "review-open"),
        ("under_review", "review-open"),
        ("appealed", "appeal-open"),
        ("rejected", "appeal-window-open"),
    ],
)
def test_whatever_is_not_decided_hinders_the_ballot_and_is_named(
    town: Town, state: str, code: str
) -> None:
    proposal, done = town.submitted(town.author()), town.submitted(town.author())
    with psycopg.connect(town.world.admin_url) as connection:
        connection.execute("UPDATE proposal SET appealed_at = now()" * (state == "appealed"))
    town.put_in(proposal, state)
    town.put_in(done, "approved")
    [matter] = matters(town)
    assert (matter.code, matter.references) == (code, (proposal["reference"],))
    assert (matter.until is not None) == (state in ("returned", "rejected"))
    assert set(matter.shown()["title"]) == {"ko", "en"}


@pytest.mark.parametrize("state", ["approved", "withdrawn", "lapsed", "on_ballot"])
def test_what_is_decided_hinders_nothing(town: Town, state: str) -> None:
    town.put_in(town.submitted(town.author()), state)
    town.draft(town.author())
    assert matters(town) == []


def test_several_matters_of_several_kinds_are_all_named_at_once(town: Town) -> None:
    proposals = [town.submitted(town.author()) for _ in range(3)]
    town.put_in(proposals[2], "under_review")
    found = {each.code: each.references for each in matters(town)}
    assert found == {
        "assessment-open": tuple(each["reference"] for each in proposals[:2]),
        "review-open": (proposals[2]["reference"],),
    }


@pytest.mark.parametrize("state", ["returned", "rejected"])
def test_a_window_that_has_closed_hinders_no_longer(town: Town, state: str) -> None:
    proposal = town.submitted(town.author())
    town.put_in(proposal, state)
    assert len(matters(town)) == 1
    town.let_time_run_out(proposal)
    assert matters(town) == []


def test_a_rejection_that_was_appealed_before_is_final(town: Town) -> None:
    proposal = town.submitted(town.author())
    with psycopg.connect(town.world.admin_url) as connection:
        connection.execute("UPDATE proposal SET appealed_at = now()")
    town.put_in(proposal, "rejected")
    assert matters(town) == []


def test_where_nobody_judges_appeals_there_is_no_window(world: World) -> None:
    town = Town(world, review={"body": "plenary"})
    town.put_in(town.submitted(town.author()), "rejected")
    assert matters(town) == []


def test_only_the_headings_that_are_asked_for_hinder(town: Town) -> None:
    town.submitted(town.author(), heading="parks")
    assert matters(town, headings=["local"]) == []
    assert len(matters(town, headings=["city"])) == 1  # parks lie below


IN_TIME = "NEW.state = 'appealed' AND is_over"


def _found_while_an_appeal_commits(town: Town, owner: Session, *, held: bool) -> list[str]:
    """What is found when an author appealed in the last moment, and the window has closed since.

    The database believes that the moment has not passed: so nobody has to wait for it.
    """
    proposal = town.rejected(town.author())
    town.let_time_run_out(proposal)
    found: list[OpenMatter] = []
    with (
        twin(owner, "proposal_times_guard", IN_TIME, "false"),
        Session(town.world.engines["api"]) as session,
    ):
        [mine] = locked_proposals(session, [uuid.UUID(proposal["id"])]).values()
        now = database_time(session)
        mine.appealed_at = now
        mine.move("appeal", now=now, due_at=now + dt.timedelta(days=14))
        session.flush()
        looking = threading.Thread(target=lambda: found.extend(matters(town, held=held)))
        looking.start()
        query = "FOR SHARE OF proposal"
        wait_until(lambda: not looking.is_alive() or is_blocked(town.world.admin_url, query))
        session.commit()
        looking.join(PATIENCE_SECONDS)
    return [each.code for each in found]


def test_an_appeal_of_the_last_moment_is_seen_by_whoever_freezes_the_ballot(
    town: Town, owner: Session
) -> None:
    assert _found_while_an_appeal_commits(town, owner, held=True) == ["appeal-open"]


def test_without_holding_the_proposals_an_appeal_of_the_last_moment_is_missed(
    town: Town, owner: Session
) -> None:
    """The sabotaged twin: it looks without waiting for what is under way."""
    assert _found_while_an_appeal_commits(town, owner, held=False) == []
