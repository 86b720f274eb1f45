"""The bundle of a contest's poll: anybody recounts it, spoilt ballots and all."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from mvote.budget.balloting.releasing import approvals_of, released_sources
from mvote.budget.cycle import Cycle
from tests.support.balloting import Balloting
from tests.support.world import World
from tests.test_bundles import verified

VALID, BLANK, SPOILT = 46, 3, 5


@pytest.fixture
def year(world: World) -> Balloting:
    """Three projects at most on a ballot, in equal shares, so that all records are public."""
    year = Balloting(world, 2020)
    year.definition["budget_limit"] = 1_000_000_000
    contest = year.definition["contests"][0]
    contest["ballot"] = {
        "method": "approve", "wrong": "spoil", "limits": [{"over": "all", "count": {"max": 3}}],
    }  # fmt: skip
    contest["allocation"] = {"rule": "equal_shares", "ties": ["lower_cost", "lot"]}
    contest.pop("blend")
    contest["sources"][0].pop("records")
    return year


def counted(world: World, year: Balloting) -> dict[str, Any]:
    """Its poll, voted in by valid, blank and spoilt ballots, counted and published."""
    projects = year.projects(5)
    poll = year.open("citizens")
    assert poll["records"] == "full"
    papers = [projects[:2]] * VALID + [[]] * BLANK + [projects[:4]] * SPOILT
    for voter, paper in zip(year.citizens(len(papers)), papers, strict=True):
        assert world.cast(poll, voter, paper, accept_spoilt=True).status_code == 201
    world.finish(poll)
    return poll


def test_the_one_file_counts_the_spoilt_ballots_of_a_bundle_like_the_counter(
    world: World, year: Balloting, tmp_path: Path
) -> None:
    poll = counted(world, year)
    status, checks = verified(tmp_path, world.make_bundle(poll))
    assert status == 0
    assert (checks["records"], checks["totals"], checks["accounting"]) == ("ok", "ok", "ok")
    statement = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()["statement"]
    named = {name: statement[name] for name in ("valid", "blank", "spoilt", "recounted")}
    assert named == {"valid": VALID, "blank": BLANK, "spoilt": SPOILT, "recounted": True}


def test_what_was_approved_is_given_without_the_spoilt_ballots(
    world: World, year: Balloting
) -> None:
    counted(world, year)
    with Session(world.engines["api"]) as session:
        cycle = session.get_one(Cycle, uuid.UUID(year.cycle["id"]))
        [source] = released_sources(session, cycle=cycle, contest="city")
        approvals = approvals_of(session, source)
    assert approvals == {tuple(year.references[:2]): VALID, (): BLANK}
    assert (source.valid, source.blank, source.spoilt, source.counted) == (
        VALID, BLANK, SPOILT, VALID + BLANK,
    )  # fmt: skip


def test_a_ballot_of_one_project_is_cast_counted_and_recounted_like_any_other(
    world: World, year: Balloting, tmp_path: Path
) -> None:
    [project] = year.projects(1)
    poll = year.open("citizens")
    for voter, paper in zip(year.citizens(6), [[project]] * 4 + [[]] * 2, strict=True):
        assert world.cast(poll, voter, paper).status_code == 201
    world.finish(poll)
    result = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    assert [option["votes"] for option in result["options"]] == [4]
    assert verified(tmp_path, world.make_bundle(poll))[0] == 0
