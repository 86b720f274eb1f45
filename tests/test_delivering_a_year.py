"""A year from the vote to what was built, by its own routes: who hears what, and when."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.budget.telling.telling import tell
from tests.support.deciding import WHY, Council, held
from tests.support.delivering import UPDATE
from tests.support.world import Person, World


@pytest.fixture
def year(world: World) -> Council:
    """Five projects, of which 40 + 30 + 10 fit into 80; voted on and counted, not allocated."""
    return held(world)


def let_keeper_tell(world: World) -> None:
    with Session(world.engines["api"]) as session, transaction(session):
        tell(session)


def rows(year: Council) -> dict[str, dict[str, str]]:
    """The report's sheet, by reference."""
    path = f"/v1/cycles/{year.cycle['id']}/report"
    answer = year.world.client.get(path, headers={"Accept": "text/csv"})
    assert answer.status_code == 200
    sheet = csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig")))
    return {row["reference"]: row for row in sheet}


def report(year: Council) -> dict[str, Any]:
    answer = year.of_cycle("GET", "report")
    assert answer.status_code == 200
    return dict(answer.get_json())


def heard(world: World, person: Person) -> list[tuple[str, int]]:
    """What somebody was told, oldest first: the kind, and of how many projects."""
    items = world.client.get("/v1/me/inbox", headers=person.headers).get_json()["items"]
    return [(each["kind"], len(each["references"])) for each in reversed(items)]


def test_votes_stand_in_the_report_with_the_allocation_and_not_before(year: Council) -> None:
    first = year.references[0]
    assert {row["votes"] for row in rows(year).values()} == {""}
    year.allocated()
    assert rows(year)[first]["votes"] == "citizens 5"
    assert rows(year)[first]["funded_amount"] == ""  # the plenary has not spoken
    year.carried()
    assert rows(year)[first]["funded_amount"] == "40"


def test_money_goes_into_the_report_as_it_was_given_cut_and_dropped(year: Council) -> None:
    first, second, third, fourth, fifth = year.references
    year.allocated()
    year.carried()
    year.enact(first, 35, text=WHY)
    year.enact(fifth, 10)
    year.enact(second, 0, text=WHY)  # the fourth moves up
    sheet = rows(year)
    given = {each: (sheet[each]["state"], sheet[each]["enacted_amount"]) for each in sheet}
    assert given == {
        first: ("reduced", "35"), second: ("dropped", "0"), third: ("reserve", ""),
        fourth: ("funded", ""), fifth: ("enacted", "10"),
    }  # fmt: skip
    assert sheet[fourth]["funded_amount"] == "20"
    stages = report(year)["total"]["stages"]
    assert stages["funded"] == {"projects": 4, "amount": 40 + 30 + 20 + 10}
    assert stages["enacted"] == {"projects": 2, "amount": 35 + 10}


def test_who_follows_hears_of_each_step_once_and_of_all_its_projects_together(
    world: World, year: Council
) -> None:
    follower = world.citizen()
    path = f"cycles/{year.cycle['id']}/follow"
    assert year.call("PUT", path, follower).status_code == 200
    let_keeper_tell(world)
    year.allocated()
    year.carried()
    let_keeper_tell(world)
    year.enact(year.references[0], 40)
    let_keeper_tell(world)
    assert heard(world, follower) == [("on_ballot", 5), ("funded", 3), ("enacted", 1)]


def test_a_department_delivers_what_the_council_gave(world: World, year: Council) -> None:
    first = year.references[0]
    year.allocated()
    year.carried()
    year.enact(first, 40)
    path = f"proposals/{year.proposal_id(first)}/updates"
    done = UPDATE | {"percent": 100, "spent": 38, "milestones": []}
    assert year.call("POST", path, year.officer, **done).status_code == 201
    (listed,) = year.of_cycle("GET", "delivery").get_json()["items"]
    assert (listed["amount"], listed["spent"], listed["percent"]) == (40, 38, 100)
    total = report(year)["total"]
    assert total["stages"]["delivered"] == {"projects": 1, "amount": 40}
    assert total["spent"] == 38


def test_the_catalogue_of_a_year_is_there_from_the_ballot_to_the_end(year: Council) -> None:
    catalogue = year.of_cycle("GET", "catalogue.pdf")
    assert (catalogue.status_code, catalogue.mimetype) == (200, "application/pdf")
    year.allocated()
    year.carried()
    assert year.of_cycle("GET", "catalogue.pdf").get_data() == catalogue.get_data()
