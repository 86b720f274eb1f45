"""The report of an election that was held elsewhere: as much of it as its file says."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from werkzeug.test import TestResponse

from mvote.budget.delivering.stages import STAGES
from tests.support.elections import imported
from tests.support.pb import pb_text
from tests.support.world import World

SMALL = pb_text({"a": "60.50", "b": 50, "c": 30}, ["a,b", "a,b", "a", "c"], 100, currency="PLN")


@pytest.fixture
def cycle(world: World) -> dict[str, Any]:
    return imported(world, SMALL)


def report(world: World, cycle: dict[str, Any], accept: str = "application/json") -> TestResponse:
    path = f"/v1/cycles/{cycle['id']}/report"
    answer = world.client.get(path, headers={"Accept": accept})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer


def test_projects_are_counted_from_the_vote_to_the_money(
    world: World, cycle: dict[str, Any]
) -> None:
    found = report(world, cycle).get_json()
    assert (found["currency"], found["budget_limit"]) == ("PLN", 10_000)
    assert found["by_state"] == {"funded": 2, "not_funded": 1}
    stages = found["total"]["stages"]
    assert set(stages) == set(STAGES)
    assert stages["voted"] == {"projects": 3, "amount": 14_050}
    assert stages["funded"] == {"projects": 2, "amount": 9_050}
    for later in ("assessed", "enacted", "delivered"):
        assert stages[later] == {"projects": 0, "amount": 0}
    assert found["by_heading"] == []


def test_each_project_stands_in_the_sheet_with_its_votes(
    world: World, cycle: dict[str, Any]
) -> None:
    sheet = report(world, cycle, "text/csv").get_data(as_text=True).lstrip("\ufeff")
    rows = {row["reference"]: row for row in csv.DictReader(io.StringIO(sheet))}
    assert [*rows] == ["a", "b", "c"]
    assert [rows[each]["state"] for each in rows] == ["funded", "not_funded", "funded"]
    assert [rows[each]["funded_amount"] for each in rows] == ["6050", "", "3000"]
    assert ["3" in rows["a"]["votes"], "2" in rows["b"]["votes"]] == [True, True]


def test_the_map_has_features_without_a_place(world: World, cycle: dict[str, Any]) -> None:
    features = report(world, cycle, "application/geo+json").get_json(force=True)["features"]
    assert [(each["id"], each["geometry"]) for each in features] == [
        ("a", None), ("b", None), ("c", None),
    ]  # fmt: skip


def test_a_long_one_is_whole(world: World) -> None:
    projects = {f"p{n}": 1 for n in range(620)}
    long = imported(world, pb_text(projects, ["p0"], 100, currency="PLN"))
    found = report(world, long).get_json()
    assert found["total"]["stages"]["voted"]["projects"] == 620
