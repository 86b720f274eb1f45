"""What an author may draw as a poll's area, how it is refused, and how it is described."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geo.drawing import described, narrow, save
from geo.geofence import Geofence
from geo.geojson import Flaw, check_crs, read_geometry, write_geometry
from mvote.base import new_id
from mvote.errors import InvalidRequest
from tests.support.places import (
    CITY_HALL,
    add_area,
    at,
    box,
    circle,
    fenced,
    judged,
    polygon,
    ring,
    square_around,
)

SQUARE = box(126.9, 37.5, 127.0, 37.6)
BOW_TIE = ring((126.9, 37.5), (127.0, 37.6), (127.0, 37.5), (126.9, 37.6))
A_TEXT: Any = ["127", 37]
SURROGATE = json.loads('"\\ud800"')


def many_corners(count: int) -> list[list[float]]:
    """A ring of *count* positions."""
    turns = [2 * math.pi * n / (count - 1) for n in range(count - 1)]
    return ring(*[(127 + math.cos(turn) / 10, 37 + math.sin(turn) / 10) for turn in turns])


REFUSED: list[tuple[Any, str, str]] = [
    ({}, "", "Give"),
    ([], "", "Give"),
    ("11110", "", "Give"),
    ({"center": {"lat": 37.5, "lon": 127}}, "", "Give"),
    (circle(37.5, 127, 100) | {"area_code": "11"}, "", "Give"),
    ({"center": [37.5, 127], "radius_m": 100}, "/center", "exactly"),
    ({"center": {"lat": 37.5, "lon": 127, "z": 1}, "radius_m": 100}, "/center", "exactly"),
    (circle(90.1, 127, 100), "/center/lat", "from -90 to 90"),
    (circle(127.0, 37.5, 100), "/center/lat", "from -90 to 90"),
    (circle(37.5, 180.1, 100), "/center/lon", "from -180"),
    (circle(37.5, 127, 9.99), "/radius_m", "from 10"),
    (circle(37.5, 127, 100_001), "/radius_m", "from 10"),
    (circle(37.5, math.nan, 100), "/center/lon", "finite"),
    ({"center": {"lat": "37.5", "lon": 127}, "radius_m": 100}, "/center/lat", "finite"),
    ({"center": {"lat": True, "lon": 127}, "radius_m": 100}, "/center/lat", "finite"),
    ({"center": {"lat": 10**400, "lon": 127}, "radius_m": 100}, "/center/lat", "finite"),
    ({"area_code": "99999"}, "/area_code", "no such area"),
    ({"area_code": 11110}, "/area_code", "code of an area"),
    ({"area_code": "1\x00"}, "/area_code", "code of an area"),
    ({"area_code": SURROGATE}, "/area_code", "code of an area"),
    ({"type": "Point", "coordinates": [127, 37.5]}, "/type", "Only Polygon"),
    ({"type": "GeometryCollection", "geometries": []}, "/type", "Only Polygon"),
    ({"type": ["Polygon"], "coordinates": []}, "/type", "Only Polygon"),
    ({"type": "Polygon"}, "/coordinates", "list"),
    ({"type": "Polygon", "coordinates": []}, "/coordinates", "something"),
    ({"type": "MultiPolygon", "coordinates": [[]]}, "/coordinates/0", "something"),
    ({"type": "MultiPolygon", "coordinates": [SQUARE]}, "/coordinates/0/0", "four"),
    (polygon(SQUARE[:3]), "/coordinates/0", "at least four"),
    (polygon(SQUARE[:4]), "/coordinates/0", "end where it begins"),
    (polygon([*SQUARE[:2], [126.9], *SQUARE[3:]]), "/coordinates/0/2", "two finite numbers"),
    (polygon([*SQUARE[:2], [1, 2, 3, 4], *SQUARE[3:]]), "/coordinates/0/2", "two finite"),
    (polygon([*SQUARE[:2], [math.inf, 37], *SQUARE[3:]]), "/coordinates/0/2", "two finite"),
    (polygon([*SQUARE[:2], A_TEXT, *SQUARE[3:]]), "/coordinates/0/2", "two finite"),
    (polygon([[lat, lon] for lon, lat in SQUARE]), "/coordinates/0/0", "swapped"),
    (polygon(box(953_000, 1_952_000, 954_000, 1_953_000)), "/coordinates/0/0", "metres"),
    (polygon(box(170, 37, 190, 38)), "/coordinates/0/1", "beyond 180"),
    (polygon(box(124, 37, 129.1, 38)), "/coordinates", "spans more than 5"),
    (polygon(many_corners(1_002)), "/coordinates/0", "more than 1,000 vertices"),
    (polygon(BOW_TIE), "", "Self-intersection, at longitude 126.95, latitude 37.55"),
    (polygon(SQUARE, box(127.1, 37.5, 127.2, 37.6)), "", "Hole lies outside shell, at longitude"),
    (polygon([[127, 37.5]] * 5), "", "at longitude 127"),
    (
        polygon(SQUARE) | {"crs": {"type": "name", "properties": {"name": "EPSG:5179"}}},
        "/crs",
        "EPSG:5179; only WGS 84",
    ),
]


@pytest.mark.parametrize(("area", "pointer", "detail"), REFUSED)
def test_a_bad_area_is_refused_with_its_place_and_nothing_is_kept(
    session: Session, area: Any, pointer: str, detail: str
) -> None:
    poll_id = new_id()
    with pytest.raises(InvalidRequest) as refused:
        save(session, poll_id=poll_id, area=area)
    [fault] = refused.value.faults
    assert fault.pointer == f"/presence/area{pointer}"
    assert detail in fault.detail
    assert session.get(Geofence, poll_id) is None


def test_a_refused_area_leaves_the_one_before(session: Session) -> None:
    poll_id = fenced(session, circle(*CITY_HALL, 100))
    with pytest.raises(InvalidRequest):
        save(session, poll_id=poll_id, area=polygon(BOW_TIE))
    before = described(session, poll_id)
    assert before is not None
    assert before["kind"] == "circle"


def test_swapped_coordinates_are_noticed_where_both_would_be_possible(
    session: Session, owner: Session
) -> None:
    add_area(owner, "75056", polygon(box(2.2, 48.8, 2.5, 48.9)))
    inside = box(2.3, 48.84, 2.4, 48.86)
    save(session, poll_id=new_id(), area=polygon(inside))
    with pytest.raises(InvalidRequest) as refused:
        save(session, poll_id=new_id(), area=polygon([[lat, lon] for lon, lat in inside]))
    assert "swapped" in refused.value.faults[0].detail
    save(session, poll_id=new_id(), area=polygon(box(13.3, 52.4, 13.5, 52.6)))  # another city


def test_the_newest_area_of_a_draft_counts_and_none_is_possible(session: Session) -> None:
    poll_id = fenced(session, circle(*CITY_HALL, 100))
    save(session, poll_id=poll_id, area=polygon(SQUARE), max_accuracy_m=50)
    drawn = described(session, poll_id)
    assert drawn == {
        "kind": "polygon",
        "geometry": polygon(SQUARE),
        "max_accuracy_m": 50.0,
    }
    save(session, poll_id=poll_id, area=None)
    assert described(session, poll_id) is None
    assert session.scalar(select(func.count()).select_from(Geofence)) == 0


def test_altitudes_are_dropped(session: Session) -> None:
    poll_id = fenced(session, polygon([[lon, lat, 38.5] for lon, lat in SQUARE]))
    assert described(session, poll_id) == {
        "kind": "polygon",
        "geometry": polygon(SQUARE),
        "max_accuracy_m": 100.0,
    }


def test_a_circle_is_described_with_its_exact_numbers(session: Session) -> None:
    area = circle(37.123456789012345, 126.98765432109876, 1_000 / 3)
    assert described(session, fenced(session, area)) == {
        "kind": "circle",
        "max_accuracy_m": 100.0,
        **area,
    }


def test_an_area_of_the_city_is_described_by_its_version(session: Session, owner: Session) -> None:
    shape = polygon(SQUARE)
    add_area(owner, "77", shape)
    assert described(session, fenced(session, {"area_code": "77"})) == {
        "kind": "area",
        "area_code": "77",
        "valid_from": "2020-01-01",
        "max_accuracy_m": 100.0,
        "boundary_sha256": hashlib.sha256(read_geometry(shape)).hexdigest(),
    }


@given(
    st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=3, max_size=50),
    st.integers(1, 3),
)
def test_geometry_is_read_and_written_without_losing_a_bit(
    corners: list[tuple[float, float]], count: int
) -> None:
    parts = [[ring(*corners), ring(*reversed(corners))] for _ in range(count)]
    given_ = {"type": "MultiPolygon", "coordinates": parts}
    written = write_geometry(read_geometry(given_))
    assert written["coordinates"] == (parts if count > 1 else parts[0])
    assert orjson.loads(orjson.dumps(written)) == written


@pytest.mark.parametrize(
    "name",
    ["urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326", "OGC:CRS84"],
)
def test_old_geojson_may_say_that_it_is_wgs_84(name: str) -> None:
    check_crs({"crs": {"type": "name", "properties": {"name": name}}})


@pytest.mark.parametrize(
    "crs",
    [
        "EPSG:5179",
        {},
        [],
        {"type": "link", "properties": {"href": "https://example.org/crs"}},
        {"type": "name", "properties": {"name": SURROGATE}},
        {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4326/../5179"}},
    ],
)
def test_any_other_reference_system_is_refused(crs: Any) -> None:
    with pytest.raises(Flaw, match="reference system"):
        check_crs({"crs": crs})


@pytest.mark.parametrize(
    ("area", "is_narrow"),
    [
        (circle(*CITY_HALL, 74.9), True),
        (circle(*CITY_HALL, 75.1), False),
        (polygon(square_around(*CITY_HALL, 70)), True),
        (polygon(square_around(*CITY_HALL, 80)), False),
        (polygon(box(126.9, 37.5, 127.0, 37.501)), True),  # 9 km long, 111 m wide
        (polygon(box(126.9, 37.5, 127.0, 37.502)), False),
    ],
)
def test_an_area_nowhere_150_m_wide_counts_as_narrow(
    session: Session, area: dict[str, Any], is_narrow: bool
) -> None:
    assert narrow(session, fenced(session, area)) is is_narrow


def test_one_wide_part_is_wide_enough(session: Session) -> None:
    thin, wide = box(126.9, 37.5, 127.0, 37.5005), box(126.9, 37.6, 127.0, 37.7)
    area = {"type": "MultiPolygon", "coordinates": [[thin], [wide]]}
    assert not narrow(session, fenced(session, area))
    assert judged(session, area, [at(37.5002, 126.95)]) == ["inside"]
