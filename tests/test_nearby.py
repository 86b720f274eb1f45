"""Polls near a point: nearest first, exact, by the index, however many there are."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from api.db import transaction
from geo.areas import Area
from geo.nearby import (
    PollPlace,
    add_site_place,
    hide_ended,
    nearby,
    put_place,
    remove_site_place,
    set_live,
)
from geo.sites import Site, revise_site
from mvote.base import new_id
from tests.support.database import TestCluster
from tests.support.places import (
    CITY_HALL,
    Json,
    add_area,
    box,
    circle,
    fenced,
    metres_between,
    moved,
    polygon,
)
from tests.support.waiting import wait_until_blocked
from tests.support.world import World

SQUARE = box(126.9, 37.5, 127.0, 37.6)
Place = tuple[float, float]


def announced(session: Session, area: Json) -> uuid.UUID:
    """A poll with this area that the search finds."""
    poll_id = fenced(session, area)
    put_place(session, poll_id=poll_id)
    set_live(session, poll_id=poll_id, live=True)
    return poll_id


def a_site(session: Session, place: Place) -> Site:
    """A site at a place."""
    lat, lon = place
    site = Site(name={"ko": "역"}, address={"ko": "길"}, lat=lat, lon=lon, radius_m=50)
    session.add(site)
    session.flush()
    return site


def held_at(session: Session, *sites: Site) -> uuid.UUID:
    """A poll that is held at these sites, and that the search finds."""
    poll_id = new_id()
    for site in sites:
        add_site_place(session, poll_id=poll_id, site_id=site.id)
    set_live(session, poll_id=poll_id, live=True)
    return poll_id


def ids(
    session: Session, place: Place, radius_m: float = 5_000, limit: int = 20
) -> list[uuid.UUID]:
    """The polls near a place."""
    lat, lon = place
    found = nearby(session, lat=lat, lon=lon, radius_m=radius_m, limit=limit)
    return [poll_id for poll_id, _ in found]


def scattered(chance: random.Random) -> Place:
    """Somewhere in some kilometres around the City Hall."""
    return chance.uniform(37.53, 37.60), chance.uniform(126.93, 127.02)


def test_polls_come_nearest_first_with_their_exact_distances(session: Session) -> None:
    chance = random.Random(3)
    truth: dict[uuid.UUID, tuple[Place, float]] = {}
    for _ in range(120):
        place, radius_m = scattered(chance), chance.choice([10, 150, 800])
        truth[announced(session, circle(*place, radius_m))] = (place, radius_m)
    for _ in range(60):
        place = scattered(chance)
        truth[held_at(session, a_site(session, place))] = (place, 0)
    for _ in range(25):
        here = scattered(chance)
        found = nearby(session, lat=here[0], lon=here[1], radius_m=1_500, limit=12)
        expected = _by_measuring(here, truth, radius_m=1_500, limit=12)
        assert [poll_id for poll_id, _ in found] == [poll_id for poll_id, _ in expected]
        assert [d for _, d in found] == pytest.approx([d for _, d in expected], abs=1e-6)


def _by_measuring(
    here: Place, truth: dict[uuid.UUID, tuple[Place, float]], *, radius_m: float, limit: int
) -> Sequence[tuple[uuid.UUID, float]]:
    all_of_them = [
        (poll_id, max(metres_between(*here, *place) - radius, 0.0))
        for poll_id, (place, radius) in truth.items()
    ]
    near = [found for found in all_of_them if found[1] <= radius_m]
    return sorted(near, key=lambda found: (found[1], -found[0].int))[:limit]


def test_inside_is_no_distance_and_outside_is_that_to_the_border(
    session: Session, owner: Session
) -> None:
    add_area(owner, "11", polygon(SQUARE))
    drawn, official = announced(session, polygon(SQUARE)), announced(session, {"area_code": "11"})
    for place, metres in (((37.55, 126.95), 0), ((37.6, 127.0), 0), ((37.55, 127.001), 88.3)):
        found = nearby(session, lat=place[0], lon=place[1], radius_m=100, limit=5)
        assert [poll_id for poll_id, _ in found] == [official, drawn]
        assert [each for _, each in found] == pytest.approx([metres, metres], abs=0.1)


def test_the_radius_is_kept_to_the_millimetre(session: Session) -> None:
    announced(session, circle(*CITY_HALL, 200))
    here = moved(*CITY_HALL, 33, 700)
    assert ids(session, here, radius_m=499.999) == []
    assert len(ids(session, here, radius_m=500.001)) == 1


def test_of_equally_near_polls_the_newest_come_first(session: Session, owner: Session) -> None:
    add_area(owner, "11", polygon(SQUARE))
    polls = [announced(session, {"area_code": "11"}) for _ in range(30)]
    assert ids(session, CITY_HALL, limit=7) == polls[:-8:-1]


def test_a_poll_at_many_sites_comes_once_and_hides_no_other(session: Session) -> None:
    sites = [a_site(session, moved(*CITY_HALL, 3 * n, 100 + n)) for n in range(100)]
    everywhere = held_at(session, *sites)
    farther = announced(session, circle(*moved(*CITY_HALL, 0, 900), 50))
    found = nearby(session, lat=CITY_HALL[0], lon=CITY_HALL[1], radius_m=1_000, limit=2)
    assert [poll_id for poll_id, _ in found] == [everywhere, farther]
    assert [metres for _, metres in found] == pytest.approx([100, 850])


def test_a_poll_comes_at_the_nearest_of_its_places(session: Session) -> None:
    poll_id = announced(session, circle(*moved(*CITY_HALL, 0, 900), 50))
    add_site_place(session, poll_id=poll_id, site_id=a_site(session, CITY_HALL).id)
    set_live(session, poll_id=poll_id, live=True)
    lat, lon = moved(*CITY_HALL, 180, 20)
    [(found, metres)] = nearby(session, lat=lat, lon=lon, radius_m=2_000, limit=5)
    assert found == poll_id
    assert metres == pytest.approx(20)


def test_what_is_not_live_is_not_found(session: Session, owner: Session) -> None:
    add_area(owner, "11", polygon(SQUARE))
    site = a_site(session, CITY_HALL)
    polls = [
        announced(session, circle(*CITY_HALL, 100)),
        announced(session, {"area_code": "11"}),
        held_at(session, site),
    ]
    assert set(ids(session, CITY_HALL)) == set(polls)
    for poll_id in polls:
        set_live(session, poll_id=poll_id, live=False)
    assert ids(session, CITY_HALL) == []
    session.expire_all()
    assert not session.get_one(Site, site.id).in_use
    assert session.scalars(select(Area.in_use)).all() == [False]


def test_a_place_stays_in_use_as_long_as_one_poll_is_held_there(session: Session) -> None:
    site = a_site(session, CITY_HALL)
    first, second = held_at(session, site), held_at(session, site)
    set_live(session, poll_id=first, live=False)
    assert ids(session, CITY_HALL) == [second]
    remove_site_place(session, poll_id=second, site_id=site.id)
    assert ids(session, CITY_HALL) == []
    session.refresh(site)
    assert not site.in_use


def test_a_draft_that_has_another_area_now_is_found_there_only(session: Session) -> None:
    poll_id = announced(session, circle(*CITY_HALL, 100))
    session.execute(text("UPDATE geofence SET lat = 37.6 WHERE poll_id = :id"), {"id": poll_id})
    put_place(session, poll_id=poll_id)
    set_live(session, poll_id=poll_id, live=True)
    assert ids(session, CITY_HALL, radius_m=1_000) == []
    assert ids(session, (37.6, CITY_HALL[1]), radius_m=1_000) == [poll_id]
    session.execute(text("DELETE FROM geofence"))
    put_place(session, poll_id=poll_id)
    assert session.scalars(select(PollPlace)).all() == []


def test_a_poll_moves_with_its_site(session: Session) -> None:
    site = a_site(session, CITY_HALL)
    poll_id = held_at(session, site)
    lat, lon = moved(*CITY_HALL, 90, 3_000)
    revise_site(session, site=site, changes={"lat": lat, "lon": lon}, actor_id=None)
    assert ids(session, CITY_HALL, radius_m=1_000) == []
    assert ids(session, (lat, lon), radius_m=1_000) == [poll_id]


def test_joining_a_site_twice_is_joining_it_once(session: Session) -> None:
    site = a_site(session, CITY_HALL)
    assert ids(session, CITY_HALL) == []
    poll_id = held_at(session, site, site)
    assert ids(session, CITY_HALL) == [poll_id]


@pytest.mark.parametrize("place", [(0.0, 180.0), (90.0, 0.0), (-90.0, 12.0), (10.0, -180.0)])
def test_the_ends_of_the_map_are_searched_like_its_middle(session: Session, place: Place) -> None:
    there = moved(*place, 180 if place[0] > 0 else 0, 1_000)
    poll_id = announced(session, circle(*there, 100))
    [(found, metres)] = nearby(session, lat=place[0], lon=place[1], radius_m=2_000, limit=3)
    assert found == poll_id
    assert metres == pytest.approx(900)


def test_an_open_poll_is_found_until_its_voting_ends(world: World, session: Session) -> None:
    area = {"center": {"lat": CITY_HALL[0], "lon": CITY_HALL[1]}, "radius_m": 100}
    poll = world.open_poll(presence={"rule": "area", "area": area})
    poll_id = uuid.UUID(poll["id"])
    hide_ended(session)
    assert ids(session, CITY_HALL) == [poll_id]
    session.execute(text("UPDATE poll_place SET live_until = now() - interval '1 second'"))
    hide_ended(session)
    assert ids(session, CITY_HALL) == []


def test_a_site_that_joins_an_open_poll_is_found_at_once(world: World, session: Session) -> None:
    poll = world.open_poll(presence={"rule": "site"})
    site = a_site(session, CITY_HALL)
    add_site_place(session, poll_id=uuid.UUID(poll["id"]), site_id=site.id)
    assert ids(session, CITY_HALL) == [uuid.UUID(poll["id"])]


def test_a_site_that_joins_a_draft_is_not_found_yet(world: World, session: Session) -> None:
    draft = world.draft(presence={"rule": "site"})
    add_site_place(session, poll_id=uuid.UUID(draft["id"]), site_id=a_site(session, CITY_HALL).id)
    assert ids(session, CITY_HALL) == []


def test_an_area_that_one_poll_leaves_while_another_comes_stays_in_use(
    session: Session,
    owner: Session,
    engines: dict[str, Engine],
    cluster: TestCluster,
    database: str,
) -> None:
    add_area(owner, "11", polygon(SQUARE))
    leaving, coming = (fenced(session, {"area_code": "11"}) for _ in range(2))
    for poll_id in (leaving, coming):
        put_place(session, poll_id=poll_id)
    set_live(session, poll_id=leaving, live=True)
    session.commit()

    def come() -> None:
        with Session(engines["api"]) as other, transaction(other):
            set_live(other, poll_id=coming, live=True)

    set_live(session, poll_id=leaving, live=False)
    with ThreadPoolExecutor(1) as pool:
        arrival = pool.submit(come)
        wait_until_blocked(cluster.admin(database), "FROM area")
        session.commit()
        arrival.result()
    assert ids(session, CITY_HALL) == [coming]
