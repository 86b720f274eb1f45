"""Places that are none, and options that look alike."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.bodies import POLL
from tests.support.hostile import both, check_problem
from tests.support.world import GWANGHWAMUN, World, position, question


def square(*corners: tuple[Any, Any], kind: str = "Polygon") -> dict[str, Any]:
    ring = [list(corner) for corner in corners]
    rings = [ring] if kind == "Polygon" else [[ring]]
    return {"type": kind, "coordinates": rings}


A, B, C, D = (126.97, 37.56), (126.98, 37.56), (126.98, 37.57), (126.97, 37.57)
GOOD = square(A, B, C, D, A)
BROKEN = {
    "no ring": {"type": "Polygon", "coordinates": []},
    "an open ring": square(A, B, C, D),
    "a ring of three": square(A, B, A),
    "a bow tie": square(A, C, B, D, A),
    "a line back and forth": square(A, B, C, B, A),
    "a point four times": square(A, A, A, A),
    "latitude and longitude swapped": square(*[(lat, lon) for lon, lat in (A, B, C, D, A)]),
    "metres": square((14135000, 4518000), (14136000, 4518000), (14136000, 4519000),
                     (14135000, 4518000)),
    "texts for numbers": square(*[(str(x), str(y)) for x, y in (A, B, C, D, A)]),
    "nothing for numbers": square((None, None), B, C, D, (None, None)),
    "truth for numbers": square((True, False), B, C, D, (True, False)),
    "too great numbers": square((1e308, 1e308), B, C, D, (1e308, 1e308)),
    "a point": {"type": "Point", "coordinates": list(A)},
    "a collection": {"type": "GeometryCollection", "geometries": [GOOD]},
    "a feature": {"type": "Feature", "geometry": GOOD, "properties": {}},
    "another system": GOOD | {"crs": {"type": "name", "properties": {"name": "EPSG:5179"}}},
    "half the world": square((-170, -80), (170, -80), (170, 80), (-170, 80), (-170, -80)),
    "depth": {"type": "Polygon", "coordinates": [[[[[[[]]]]]]]},
    "a text": {"type": "Polygon", "coordinates": "POLYGON((0 0, 1 1, 0 1, 0 0))"},
    "a foreign member with NUL": GOOD | {"note": "a\u0000b"},
    "an unknown member": GOOD | {"note": "x"},
    "a member for the circle": {"center": GWANGHWAMUN, "radius_m": 100, "note": "x"},
    "a circle of nothing": {"center": GWANGHWAMUN, "radius_m": 0},
    "a circle as wide as a country": {"center": GWANGHWAMUN, "radius_m": 1e6},
    "a circle beyond the pole": {"center": {"lat": 91, "lon": 0}, "radius_m": 100},
    "a member named with NUL": GOOD | {"a\u0000b": 1},
    "NUL in the depth": GOOD | {"crs": {"type": "\u0000", "properties": {"name": "EPSG:4326"}}},
    "a box that is none": GOOD | {"bbox": ["\u0000"]},
    "a code with NUL": {"area_code": "\u0000"},
    "a code that is none": {"area_code": "nowhere"},
    "a code as a list": {"area_code": ["11110"]},
}  # fmt: skip


def test_an_area_that_is_none_is_refused_by_its_place(
    untouched: World, caller: dict[str, str]
) -> None:
    for name, area in BROKEN.items():
        body = POLL | {"presence": {"rule": "area", "area": area}}
        answer = both(
            untouched, "POST", "/v1/polls", 422, "invalid-request", json=body, headers=caller
        )
        for fault in answer.get_json()["errors"]:
            assert fault["pointer"].startswith("/presence/area"), name


def test_the_area_that_the_broken_ones_are_made_of_is_taken(
    world: World, caller: dict[str, str]
) -> None:
    for area in (GOOD, square(A, B, C, D, A, kind="MultiPolygon")):
        body = POLL | {"presence": {"rule": "area", "area": area}}
        assert world.client.post("/v1/polls", json=body, headers=caller).status_code == 201


@pytest.mark.parametrize(
    "change", [{"lat": 126.97, "lon": 37.57}, {"accuracy_m": 0}, {"accuracy_m": -1}, {"lat": 91}]
)
def test_a_position_that_is_none_is_refused(untouched: World, change: dict[str, Any]) -> None:
    body = {"position": position(**GWANGHWAMUN) | change}
    both(untouched, "POST", "/v1/polls/nearby", 422, "invalid-request", json=body)


@pytest.mark.parametrize(
    ("one", "other"),
    [("찬성", "찬성 "), ("Yes", "yes"), ("Yes", "Ｙｅｓ"), ("fi", "ﬁ"), ("찬성", "찬성"),
     ("찬 성", "찬\u00a0성"), ("1", "①"), ("Straße", "STRASSE")],
)  # fmt: skip
def test_options_that_look_alike_hinder_the_opening(world: World, one: str, other: str) -> None:
    author = world.officer()
    options = [{"key": "a", "title": one}, {"key": "b", "title": other}]
    draft = world.draft(author, question=question() | {"options": options})
    answer = world.client.post(f"/v1/polls/{draft['id']}/open", headers=author.headers)
    problem = check_problem(answer, 409, "not-ready-to-open", "ko")
    assert [each["code"] for each in problem["hindrances"]] == ["options-look-alike"]
