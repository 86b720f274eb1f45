"""The search nearby costs the same however many polls there are."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from geo.nearby import nearby
from tests.support.places import CITY_HALL, Statements

MANY_CIRCLES = """
WITH made AS (
    INSERT INTO geofence (poll_id, kind, lat, lon, radius_m)
    SELECT gen_random_uuid(), 'circle', 37.45 + random() / 4, 126.8 + random() / 3, 300
    FROM generate_series(1, {0}) RETURNING poll_id, center
)
INSERT INTO poll_place (poll_id, place_id, near, live)
SELECT poll_id, poll_id, ST_Buffer(center, 301), true FROM made
"""
MANY_SHARED = """
INSERT INTO poll_place (poll_id, place_id, {1}_id, live)
SELECT gen_random_uuid(), gen_random_uuid(), id, true
FROM {1}, generate_series(1, {0} / (SELECT count(*)::int FROM {1}))
"""


def fill(owner: Session, polls: int) -> None:
    """So many polls with circles, so many in areas, and so many at sites of a city."""
    owner.execute(text("TRUNCATE poll_place, geofence"))
    owner.execute(text(MANY_CIRCLES.format(polls)))
    for table in ("area", "site"):
        owner.execute(text(MANY_SHARED.format(polls, table)))
        owner.execute(text(f"UPDATE {table} SET in_use = true"))  # noqa: S608
    owner.commit()
    owner.execute(text("ANALYZE area, site, geofence, poll_place"))
    owner.commit()


CELLS = """
INSERT INTO area (id, kind, area_code, name, valid_from, source, created_at, geom)
SELECT gen_random_uuid(), 'cell', n::text, '{}', '2020-01-01', 'made for a test', now(),
    ST_Multi(ST_SetSRID(ST_MakeEnvelope(126.8 + n % 20 / 60.0, 37.45 + n / 20 / 80.0,
        126.8 + (n % 20 + 1) / 60.0, 37.45 + (n / 20 + 1) / 80.0), 4326))
FROM generate_series(0, 399) n
"""
SITES = """
INSERT INTO site (id, name, address, lat, lon, radius_m, created_at, updated_at, version)
SELECT gen_random_uuid(), '{}', '{}', 37.45 + random() / 4, 126.8 + random() / 3, 50,
    now(), now(), 1
FROM generate_series(1, 400)
"""


@pytest.fixture
def city(owner: Session) -> Session:
    """A city of 400 cells and 400 sites."""
    owner.execute(text(CELLS))
    owner.execute(text(SITES))
    owner.commit()
    return owner


def test_the_search_walks_the_indexes_and_looks_at_few_pages_however_many_polls(
    city: Session, session: Session, engines: dict[str, Engine]
) -> None:
    pages = {}
    lat, lon = CITY_HALL
    for polls in (1_200, 24_000):
        fill(city, polls)
        with Statements(engines["api"]) as statements:
            found = nearby(session, lat=lat, lon=lon, radius_m=5_000, limit=20)
            assert len(found) == 20
        plan = statements.plan_of_last(session)
        for index in ("ix_poll_place_near", "ix_site_in_use", "ix_area_in_use"):
            assert re.search(rf"Index Scan using {index}.*\n.*Order By", plan), plan
        pages[polls] = statements.pages_of_last(session)
        session.rollback()  # else the tables could not be emptied
    assert pages[24_000] <= 2 * pages[1_200]
