"""The 826 who applied in 2023 as accounts, and that year's targets as a city publishes them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api.db import transaction
from mvote.base import utc_now
from mvote.budget.drawing.quotas import Quota
from mvote.people.declaring import declare
from tests.support import applicants as pool_of_2023
from tests.support.applicants import GU, rule_of_2023
from tests.support.people import KnownAreas
from tests.support.world import Person, World

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


def people_with_groups(world: World) -> list[tuple[Person, dict[str, list[str]]]]:
    """The 826, whom their accounts know by gender, age and district, and what each declares."""
    pool = pool_of_2023.applicants()
    people = world.citizens(len(pool))
    with Session(world.engines["api"]) as session, transaction(session):
        for person, each in zip(people, pool, strict=True):
            [gu], [gender], [age] = (each.categories[name] for name in ("gu", "gender", "age"))
            known = {"home_area": gu, "gender": gender, "birth_year": BORN[age]}
            declare(session, citizen_id=person.id, values=known, areas=AREAS, now=utc_now())
    groups = [{"group": list(each.categories["group"])} for each in pool]
    return list(zip(people, groups, strict=True))
