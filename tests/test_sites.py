"""Sites: added and revised by officers, read by all, as JSON and as GeoJSON."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from geo.sites import Site, list_sites
from mvote.journal import JournalEntry
from tests.support.contract import CheckedClient
from tests.support.people import Person, a_citizen, an_administrator, an_officer
from tests.support.places import Statements, add_area, box, polygon

OFFICE = {
    "name": {"ko": "사직동 주민센터", "en": "Sajik-dong Office"},
    "address": "서울특별시 종로구 경희궁1길 15",
    "lat": 37.5739,
    "lon": 126.9690,
    "radius_m": 60,
}


@pytest.fixture
def officer(app: Flask, session: Session) -> Person:
    """An officer of some department."""
    return an_officer(app, session)


def added(client: CheckedClient, officer: Person, **changes: Any) -> dict[str, Any]:
    """A site, as the one who adds it sees it."""
    response = client.post("/v1/sites", json=OFFICE | changes, headers=officer.headers)
    assert response.status_code == 201, response.get_data(as_text=True)
    return dict(response.get_json())


def count(session: Session) -> int | None:
    """How many sites there are."""
    session.rollback()
    return session.scalar(select(func.count()).select_from(Site))


def test_an_officer_adds_a_site_and_everyone_reads_it(
    client: CheckedClient, officer: Person, session: Session
) -> None:
    response = client.post("/v1/sites", json=OFFICE, headers=officer.headers)
    made = response.get_json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"/v1/sites/{made['id']}"
    read = client.get(f"/v1/sites/{made['id']}")
    assert read.get_json() == made
    assert {name: made[name] for name in ("name", "address", "lat", "lon", "radius_m")} == {
        **OFFICE,
        "address": {"ko": OFFICE["address"]},
    }
    assert made["opening_hours"] is None
    entry = session.scalars(select(JournalEntry).where(JournalEntry.kind == "site:added")).one()
    assert (entry.actor_id, str(entry.subject_id)) == (officer.id, made["id"])


def test_only_an_officer_adds_or_revises_a_site(
    app: Flask, client: CheckedClient, session: Session, officer: Person
) -> None:
    made = added(client, officer)
    others = [a_citizen(app, session).headers, an_administrator(app, session).headers]
    for headers in others:
        refused = client.post("/v1/sites", json=OFFICE, headers=headers)
        assert (refused.status_code, refused.get_json()["code"]) == (403, "not-allowed")
        path = f"/v1/sites/{made['id']}"
        refused = client.patch(path, json={"radius_m": 5}, headers=headers | {"If-Match": "*"})
        assert (refused.status_code, refused.get_json()["code"]) == (403, "not-allowed")
    assert client.post("/v1/sites", json=OFFICE).status_code == 401
    assert count(session) == 1


BAD_FACTS: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "/name"),
    ({"name": {"fr": "Bureau"}}, "/name"),
    ({"name": "가" * 201}, "/name"),
    ({"address": "a\u202eb"}, "/address"),
    ({"lat": 126.9690, "lon": 37.5739}, "/lat"),
    ({"lon": 180.5}, "/lon"),
    ({"lat": "37.5"}, "/lat"),
    ({"lat": None}, "/lat"),
    ({"radius_m": 0.5}, "/radius_m"),
    ({"radius_m": 10_001}, "/radius_m"),
    ({"opening_hours": 9}, "/opening_hours"),
    ({"id": str(uuid.uuid4())}, "/id"),
    ({"version": 7}, "/version"),
    ({"in_use": True}, "/in_use"),
]


@pytest.mark.parametrize(("facts", "pointer"), BAD_FACTS)
def test_a_site_that_makes_no_sense_is_refused_and_not_kept(
    client: CheckedClient,
    officer: Person,
    session: Session,
    facts: dict[str, Any],
    pointer: str,
) -> None:
    response = client.post("/v1/sites", json=OFFICE | facts, headers=officer.headers)
    assert response.status_code == 422
    assert [fault["pointer"] for fault in response.get_json()["errors"]] == [pointer]
    assert count(session) == 0


def test_a_site_is_revised_by_who_has_read_it(
    client: CheckedClient, officer: Person, session: Session
) -> None:
    made = added(client, officer)
    path = f"/v1/sites/{made['id']}"
    tag = client.get(path).headers["ETag"]
    changes = {"lat": 37.58, "opening_hours": {"ko": "평일 9–18시"}}
    headers = officer.headers | {"If-Match": tag}
    revised = client.patch(path, json=changes, headers=headers)
    assert revised.status_code == 200
    expected = made | changes | {"updated_at": revised.get_json()["updated_at"]}
    assert revised.get_json() == expected
    assert client.get(path).headers["ETag"] == revised.headers["ETag"] != tag
    entry = session.scalars(select(JournalEntry).where(JournalEntry.kind == "site:revised")).one()
    assert sorted(entry.facts["changed"]) == ["lat", "opening_hours"]

    late = client.patch(path, json={"radius_m": 5}, headers=headers)
    assert (late.status_code, late.get_json()["code"]) == (412, "stale-version")
    blind = client.patch(path, json={"radius_m": 5}, headers=officer.headers)
    assert (blind.status_code, blind.get_json()["code"]) == (428, "version-required")
    assert client.get(path).get_json() == expected


def test_a_revision_without_news_changes_nothing(client: CheckedClient, officer: Person) -> None:
    made = added(client, officer)
    path = f"/v1/sites/{made['id']}"
    tag = client.get(path).headers["ETag"]
    headers = officer.headers | {"If-Match": tag}
    for changes in ({}, {"lat": OFFICE["lat"]}):
        assert client.patch(path, json=changes, headers=headers).get_json() == made


@pytest.mark.parametrize("changes", [{"lat": 91}, {"name": None}, {"created_at": "now"}])
def test_a_bad_revision_is_refused(
    client: CheckedClient, officer: Person, changes: dict[str, Any]
) -> None:
    made = added(client, officer)
    path = f"/v1/sites/{made['id']}"
    tag = client.get(path).headers["ETag"]
    headers = officer.headers | {"If-Match": tag}
    assert client.patch(path, json=changes, headers=headers).status_code == 422
    assert client.get(path).get_json() == made


def test_an_unknown_site_is_not_found(client: CheckedClient, officer: Person) -> None:
    path = f"/v1/sites/{uuid.uuid4()}"
    headers = officer.headers | {"If-Match": "*"}
    assert client.get(path).status_code == 404
    assert client.patch(path, json={"radius_m": 5}, headers=headers).status_code == 404
    assert client.get("/v1/sites/7").status_code == 404


def test_a_site_that_is_known_already_is_not_sent_again(
    client: CheckedClient, officer: Person
) -> None:
    path = f"/v1/sites/{added(client, officer)['id']}"
    tag = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_sites_are_listed_in_pages(client: CheckedClient, officer: Person) -> None:
    made = [added(client, officer, name=f"제{n}투표소")["id"] for n in range(3)]
    first = client.get("/v1/sites?limit=2").get_json()
    rest = client.get(f"/v1/sites?limit=2&cursor={first['next_cursor']}").get_json()
    assert [site["id"] for site in first["items"] + rest["items"]] == made
    assert rest["next_cursor"] is None


def test_sites_are_listed_as_geojson_too(client: CheckedClient, officer: Person) -> None:
    made = added(client, officer)
    response = client.get("/v1/sites", headers={"Accept": "application/geo+json"})
    assert response.content_type == "application/geo+json"
    document = response.get_json(force=True)
    [feature] = document["features"]
    assert document["type"] == "FeatureCollection"
    assert feature["geometry"] == {"type": "Point", "coordinates": [126.9690, 37.5739]}
    assert (feature["id"], feature["properties"]["name"]) == (made["id"], made["name"])
    assert client.get("/v1/sites", headers={"Accept": "text/html"}).status_code == 406


def test_sites_are_listed_by_the_area_they_stand_in(
    client: CheckedClient, officer: Person, owner: Session
) -> None:
    add_area(owner, "11110", polygon(box(126.96, 37.57, 126.98, 37.58)))
    inside = added(client, officer)["id"]
    added(client, officer, lat=37.60)
    found = client.get("/v1/sites?area=11110").get_json()["items"]
    assert [site["id"] for site in found] == [inside]


@pytest.mark.parametrize(
    ("query", "name"), [("area=404", "area"), ("area=%00", "area"), ("cursor=WyJ4Il0", "cursor")]
)
def test_a_bad_query_for_sites_is_refused_by_name(
    client: CheckedClient, query: str, name: str
) -> None:
    response = client.get(f"/v1/sites?{query}")
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["name"] == name


def test_sites_of_an_area_are_looked_up_in_the_index(
    session: Session, owner: Session, engines: dict[str, Engine]
) -> None:
    add_area(owner, "11110", polygon(box(126.96, 37.57, 126.98, 37.58)))
    owner.execute(
        text(
            "INSERT INTO site (id, name, address, lat, lon, radius_m, created_at, updated_at,"
            " version) SELECT gen_random_uuid(), '{}', '{}', 35 + random() * 3,"
            " 126 + random() * 3, 50, now(), now(), 1 FROM generate_series(1, 20000)"
        )
    )
    owner.execute(text("ANALYZE site, area"))
    owner.commit()
    with Statements(engines["api"]) as statements:
        found = list_sites(session, limit=20, area_code="11110")
    assert all(126.96 <= site.lon <= 126.98 for site in found)
    assert "ix_site_point" in statements.plan_of_last(session)
