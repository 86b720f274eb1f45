"""The draw of 2023 over HTTP: 826 apply, 120 sit, 60 are in reserve, and a stranger repeats it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.base import utc_now
from mvote.budget.drawing.quotas import Quota
from mvote.people.declaring import declare
from tests.support import applicants as pool_of_2023
from tests.support.applicants import GU, RESERVES, SEATS, rule_of_2023
from tests.support.code import ROOT
from tests.support.committees import Hall, draw_by, let_days_pass
from tests.support.people import KnownAreas
from tests.support.world import World

YEAR = utc_now().year
BANDS = [
    {"value": "39 or younger", "min_age": None, "max_age": 39},
    {"value": "40 to 59", "min_age": 40, "max_age": 59},
    {"value": "60 or older", "min_age": 60, "max_age": None},
]
BORN = {"39 or younger": YEAR - 25, "40 to 59": YEAR - 50, "60 or older": YEAR - 70}
AREAS = KnownAreas(*([gu, "11"] for gu in GU))


def _as_json(quota: Quota) -> dict[str, Any]:
    category = "area" if quota.category == "gu" else quota.category
    return {
        "name": quota.name, "category": category, "values": list(quota.values),
        "min": quota.at_least, "max": quota.at_most,
    }  # fmt: skip


def targets() -> dict[str, Any]:
    """At most 6 of a gu; 1 : 1; 1 : 1 : 1; 15 % for three groups: as a city publishes it."""
    rule = rule_of_2023()
    return {
        "seats": rule.seats, "quotas": [_as_json(each) for each in rule.quotas],
        "reserves": rule.reserves,
        "reserve_quotas": [_as_json(each) for each in rule.reserve_quotas],
    }  # fmt: skip


def _apply(hall: Hall, committee: str) -> None:
    """Let the 826 apply, each of whom the account knows by gender, age and district."""
    pool = pool_of_2023.applicants()
    people = hall.world.citizens(len(pool))
    with Session(hall.world.engines["api"]) as session, transaction(session):
        for person, each in zip(people, pool, strict=True):
            [gu], [gender], [age] = (each.categories[name] for name in ("gu", "gender", "age"))
            known = {"home_area": gu, "gender": gender, "birth_year": BORN[age]}
            declare(session, citizen_id=person.id, values=known, areas=AREAS, now=utc_now())
    answers = [
        hall.apply(committee, person, declared={"group": list(each.categories["group"])})
        for person, each in zip(people, pool, strict=True)
    ]
    assert Counter(answer.status_code for answer in answers) == {201: len(pool)}


@pytest.fixture
def hall(world: World) -> Hall:
    return Hall(world)


def _counted(persons: list[dict[str, Any]], names: list[str], category: str) -> Counter[str]:
    drawn = set(names)
    return Counter(value for person in persons if person["pseudonym"] in drawn
                   for value in person["categories"][category])  # fmt: skip


def _files(hall: Hall, shown: dict[str, Any], folder: Path) -> None:
    for path in shown["draw"]["files"]:
        (folder / path.rpartition("/")[2]).write_bytes(hall.world.client.get(path).get_data())


def test_826_apply_and_120_are_drawn_with_60_in_reserve_by_the_quotas_of_the_year(
    hall: Hall, tmp_path: Path
) -> None:
    committee = str(hall.form(age_bands=BANDS, draw=draw_by(targets())).get_json()["id"])
    _apply(hall, committee)
    assert hall.show(committee)["draw"]["applicants"] == 826
    let_days_pass(hall.world, committee, 13)
    answer = hall.draw(committee, targets=targets())
    assert answer.status_code == 201, answer.get_data(as_text=True)
    shown = answer.get_json()
    members = [each["pseudonym"] for each in shown["seats"]]
    reserves = [each["pseudonym"] for each in shown["reserves"]]
    assert (len(members), len(reserves)) == (SEATS, RESERVES)
    _files(hall, shown, tmp_path)
    persons = hall.call("GET", f"committees/{committee}/draw/pool.json").get_json()["persons"]
    assert _counted(persons, members, "gender") == {"female": 60, "male": 60}
    assert set(_counted(persons, members, "age").values()) == {40}
    by_gu = _counted(persons, members, "area")
    assert max(by_gu[gu] for gu in GU) <= 6
    in_groups = {each["pseudonym"] for each in persons if each["categories"]["group"]}
    assert len(in_groups & set(members)) >= SEATS * 15 // 100
    script = ROOT / "docs" / "examples" / "repeat_draw.py"
    words = [sys.executable, str(script), str(tmp_path)]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == members + reserves
