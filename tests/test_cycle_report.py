"""The report of a cycle: all that is public of how far its proposals came, and nothing else."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.budget import reports
from mvote.budget.delivering.stages import STAGES, reached
from mvote.budget.proposal import STATES
from tests.support.delivering import FUNDED, enacted, on_the_ballot, say, walk
from tests.support.places import add_area, box, polygon
from tests.support.proposals import Town, refused
from tests.support.world import World

HERE = {"lat": 37.5663, "lon": 126.9779}
BOTH = polygon(box(126.98, 37.55, 127.02, 37.56))
VOTES = {"citizens": 12, "committee": 3}


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle."""
    return Town(world)


def ask(town: Town, accept: str = "application/json", cycle_id: str | None = None) -> TestResponse:
    path = f"/v1/cycles/{cycle_id or town.cycle_id}/report"
    return town.world.client.get(path, headers={"Accept": accept})


def sheet(town: Town) -> list[dict[str, str]]:
    """The rows of the CSV."""
    answer = ask(town, "text/csv")
    assert answer.status_code == 200
    content = answer.get_data()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def counts(found: dict[str, Any]) -> dict[str, int]:
    return {stage: found["stages"][stage]["projects"] for stage in STAGES}


def allocate(town: Town, reference: str) -> None:
    """Let a contest be allocated, as it is once all its sources are released."""
    project = {"reference": reference, "votes": VOTES}
    document = {"binding": {"rule": "greedy", "funded": [], "projects": [project]}}
    with psycopg.connect(town.world.admin_url) as connection:
        connection.execute(
            "INSERT INTO cycle_allocation (cycle_id, contest, n, document, allocated_at)"
            " VALUES (%s, 'city', 0, %s, now())",
            [town.cycle_id, Jsonb(document)],
        )


def test_each_proposal_is_counted_in_every_stage_that_it_came_through(town: Town) -> None:
    author, (officer,) = town.author(), town.officers(1)
    town.draft(author)  # nobody knows of it
    town.submitted(author)
    on_the_ballot(town, author)
    walk(town, on_the_ballot(town, author), "funded", "dropped")
    built = enacted(town, author, officer)
    done = {"percent": 100, "spent": 5_000_000, "milestones": []}
    assert say(town, built, officer, **done).status_code == 201
    report = ask(town).get_json()
    assert counts(report["total"]) == {
        "proposed": 4, "assessed": 0, "approved": 3, "voted": 3, "funded": 2, "enacted": 1,
        "delivered": 1,
    }  # fmt: skip
    assert report["total"]["stages"]["proposed"]["amount"] == 4 * 6_000_000
    assert report["total"]["stages"]["funded"]["amount"] == 2 * FUNDED
    assert report["total"]["stages"]["enacted"]["amount"] == FUNDED
    assert report["total"]["spent"] == 5_000_000
    assert report["by_state"] == {"submitted": 1, "on_ballot": 1, "enacted": 1, "dropped": 1}


def test_money_is_as_it_was_assessed_once_two_officers_have_said_so(town: Town) -> None:
    first, second = town.officers()
    proposal = town.submitted(town.author())
    town.assess(proposal, first)
    (row,) = sheet(town)
    assert (row["amount"], row["assessed_amount"], row["assessed"]) == ("6000000", "", "no")
    town.assess(proposal, second)
    (row,) = sheet(town)
    assert (row["amount"], row["assessed_amount"], row["assessed"]) == ("6000000", "5500000", "yes")
    stages = ask(town).get_json()["total"]["stages"]
    assert stages["proposed"]["amount"] == 6_000_000
    assert stages["assessed"]["amount"] == 5_500_000


def test_a_heading_holds_all_beneath_it_and_a_project_counts_in_each_of_its_districts(
    town: Town, owner: Session
) -> None:
    add_area(owner, "11110", polygon(box(126.9, 37.5, 127.0, 37.6)))
    add_area(owner, "11140", polygon(box(127.0, 37.5, 127.1, 37.6)))
    author = town.author()
    town.submitted(author, heading="parks", places=[HERE])
    town.submitted(author, heading="local", places=[BOTH])
    report = ask(town).get_json()
    headings = {each["heading"]: counts(each)["proposed"] for each in report["by_heading"]}
    assert headings == {"city": 1, "parks": 1, "local": 1}
    districts = {each["area_code"]: counts(each)["proposed"] for each in report["by_district"]}
    assert districts == {"11110": 2, "11140": 1}
    assert report["by_district"][0]["name"]["en"] == "District 11110"


def test_the_map_shows_each_proposal_with_what_became_of_it(town: Town) -> None:
    author = town.author()
    there = town.submitted(author, places=[HERE])
    nowhere = town.submitted(author)
    answer = ask(town, "application/geo+json")
    assert answer.mimetype == "application/geo+json"
    found = {each["id"]: each for each in json.loads(answer.get_data())["features"]}
    assert found[there["id"]]["geometry"] == {"type": "Point", "coordinates": [126.9779, 37.5663]}
    assert found[nowhere["id"]]["geometry"] is None
    assert found[there["id"]]["properties"]["stages"] == ["proposed"]


def test_a_long_report_is_read_in_portions_and_lacks_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "AT_ONCE", 2)
    author = town.author()
    made = [town.submitted(author)["reference"] for _ in range(4)]
    assert [row["reference"] for row in sheet(town)] == made
    features = json.loads(ask(town, "application/geo+json").get_data())["features"]
    assert [each["properties"]["reference"] for each in features] == made
    assert counts(ask(town).get_json()["total"])["proposed"] == 4


def test_votes_stand_in_it_once_they_are_released_and_never_before(town: Town) -> None:
    proposal = on_the_ballot(town, town.author())
    poll = town.world.open_poll(
        question={
            "text": "무엇을 할까요?",
            "kind": "single",
            "options": [{"key": proposal["reference"], "title": "그늘막"},
                        {"key": "other", "title": "다른 사업"}],
        },
        publish_from=2,
    )  # fmt: skip
    for voter in town.world.citizens(3):
        assert town.world.cast(poll, voter, [proposal["reference"]]).status_code == 201
    town.world.finish(poll)  # one source is counted, another may still be open
    forms = ("application/json", "text/csv", "application/geo+json")
    (row,) = sheet(town)
    assert row["votes"] == ""
    assert all(b"citizens" not in ask(town, each).get_data() for each in forms)
    allocate(town, proposal["reference"])
    (row,) = sheet(town)
    assert row["votes"] == "citizens 12; committee 3"
    (feature,) = json.loads(ask(town, forms[2]).get_data())["features"]
    assert feature["properties"]["votes"] == VOTES


def test_nothing_of_its_people_stands_in_it(town: Town) -> None:
    author, supporter = town.author(), town.author()
    proposal = town.submitted(author, contact="저녁에 010-9999-8888")
    path = f"/v1/proposals/{proposal['id']}/support"
    assert town.world.client.put(path, headers=supporter.headers).status_code == 200
    for form in ("application/json", "text/csv", "application/geo+json"):
        content = ask(town, form).get_data(as_text=True)
        for private in (str(author.id), str(supporter.id), "9999"):
            assert private not in content


@pytest.mark.parametrize("title", ["=1+2", "+cmd", "-3", "@sum", "＝1", "  =1", "a\n=1"])
def test_no_title_is_a_formula_to_a_spreadsheet(town: Town, title: str) -> None:
    town.submitted(town.author(), title=title)
    (row,) = sheet(town)
    written = row["title_ko"].lstrip(" ")
    assert not written.startswith(("=", "+", "-", "@", "＝"))
    assert written.lstrip("'").strip() == title.strip()


def test_a_report_is_refused_where_there_is_none(town: Town) -> None:
    nowhere = "0192a0a0-0000-7000-8000-000000000000"
    assert refused(ask(town, cycle_id=nowhere)) == (404, "not-found")
    assert refused(ask(town, "image/png")) == (406, "not-acceptable")


def test_who_has_the_report_is_told_so(town: Town) -> None:
    town.submitted(town.author())
    tag = ask(town).headers["ETag"]
    path = f"/v1/cycles/{town.cycle_id}/report"
    again = town.world.client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.get_data()) == (304, b"")


def test_the_stages_of_every_state_are_a_way_without_a_gap_but_for_assessing() -> None:
    """What is enacted was funded, what was funded was voted on, and so forth."""
    for state in STATES:
        stages = reached(state, is_assessed=True, percent=None)
        assert stages == STAGES[: len(stages)]
    assert reached("enacted", is_assessed=True, percent=100) == STAGES
