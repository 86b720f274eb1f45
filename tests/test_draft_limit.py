"""A citizen leaves twenty drafts of proposals lying in a cycle at most."""

from __future__ import annotations

import threading
import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.budget.proposal_schemas import NewProposal
from geo.proposals import CityProposalPlaces
from mvote.budget import draft_limit
from mvote.budget.draft_limit import MOST_DRAFTS
from mvote.budget.planning import cycle_of
from mvote.budget.proposing import draft_proposal
from tests.support.hostile import no_trace
from tests.support.proposals import PROPOSAL, Town, refused
from tests.support.waiting import PATIENCE_SECONDS, wait_until_blocked
from tests.support.world import Person, World


@pytest.fixture
def town(world: World) -> Town:
    return Town(world)


def drafts(town: Town, author: Person, count: int) -> list[str]:
    return [town.draft(author)["id"] for _ in range(count)]


def test_one_more_draft_is_refused_until_one_is_submitted_or_withdrawn(town: Town) -> None:
    author = town.author()
    first, second, *_ = drafts(town, author, MOST_DRAFTS)
    for verb, ended in (("submit", first), ("withdraw", second)):
        with no_trace(town.world):
            answer = town.try_draft(author)
        assert refused(answer) == (409, "too-many-drafts")
        assert answer.get_json()["most"] == MOST_DRAFTS
        assert town.post(f"{ended}/{verb}", author).status_code == 200
        assert town.try_draft(author).status_code == 201


def test_drafts_of_others_and_of_another_cycle_take_no_room(town: Town) -> None:
    author = town.author()
    drafts(town, author, MOST_DRAFTS)
    assert town.try_draft(town.author()).status_code == 201
    assert town.try_draft(author, town.new_cycle()).status_code == 201


def last_two_at_once(town: Town, *, waits: bool) -> int:
    """The answer to a draft that is begun while the twentieth is not committed yet."""
    author = town.author()
    drafts(town, author, MOST_DRAFTS - 1)
    answers: list[int] = []
    with town.world.app.app_context(), Session(town.world.engines["api"]) as session:
        draft_proposal(
            session, cycle=cycle_of(session, uuid.UUID(town.cycle_id)), author_id=author.id,
            content=NewProposal().load(PROPOSAL), contact=None, places=CityProposalPlaces(),
        )  # fmt: skip
        beside = threading.Thread(target=lambda: answers.append(town.try_draft(author).status_code))
        beside.start()
        if waits:
            wait_until_blocked(town.world.admin_url, "pg_advisory_xact_lock")
        else:
            beside.join(PATIENCE_SECONDS)
        session.commit()
        beside.join(PATIENCE_SECONDS)
    return answers[0]


def test_two_at_once_do_not_both_find_the_last_place(town: Town) -> None:
    assert last_two_at_once(town, waits=True) == 409
    assert town.world.count("proposal") == MOST_DRAFTS


def test_without_the_lock_two_at_once_would(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(draft_limit, "_ALONE", text("SELECT CAST(:whose AS text)"))
    assert last_two_at_once(town, waits=False) == 201
    assert town.world.count("proposal") == MOST_DRAFTS + 1
