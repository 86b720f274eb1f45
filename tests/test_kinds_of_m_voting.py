"""Every kind of poll that M-Voting had, over HTTP, from its creation to the published result.

Each row of the table is one entry of `KINDS`: who is asked, where one must stand, what a voter
shows, and who is kept out by what.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from mvote.base import utc_now
from tests.support.kinds import (
    CHOICES,
    Body,
    Kind,
    Outsider,
    Scene,
    at_the_poster,
    at_the_screen,
    in_the_room_at_the_poster,
    near,
    password,
    with_a_slip,
    wrong_password,
)
from tests.support.places import add_area, polygon, square_around
from tests.support.rolls import opened
from tests.support.rooms import PASSWORD, looked_up
from tests.support.sites import AT_SITE
from tests.support.world import GWANGHWAMUN, World, question
from verifier.mvote_verify import main as verify

JONGNO, JUNG = "11110", "11140"
SEOUL_STATION = {"lat": 37.5547, "lon": 126.9707}  # 2 km from the square
TEACHER = {
    "birth_year": utc_now().year - 45,
    "home_area": JONGNO,
    "occupation": "teacher",
    "gender": "female",
}


def asks(**eligibility: Any) -> Body:
    return {"eligibility": eligibility}


def within(**area: Any) -> Body:
    return {"presence": {"rule": "area", "area": area}}


def other(**facts: Any) -> Outsider:
    """A teacher of Jongno, but for one fact."""
    return Outsider(refusal="not-eligible", facts=TEACHER | facts)


ELSEWHERE = Outsider(refusal="outside-area", shows=near(SEOUL_STATION))
ABSENT = Outsider(refusal="presence-required")
UNLISTED = Outsider(refusal="not-eligible", shows=at_the_poster)
ROOM = {"room_password": PASSWORD}

KINDS: dict[str, Kind] = {
    "open to all: Seoul asks": Kind(),
    "open to all: we ask each other": Kind(by_a_citizen=True),
    "specific people: by age, address, job and gender": Kind(
        content=asks(
            areas=[JONGNO], min_age=40, max_age=59, occupations=["teacher"], genders=["female"]
        ),
        facts=TEACHER,
        kept_out=(
            other(birth_year=utc_now().year - 30),
            other(birth_year=utc_now().year - 70),
            other(home_area=JUNG),
            other(occupation="nurse"),
            other(gender="male"),
            Outsider(refusal="not-eligible"),
        ),
    ),
    "specific people: who live or work there": Kind(
        content=asks(areas=[JONGNO], area_basis=["home", "work"]),
        facts={"home_area": JUNG, "work_area": JONGNO},
        kept_out=(Outsider(refusal="not-eligible", facts={"home_area": JUNG, "work_area": JUNG}),),
    ),
    "specific people: a list of phone numbers from a spreadsheet": Kind(
        content=asks(roll=True), kept_out=(Outsider(refusal="not-eligible"),)
    ),
    "on site, outdoors: within 1 km of Gwanghwamun Square": Kind(
        content=within(center=GWANGHWAMUN, radius_m=1000),
        shows=near(GWANGHWAMUN),
        kept_out=(ELSEWHERE, ABSENT),
    ),
    "on site, outdoors: a district": Kind(
        content=within(area_code=JONGNO), shows=near(GWANGHWAMUN), kept_out=(ELSEWHERE, ABSENT)
    ),
    "on site, outdoors: of specific people": Kind(
        content=within(area_code=JONGNO) | asks(min_age=19),
        facts=TEACHER,
        shows=near(GWANGHWAMUN),
        kept_out=(
            Outsider(refusal="not-eligible", shows=near(GWANGHWAMUN)),
            Outsider(refusal="outside-area", facts=TEACHER, shows=near(SEOUL_STATION)),
        ),
    ),
    "on site, indoors: by its poster": Kind(
        content={"presence": AT_SITE}, shows=at_the_poster, kept_out=(ABSENT,)
    ),
    "on site, indoors: by the screen there": Kind(
        content={"presence": AT_SITE}, shows=at_the_screen, kept_out=(ABSENT,)
    ),
    "on site, indoors: by a steward's slip": Kind(
        content={"presence": AT_SITE}, shows=with_a_slip, kept_out=(ABSENT,)
    ),
    "on site, indoors: of those on a list": Kind(
        content={"presence": AT_SITE} | asks(roll=True), shows=at_the_poster, kept_out=(UNLISTED,)
    ),
    "private room": Kind(
        content=ROOM,
        shows=password,
        kept_out=(
            Outsider(refusal="not-eligible"),
            Outsider(refusal="not-eligible", shows=wrong_password),
        ),
    ),
    "private room at a site": Kind(
        content=ROOM | {"presence": AT_SITE},
        shows=in_the_room_at_the_poster,
        kept_out=(Outsider(refusal="presence-required", shows=password),),
    ),
}
BALLOTS: dict[str, tuple[Body, list[list[Any]], dict[str, int]]] = {
    "single": ({}, [["a"], ["a"], ["c"]], {"a": 2, "b": 0, "c": 1}),
    "multiple": ({"max_selections": 2}, [["a", "b"], ["a"], ["c"]], {"a": 2, "b": 1, "c": 1}),
    "ranking": (
        {"method": "borda"}, [["a", "b", "c"], ["b", "a", "c"], ["a", "c", "b"]],
        {"a": 5, "b": 3, "c": 1},
    ),
    "points": (
        {"points": 10},
        [[{"key": "a", "points": 7}, {"key": "b", "points": 3}], [{"key": "c", "points": 10}], []],
        {"a": 7, "b": 3, "c": 10},
    ),
}  # fmt: skip


@pytest.fixture
def scene(world: World, owner: Session) -> Scene:
    add_area(owner, JONGNO, polygon(square_around(**GWANGHWAMUN, half_m=1_200)))
    add_area(owner, JUNG, polygon(square_around(**SEOUL_STATION, half_m=500)))
    return Scene(world)


def keep_out(scene: Scene, outsider: Outsider) -> None:
    """Refuse somebody: the same answer when they ask and when they try, and nothing is written."""
    world, who = scene.world, scene.somebody(outsider.facts)
    shown = outsider.shows(scene, who)
    before = world.count("participation"), world.count("envelope")
    refused = world.cast(scene.poll, who, ["yes"], **shown)
    assert (refused.get_json()["code"], refused.status_code >= 400) == (outsider.refusal, True)
    asked = world.client.post(
        f"/v1/polls/{scene.poll['id']}/eligibility", json=shown, headers=who.headers
    ).get_json()
    codes = [each["code"] for each in asked["reasons"]] if "reasons" in asked else [asked["code"]]
    assert outsider.refusal in codes
    assert (world.count("participation"), world.count("envelope")) == before


def result_of(scene: Scene, tmp_path: Path) -> Body:
    """The published result, once the bundle has been counted again by the verifier."""
    world, headers = scene.world, scene.room_pass()
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(world.make_bundle(scene.poll, headers))
    assert verify([str(bundle)]) == 0
    answer = world.client.get(f"/v1/polls/{scene.poll['id']}/results", headers=headers)
    assert answer.status_code == 200
    return dict(answer.get_json())


@pytest.mark.parametrize("row", KINDS)
def test_a_poll_of_every_kind_goes_from_its_creation_to_a_published_result(
    scene: Scene, tmp_path: Path, row: str
) -> None:
    kind = KINDS[row]
    world, poll = scene.world, scene.draft(kind)
    opened(world, poll, scene.author)
    scene.poll = poll
    for outsider in kind.kept_out:
        keep_out(scene, outsider)
    for voter, choice in zip(scene.voters(), CHOICES, strict=True):
        shown = kind.shows(scene, voter)
        cast = world.cast(poll, voter, [choice], **shown)
        assert cast.status_code == 201, cast.get_data(as_text=True)
        again = world.cast(poll, voter, ["no"], **shown)
        assert (again.status_code, again.get_json()["code"]) == (409, "already-voted")
    early = world.client.get(f"/v1/polls/{poll['id']}/results", headers=scene.room_pass())
    assert (early.status_code, early.get_json()["code"]) == (409, "results-not-available")
    world.finish(poll)
    result = result_of(scene, tmp_path)
    assert {each["key"]: each["votes"] for each in result["options"]} == {"yes": 2, "no": 1}
    assert (result["turnout"]["ballots"], result["winners"]) == (3, ["yes"])
    assert result["turnout"].get("roll") == (3 if kind.listed else None)


@pytest.mark.parametrize("ballot", BALLOTS)
def test_every_kind_of_ballot_is_cast_counted_and_published(
    scene: Scene, tmp_path: Path, ballot: str
) -> None:
    more, papers, votes = BALLOTS[ballot]
    asked = question("a", "b", "c", **{"min_selections": 0} | more | {"kind": ballot})
    scene.poll = scene.draft(Kind(content={"question": asked}))
    opened(scene.world, scene.poll, scene.author)
    for voter, paper in zip(scene.voters(), papers, strict=True):
        assert scene.world.cast(scene.poll, voter, paper).status_code == 201
    scene.world.finish(scene.poll)
    result = result_of(scene, tmp_path)
    assert {each["key"]: each["votes"] for each in result["options"]} == votes
    assert result["turnout"]["blank"] == papers.count([])


@pytest.mark.parametrize(
    "row", [row for row, kind in KINDS.items() if "room_password" in kind.content]
)
def test_a_private_room_is_found_by_number_and_password_alone(scene: Scene, row: str) -> None:
    world = scene.world
    scene.poll = scene.draft(KINDS[row])
    opened(world, scene.poll, scene.author)
    stranger = world.citizen()
    listed = world.client.get("/v1/polls").get_json()["items"]
    assert scene.poll["id"] not in [each["id"] for each in listed]
    assert world.client.get(f"/v1/polls/{scene.poll['id']}").status_code == 404
    wrong = looked_up(world, stranger, scene.poll["room_number"], "아닌 것 같은 비밀번호")
    assert (wrong.status_code, wrong.get_json()["code"]) == (404, "not-found")
    found = looked_up(world, stranger, scene.poll["room_number"])
    assert (found.status_code, found.get_json()["id"]) == (200, scene.poll["id"])
