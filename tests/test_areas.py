"""Areas: versions that never change, parents, the areas at a point, and all of it over HTTP."""

from __future__ import annotations

import datetime as dt
import hashlib
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from geo.areas import Area, current, lineage, locate
from geo.geojson import read_geometry
from mvote.errors import NotFound
from tests.support.contract import CheckedClient
from tests.support.places import Statements, add_area, box, polygon

CITY = polygon(box(126.8, 37.4, 127.2, 37.7))
DISTRICT = polygon(box(126.9, 37.5, 127.0, 37.6), box(126.94, 37.54, 126.96, 37.56))
QUARTER = {
    "type": "MultiPolygon",
    "coordinates": [[box(126.90, 37.50, 126.92, 37.52)], [box(126.93, 37.5, 126.94, 37.51)]],
}
DAY = dt.timedelta(days=1)
SPRING, SUMMER, AUTUMN = dt.date(2024, 3, 1), dt.date(2024, 6, 1), dt.date(2024, 9, 1)


@pytest.fixture
def city(owner: Session) -> None:
    """A city, a district in it and a quarter in that."""
    add_area(owner, "11", CITY, kind="sido")
    add_area(owner, "11110", DISTRICT, kind="gu", parent_code="11")
    add_area(owner, "11110101", QUARTER, kind="legal_dong", parent_code="11110")


@pytest.mark.usefixtures("city")
def test_the_areas_at_a_point_come_with_the_smallest_last(session: Session) -> None:
    def codes(lat: float, lon: float) -> list[str]:
        return [area.area_code for area in locate(session, lat=lat, lon=lon)]

    assert codes(37.51, 126.91) == ["11", "11110", "11110101"]
    assert codes(37.505, 126.935) == ["11", "11110", "11110101"]  # its other part
    assert codes(37.55, 126.95) == ["11"]  # a hole of the district
    assert codes(37.54, 126.95) == ["11", "11110"]  # the hole's border
    assert codes(37.7, 127.2) == ["11"]  # a corner
    assert codes(37.71, 127.2) == []


@pytest.mark.usefixtures("city")
def test_an_area_lies_in_its_parents(session: Session) -> None:
    assert lineage(session, "11110101") == ["11110101", "11110", "11"]
    assert lineage(session, "11") == ["11"]
    assert lineage(session, "999") is None
    assert lineage(session, "1\x00") is None


def test_a_parent_without_a_map_is_named_and_a_circle_of_parents_ends(
    session: Session, owner: Session
) -> None:
    add_area(owner, "5", QUARTER, parent_code="4")
    add_area(owner, "1", QUARTER, parent_code="2")
    add_area(owner, "2", QUARTER, parent_code="1")
    assert lineage(session, "5") == ["5", "4"]
    assert lineage(session, "1") == ["1", "2"]


def test_each_day_has_its_own_version(session: Session, owner: Session) -> None:
    add_area(owner, "7", DISTRICT, valid_from=SPRING, valid_to=SUMMER)
    add_area(owner, "7", QUARTER, valid_from=SUMMER, valid_to=AUTUMN, parent_code="11")
    with pytest.raises(NotFound):
        current(session, "7", on=SPRING - DAY)
    assert current(session, "7", on=SUMMER - DAY).parent_code is None
    assert current(session, "7", on=SUMMER).parent_code == "11"
    assert lineage(session, "7", on=SUMMER) == ["7", "11"]
    assert locate(session, lat=37.59, lon=126.99, on=SUMMER - DAY)
    assert not locate(session, lat=37.59, lon=126.99, on=SUMMER)
    with pytest.raises(NotFound):
        current(session, "7")


@pytest.mark.parametrize("kind", ["gu", "dong"])
def test_no_day_has_two_versions_of_one_code(owner: Session, kind: str) -> None:
    add_area(owner, "7", DISTRICT, kind="gu", valid_from=SPRING, valid_to=AUTUMN)
    with pytest.raises(IntegrityError, match="ex_area_versions"):
        add_area(owner, "7", QUARTER, kind=kind, valid_from=SUMMER)


def test_the_hash_of_a_boundary_is_that_of_its_wkb(owner: Session) -> None:
    area = add_area(owner, "7", DISTRICT)
    assert area.boundary_sha256 == hashlib.sha256(read_geometry(DISTRICT)).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        "geom = ST_Multi(ST_Translate(geom, 1e-15, 0.00001))",
        "name = '{}'",
        "area_code = '8'",
        "parent_code = '8'",
        "valid_from = '2019-01-01'",
        "kind = 'dong'",
    ],
)
def test_a_version_never_changes(owner: Session, change: str) -> None:
    add_area(owner, "7", DISTRICT)
    with pytest.raises(DBAPIError, match="does not change"):
        owner.execute(text(f"UPDATE area SET {change}"))  # noqa: S608


@pytest.mark.parametrize(
    "act",
    [
        "INSERT INTO area (id) VALUES (gen_random_uuid())",
        "DELETE FROM area",
        "UPDATE area SET valid_to = now()",
        "LOCK TABLE area",
    ],
)
def test_the_web_login_cannot_touch_a_map(session: Session, act: str) -> None:
    with pytest.raises(ProgrammingError, match="denied"):
        session.execute(text(act))


def test_a_point_is_looked_up_in_the_index(
    session: Session, owner: Session, engines: dict[str, Engine]
) -> None:
    for n in range(40):
        for m in range(25):
            west, south = 126 + n / 20, 36 + m / 20
            shape = polygon(box(west, south, west + 0.05, south + 0.05))
            owner.add(_unsaved(f"{n}-{m}", shape))
    owner.commit()
    owner.execute(text("ANALYZE area"))
    owner.commit()
    with Statements(engines["api"]) as statements:
        assert [a.area_code for a in locate(session, lat=36.33, lon=127.01)] == ["20-6"]
    assert "ix_area_geom" in statements.plan_of_last(session)


def _unsaved(code: str, shape: dict[str, object]) -> Area:
    from geo.columns import from_wkb

    return Area(
        kind="cell",
        area_code=code,
        name={"ko": code},
        valid_from=SPRING,
        source="made for a test",
        geom=from_wkb(read_geometry(shape)),
    )


@pytest.mark.usefixtures("city")
def test_names_are_listed_by_kind_and_by_parent(client: CheckedClient) -> None:
    every = client.get("/v1/areas").get_json()
    assert [area["area_code"] for area in every["items"]] == ["11", "11110", "11110101"]
    assert every["next_cursor"] is None
    districts = client.get("/v1/areas?kind=gu").get_json()["items"]
    assert districts == [
        {
            "area_code": "11110",
            "kind": "gu",
            "name": {"ko": "제11110구", "en": "District 11110"},
            "parent_code": "11",
        }
    ]
    within = client.get("/v1/areas?parent=11110").get_json()["items"]
    assert [area["area_code"] for area in within] == ["11110101"]


@pytest.mark.usefixtures("city")
def test_names_come_in_pages(client: CheckedClient) -> None:
    first = client.get("/v1/areas?limit=2").get_json()
    rest = client.get(f"/v1/areas?limit=2&cursor={first['next_cursor']}").get_json()
    codes = [area["area_code"] for area in first["items"] + rest["items"]]
    assert codes == ["11", "11110", "11110101"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "name"),
    [("kind=GU", "kind"), ("parent=%00", "parent"), ("limit=0", "limit"), ("cursor=x", "cursor")],
)
def test_a_bad_query_is_refused_by_name(client: CheckedClient, query: str, name: str) -> None:
    response = client.get(f"/v1/areas?{query}")
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["name"] == name


@pytest.mark.usefixtures("city")
def test_a_boundary_is_served_as_a_feature_with_a_tag(client: CheckedClient) -> None:
    response = client.get("/v1/areas/11110")
    assert response.content_type == "application/geo+json"
    feature = response.get_json(force=True)
    assert (feature["type"], feature["id"]) == ("Feature", "11110")
    assert feature["geometry"]["type"] == "MultiPolygon"
    assert feature["geometry"]["coordinates"] == [DISTRICT["coordinates"]]
    assert feature["properties"]["parent_code"] == "11"
    again = client.get("/v1/areas/11110", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.usefixtures("city")
def test_a_boundary_comes_as_plain_json_too_but_as_nothing_else(client: CheckedClient) -> None:
    plain = client.get("/v1/areas/11110", headers={"Accept": "application/json"})
    assert plain.content_type == "application/json"
    other = client.get("/v1/areas/11110", headers={"Accept": "image/png"})
    assert (other.status_code, other.get_json()["code"]) == (406, "not-acceptable")


@pytest.mark.parametrize("code", ["404", "%00", "a%20b", "9" * 30, "%F0%9F%8C%8A"])
def test_a_code_of_no_area_is_not_found(client: CheckedClient, code: str) -> None:
    response = client.get(f"/v1/areas/{code}")
    assert (response.status_code, response.get_json()["code"]) == (404, "not-found")


@pytest.mark.usefixtures("city")
def test_the_areas_at_a_point_are_told_over_http(client: CheckedClient) -> None:
    response = client.post("/v1/areas/locate", json={"lat": 37.51, "lon": 126.91})
    assert response.status_code == 200
    kinds = [area["kind"] for area in response.get_json()["items"]]
    assert kinds == ["sido", "gu", "legal_dong"]
    nowhere = client.post("/v1/areas/locate", json={"lat": 0, "lon": 0})
    assert nowhere.get_json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"lat": 126.9, "lon": 37.5}, "/lat"),
        ({"lat": "37.5", "lon": 126.9}, "/lat"),
        ({"lat": 37.5}, "/lon"),
        ({"lat": 37.5, "lon": 126.9, "accuracy_m": 5}, "/accuracy_m"),
    ],
)
def test_a_bad_point_is_refused(
    client: CheckedClient, body: dict[str, object], pointer: str
) -> None:
    response = client.post("/v1/areas/locate", json=body)
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == pointer


@pytest.mark.usefixtures("within_an_hour")
def test_a_version_begins_at_midnight_in_the_city(app: Flask, owner: Session) -> None:
    there = dt.datetime.now(ZoneInfo(app.extensions["settings"].city_time_zone)).date()
    add_area(owner, "7", DISTRICT, valid_from=there)
    add_area(owner, "8", QUARTER, valid_from=there + DAY)
    assert lineage(owner, "7") == ["7"]
    assert lineage(owner, "8") is None
