"""Cycles without a review, and reviews that hear no appeals."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.budget.cycle import Cycle
from mvote.budget.deliberation.unreviewed import approve_unreviewed
from tests.support.hostile import no_trace
from tests.support.proposals import INFEASIBLE, Town, refused
from tests.support.world import World


def approve(town: Town) -> int:
    with Session(town.world.engines["api"]) as session, transaction(session):
        cycle = session.get_one(Cycle, uuid.UUID(town.cycle_id))
        return approve_unreviewed(session, cycle=cycle)


def test_without_a_review_what_is_feasible_is_approved_before_the_ballot(world: World) -> None:
    town = Town(world)
    feasible, waiting, infeasible = (town.submitted(town.author()) for _ in range(3))
    for officer in town.officers():
        town.assess(feasible, officer)
    for officer in town.officers():
        town.assess(infeasible, officer, INFEASIBLE)
    assert approve(town) == 1
    states = [town.get(each)["state"] for each in (feasible, waiting, infeasible)]
    assert states == ["approved", "submitted", "rejected"]


def test_with_a_review_nothing_is_approved_without_a_judgment(world: World) -> None:
    town = Town(world, review={"body": "plenary"})
    proposal = town.submitted(town.author())
    for officer in town.officers():
        town.assess(proposal, officer)
    with no_trace(world):
        assert approve(town) == 0


@pytest.mark.parametrize("review", [{"body": "plenary"}, {"body": "plenary", "appeal_body": None}])
def test_where_nobody_judges_appeals_there_are_none(
    world: World, review: dict[str, str | None]
) -> None:
    town = Town(world, review=review)
    author = town.author()
    proposal = town.submitted(author)
    for officer in town.officers():
        town.assess(proposal, officer, INFEASIBLE)
    with no_trace(world):
        answer = town.post(f"{proposal['id']}/appeal", author, grounds="시유지입니다.")
        assert refused(answer) == (409, "appeal-over")
