"""The geofence's verdict: three values, in order, to the millimetre."""

from __future__ import annotations

import csv
import math
import random
import uuid
from pathlib import Path
from typing import get_args

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from geo.geofence import holds_site, verdict, verdict_at_site, verdicts
from geo.sites import Site
from mvote.base import new_id
from mvote.polls.presence import Verdict
from tests.support.places import (
    CITY_HALL,
    add_area,
    at,
    box,
    circle,
    fenced,
    judged,
    metres_between,
    moved,
    polygon,
)

PLACES = [CITY_HALL, (0.0, 0.0), (69.6, 18.9), (-54.8, -68.3), (37.0, 179.9999)]
RADII = [10, 50, 1_000, 33_333.3, 100_000]
SQUARE = box(126.9, 37.5, 127.0, 37.6)
HOLE = box(126.94, 37.54, 126.96, 37.56)
ISLAND = box(127.1, 37.5, 127.2, 37.6)


@pytest.mark.parametrize("radius_m", RADII)
@pytest.mark.parametrize("center", PLACES)
def test_a_circle_is_exact_to_a_millimetre(
    session: Session, center: tuple[float, float], radius_m: float
) -> None:
    directions = range(0, 360, 15)
    within = [moved(*center, azimuth, radius_m - 0.001) for azimuth in directions]
    beyond = [moved(*center, azimuth, radius_m + 0.001) for azimuth in directions]
    area = circle(*center, radius_m)
    assert set(judged(session, area, [at(*p, 0.0005) for p in within])) == {"inside"}
    assert set(judged(session, area, [at(*p, 0.0005) for p in beyond])) == {"outside-area"}
    assert set(judged(session, area, [at(*p, 0.0015) for p in beyond])) == {"position-ambiguous"}


def test_the_rim_of_a_circle_belongs_inside(session: Session) -> None:
    rim = [moved(*CITY_HALL, azimuth, 250) for azimuth in range(0, 360, 10)]
    assert set(judged(session, circle(*CITY_HALL, 250), [at(*p, 0.001) for p in rim])) == {"inside"}


def test_the_border_of_a_polygon_belongs_inside(session: Session) -> None:
    corners = [(lat, lon) for lon, lat in SQUARE]
    edges = [(37.5, 126.95), (37.6, 126.925), (37.55, 126.9), (37.525, 127.0)]
    positions = [at(*p, 0.001) for p in corners + edges]
    assert set(judged(session, polygon(SQUARE), positions)) == {"inside"}


def test_a_hole_is_outside_and_its_border_inside(session: Session) -> None:
    positions = [at(37.55, 126.95), at(37.54, 126.95), at(37.541, 126.95), at(37.53, 126.95)]
    found = judged(session, polygon(SQUARE, HOLE), positions)
    assert found == ["outside-area", "inside", "outside-area", "inside"]


def test_an_island_counts_like_the_mainland(session: Session) -> None:
    area = {"type": "MultiPolygon", "coordinates": [[SQUARE], [ISLAND]]}
    found = judged(session, area, [at(37.55, 126.95), at(37.55, 127.15), at(37.55, 127.05)])
    assert found == ["inside", "inside", "outside-area"]


def test_containment_is_planar_even_where_a_geodesic_edge_bulges(session: Session) -> None:
    wide = polygon(box(126.0, 37.0, 128.0, 38.0))
    on_the_chord, within_the_bulge = at(38.0, 127.0, 0.001), at(38.0003, 127.0, 0.001)
    found = judged(session, wide, [on_the_chord, within_the_bulge])
    assert found == ["inside", "position-ambiguous"]


def test_ten_thousand_points_near_borders_are_judged_as_by_shapely(session: Session) -> None:
    area, shape = _jagged(random.Random(11))
    border = shape.boundary
    points = [_near(border, random.Random(seed)) for seed in range(10_000)]
    found = judged(session, area, [at(lat, lon, 1e-6) for lon, lat in points])
    inside = shapely.covers(shape, shapely.points(points))
    wrong = [
        point
        for point, answer, truth in zip(points, found, inside, strict=True)
        if (answer == "inside") != truth
    ]
    assert wrong == []
    assert 2_000 < sum(inside) < 8_000


def test_one_by_one_is_judged_as_all_at_once(session: Session) -> None:
    poll_id = fenced(session, polygon(SQUARE, HOLE))
    chance = random.Random(5)
    positions = [
        at(chance.uniform(37.49, 37.61), chance.uniform(126.89, 127.01), chance.uniform(1, 200))
        for _ in range(300)
    ]
    singly = [verdict(session, poll_id=poll_id, position=position) for position in positions]
    assert singly == verdicts(session, poll_id=poll_id, positions=positions)
    assert set(singly) == set(get_args(Verdict))


@given(
    radius_m=st.floats(10, 5_000),
    max_accuracy_m=st.floats(5, 500),
    reports=st.lists(
        st.tuples(st.floats(0, 360), st.floats(0, 8_000), st.floats(0.1, 3_000)),
        min_size=1,
        max_size=30,
    ),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_four_answers_come_in_their_order(
    session: Session,
    radius_m: float,
    max_accuracy_m: float,
    reports: list[tuple[float, float, float]],
) -> None:
    poll_id = fenced(session, circle(*CITY_HALL, radius_m), max_accuracy_m)
    points = [moved(*CITY_HALL, azimuth, metres) for azimuth, metres, _ in reports]
    positions = [at(*p, report[2]) for p, report in zip(points, reports, strict=True)]
    found = verdicts(session, poll_id=poll_id, positions=positions)
    for answer, point, (_, _, accuracy_m) in zip(found, points, reports, strict=True):
        beyond = metres_between(*CITY_HALL, *point) - radius_m
        if min(abs(beyond), abs(beyond - accuracy_m)) > 1e-6:  # on the very rim both are right
            assert answer == _by_the_rule(beyond, accuracy_m, max_accuracy_m)


def _by_the_rule(beyond_m: float, accuracy_m: float, max_accuracy_m: float) -> Verdict:
    if beyond_m > accuracy_m:
        return "outside-area"
    if accuracy_m > max_accuracy_m:
        return "position-too-coarse"
    return "inside" if beyond_m <= 0 else "position-ambiguous"


def test_an_area_of_the_city_is_judged_by_its_boundary(session: Session, owner: Session) -> None:
    add_area(owner, "77", polygon(SQUARE, HOLE))
    found = judged(session, {"area_code": "77"}, [at(37.53, 126.95), at(37.55, 126.95)])
    assert found == ["inside", "outside-area"]


def test_a_poll_keeps_its_boundary_when_the_area_gets_a_new_one(
    session: Session, owner: Session
) -> None:
    old = add_area(owner, "77", polygon(SQUARE))
    poll_id = fenced(session, {"area_code": "77"})
    session.commit()
    old.valid_to = old.valid_from
    owner.commit()
    add_area(owner, "77", polygon(ISLAND))
    assert verdict(session, poll_id=poll_id, position=at(37.55, 126.95)) == "inside"


def test_a_site_is_held_by_the_area_it_stands_in(session: Session) -> None:
    poll_id = fenced(session, circle(*CITY_HALL, 500))
    near, far = (_site(session, moved(*CITY_HALL, 90, metres)) for metres in (499.999, 500.001))
    assert holds_site(session, poll_id=poll_id, site_id=near)
    assert not holds_site(session, poll_id=poll_id, site_id=far)
    assert not holds_site(session, poll_id=poll_id, site_id=new_id())
    assert not holds_site(session, poll_id=new_id(), site_id=near)


def test_presence_at_a_site_is_judged_by_its_radius(session: Session) -> None:
    site_id = _site(session, CITY_HALL, radius_m=50)
    reports = [(49.999, 10.0), (50.001, 10.0), (70, 10.0), (70, 101.0)]
    found = [
        verdict_at_site(
            session, site_id=site_id, position=at(*moved(*CITY_HALL, 200, metres), accuracy_m)
        )
        for metres, accuracy_m in reports
    ]
    assert found == ["inside", "position-ambiguous", "outside-area", "position-too-coarse"]


def _site(session: Session, place: tuple[float, float], radius_m: float = 50) -> uuid.UUID:
    site = Site(
        name={"ko": "시청"},
        address={"ko": "세종대로"},
        lat=place[0],
        lon=place[1],
        radius_m=radius_m,
    )
    session.add(site)
    session.flush()
    return site.id


def test_real_fixes_are_judged_as_by_the_rule(session: Session, shared_data: Path) -> None:
    path = shared_data / "positions" / "gps_android_accuracy_rebased_seoul.csv"
    with path.open(encoding="utf-8") as file:
        rows = [
            {key: row[key] for key in ("lat", "lon", "accuracy_m")} for row in csv.DictReader(file)
        ]
    fixes = [at(*(float(row[key]) for key in ("lat", "lon", "accuracy_m"))) for row in rows]
    assert len(fixes) == 114
    seen: set[Verdict] = set()
    for metres in (0, 60, 250):
        center = moved(*CITY_HALL, 45, metres)
        found = judged(session, circle(*center, 50), fixes)
        for fix, answer in zip(fixes, found, strict=True):
            beyond = metres_between(*center, fix.lat, fix.lon) - 50
            assert answer == _by_the_rule(beyond, fix.accuracy_m, 100)
        seen |= set(found)
    assert seen == set(get_args(Verdict))


def test_distances_agree_with_karneys_cases_to_a_micrometre(
    session: Session, shared_data: Path
) -> None:
    lines = (shared_data / "geodesy" / "GeodTest-100.dat").read_text().splitlines()
    cases = [[float(number) for number in line.split()] for line in lines]
    assert len(cases) >= 100
    for lat1, lon1, _, lat2, lon2, _, metres, *_ in cases:
        reach = metres - 10
        around = [at(lat2, lon2, reach - 1e-6), at(lat2, lon2, reach + 1e-6)]
        found = judged(session, circle(lat1, lon1, 10), around)
        assert found[0] == "outside-area"
        assert found[1] != "outside-area"


WRONG_ROWS = {
    "ck_geofence_kind_known": "'square', 37, 127, 100, NULL, 100",
    "ck_geofence_kind_has_what_it_needs": "'circle', 37, NULL, 100, NULL, 100",
    "ck_geofence_radius_in_range": "'circle', 37, 127, 9.9, NULL, 100",
    "ck_geofence_center_on_earth": "'circle', 91, 127, 100, NULL, 100",
    "ck_geofence_max_accuracy_in_range": "'circle', 37, 127, 100, NULL, 0",
    "ck_geofence_shape_valid": "'polygon', NULL, NULL, NULL,"
    " 'SRID=4326;MULTIPOLYGON(((0 0,1 1,1 0,0 1,0 0)))', 100",
}


@pytest.mark.parametrize("constraint", WRONG_ROWS)
def test_the_database_itself_refuses_a_geofence_that_makes_no_sense(
    session: Session, constraint: str
) -> None:
    columns = "poll_id, kind, lat, lon, radius_m, shape, max_accuracy_m"
    values = f"'{new_id()}', {WRONG_ROWS[constraint]}"
    with pytest.raises(IntegrityError, match=constraint):
        session.execute(text(f"INSERT INTO geofence ({columns}) VALUES ({values})"))  # noqa: S608


@pytest.mark.parametrize("login", ["shuffler", "counter", "auditor"])
@pytest.mark.parametrize("table", ["area", "site", "geofence", "poll_place"])
def test_only_the_web_login_sees_places(engines: dict[str, Engine], login: str, table: str) -> None:
    with Session(engines[login]) as session, pytest.raises(ProgrammingError, match="denied"):
        session.execute(text(f"SELECT 1 FROM {table}"))  # noqa: S608


def _jagged(chance: random.Random) -> tuple[dict[str, object], shapely.Polygon]:
    """A star of 60 corners with a hole of 12, as GeoJSON and for shapely."""
    rings = []
    for corners, least, most in ((60, 0.02, 0.05), (12, 0.005, 0.01)):
        turns = [2 * math.pi * n / corners for n in range(corners)]
        reach = [chance.uniform(least, most) for _ in turns]
        points = [
            [126.98 + 1.26 * r * math.cos(turn), 37.57 + r * math.sin(turn)]
            for r, turn in zip(reach, turns, strict=True)
        ]
        rings.append([*points, points[0]])
    shape = shapely.Polygon(rings[0], [rings[1]])
    assert shape.is_valid
    return polygon(*rings), shape


def _near(border: shapely.Geometry, chance: random.Random) -> tuple[float, float]:
    """A point on the border or up to some metres from it."""
    point = border.interpolate(chance.random(), normalized=True)
    aside = chance.choice([0, 1e-12, 1e-9, 1e-6, 1e-4])
    return point.x + chance.uniform(-aside, aside), point.y + chance.uniform(-aside, aside)
