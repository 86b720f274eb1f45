"""No coordinate is stored or logged: after 1,000 casts from as many places none is found."""

from __future__ import annotations

import logging
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.logs import JsonLines
from ops.place import find
from tests.support.integrity import CIRCLE, code_at, nonce_of, site_of
from tests.support.searching import CLUSTER, paths_below
from tests.support.spellings import SPELLINGS, Place, Search, geohash
from tests.support.world import CITY_HALL, GWANGHWAMUN, World, new_key, position

CASTS = 1000
NEAR = (GWANGHWAMUN["lat"] + 0.0011, GWANGHWAMUN["lon"] + 0.0011)
PLACES: list[Place] = [
    (NEAR[0] + n * 1.03e-6 + 3e-8, NEAR[1] + n * 1.09e-6 + 7e-8) for n in range(CASTS)
]
"""All within the area, 100 m and more from its centre, which the definition may tell."""
REFUSED: list[Place] = [
    (36.1234567, 128.7654321),
    (95.4321987, 127.8765432),
    (35.7654329, 129.4561237),
]
"""Outside, out of range, and misspelt."""


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that the application logs, as it would be written."""
    ours = logging.getLogger("mvote")
    level = ours.level
    ours.setLevel(logging.DEBUG)
    ours.addHandler(caplog.handler)
    caplog.handler.setFormatter(JsonLines())
    yield caplog
    ours.removeHandler(caplog.handler)
    ours.setLevel(level)


def at(place: Place, **more: Any) -> dict[str, Any]:
    return position(place[0], place[1], **more)


def cast_a_thousand(world: World) -> None:
    """Most as apps do; every twentieth with a nonce, every fiftieth looked at twice."""
    poll = world.open_poll(presence=CIRCLE)
    for n, (voter, place) in enumerate(zip(world.citizens(CASTS), PLACES, strict=True)):
        more: dict[str, Any] = {}
        if n % 20 == 0:
            more = {"integrity": {"nonce": nonce_of(world, voter), "mock": n % 40 == 0}}
        if n % 50 == 0:
            body = {"position": at(place)} | more
            url = f"/v1/polls/{poll['id']}/eligibility"
            assert world.client.post(url, json=body, headers=voter.headers).status_code == 200
            stale = world.cast(poll, voter, position=at(place, age_s=90))
            assert stale.get_json()["code"] == "position-stale"
        assert world.cast(poll, voter, position=at(place), **more).status_code == 201


def be_refused(world: World) -> None:
    """Ballots, questions and scans that are wrong in every way."""
    officer, voter = world.officer(), world.citizen()
    poll = world.open_poll(officer, presence=CIRCLE)
    code = code_at(world, site_of(world, officer), poll, officer)
    outside, beyond, misspelt = (at(place) for place in REFUSED)
    wrong = [outside, beyond, misspelt | {"lat": str(misspelt["lat"])}, misspelt | {"lng": 1.5}]
    paths = (
        f"polls/{poll['id']}/ballots",
        f"polls/{poll['id']}/eligibility",
        f"codes/{code}/scans",
    )
    for path in paths:
        for where in wrong:
            body: dict[str, Any] = {"position": where}
            body |= {"selections": ["yes"]} if path.endswith("ballots") else {}
            headers = voter.headers | {"Idempotency-Key": new_key()}
            answer = world.client.post(f"/v1/{path}", json=body, headers=headers)
            assert answer.status_code in (200, 403, 422)
            assert "7654321" not in answer.get_data(as_text=True)
        broken = f'{{"position": {{"lat": {REFUSED[2][0]}, "lon": {REFUSED[2][1]}'
        headers = voter.headers | {"Content-Type": "application/json", "Idempotency-Key": new_key()}
        answer = world.client.post(f"/v1/{path}", data=broken, headers=headers)
        assert answer.status_code == 400


def haystacks(world: World, logs: pytest.LogCaptureFixture, since: float) -> dict[str, list[bytes]]:
    """The dump, the database's files, all WAL *since* then, what the server and we logged."""
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        [(oid,)] = connection.execute(
            "SELECT oid FROM pg_database WHERE datname = current_database()"
        ).fetchall()
    cluster = find(CLUSTER)
    program = shutil.which("pg_dump") or "pg_dump"
    dump = subprocess.run([program, world.admin_url], capture_output=True, check=True).stdout
    return {
        "dump": [dump],
        "files": contents(cluster.data / "base" / str(oid), 0),
        "WAL": contents(cluster.data / "pg_wal", since),
        "server log": [Path(cluster.log).read_bytes()],
        "logs": ["\n".join(map(logs.handler.format, logs.records)).encode()],
    }


def contents(folder: Path, since: float) -> list[bytes]:
    """Of every file below *folder* that was changed *since*."""
    found = []
    for path in paths_below(folder):
        with suppress(FileNotFoundError):  # the server tidies up
            if path.is_file() and path.stat().st_mtime >= since:
                found.append(path.read_bytes())
    return found


def found_in(places: dict[str, list[bytes]], searches: list[Search]) -> set[tuple[str, str]]:
    """Where which spelling is."""
    return {
        (where, name)
        for where, parts in places.items()
        for part in parts
        for search in searches
        for name in search.found_in(part)
    }


def test_after_a_thousand_casts_from_as_many_places_no_coordinate_is_found_in_any_spelling(
    world: World, logs: pytest.LogCaptureFixture
) -> None:
    since = time.time() - 1
    cast_a_thousand(world)
    be_refused(world)
    world.wiring.watch.write_now()
    assert world.wiring.watch.dropped == 0
    assert world.count("participation") == CASTS
    assert world.count("place_seen") >= CASTS
    searches = [Search(PLACES), *(Search([place]) for place in REFUSED)]
    places = haystacks(world, logs, since)
    assert b"/v1/polls/<uuid:poll_id>/ballots" in places["logs"][0]
    assert found_in(places, searches) == set()
    # Its twin, who forgets himself: each spelling of one place, kept, and one logged.
    write_all_down(world, PLACES[421])
    logging.getLogger("mvote").warning("cast from %s", PLACES[422])
    found = found_in(haystacks(world, logs, since), searches)
    assert {name for where, name in found if where == "dump"} == set(SPELLINGS)
    assert {name for where, name in found if where == "files"} == set(SPELLINGS)
    assert {name for where, name in found if where == "WAL"} == set(SPELLINGS)
    assert ("logs", "decimal") in found


def write_all_down(world: World, place: Place) -> None:
    """What nobody may do: a coordinate in every spelling, in one table.

    All of it twice: a page of the WAL may end, and the next begin with its header, in the midst of
    one, but hardly of its twin some thousand bytes later.
    """
    lat, lon = place
    whole = round(lat * 1e7), round(lon * 1e7)
    spelt = [struct.pack(form, lat, lon) for form in ("<dd", ">dd", "<ff", ">ff")]
    spelt += [struct.pack(form, *whole) for form in ("<ii", ">ii", "<qq", ">qq")]
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE whereabouts (said text, spelt bytea)")
        row = f"{lat} {lon} {round(lat * 1e7)} {geohash(place)[0].decode()}"
        for content in spelt * 2:
            connection.execute("INSERT INTO whereabouts VALUES (%s, %s)", [row, content])


@pytest.fixture(autouse=True)
def without_whereabouts(world: World) -> Iterator[None]:
    """The twin's table does not stay behind."""
    yield
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS whereabouts")


def test_the_search_knows_known_spellings() -> None:
    """The geohash of a published example, and a double as PostGIS writes it."""
    assert geohash((57.64911, 10.40744)) == [b"u4pruyd"]
    search = Search([(CITY_HALL["lat"], CITY_HALL["lon"])])
    ewkb = b"\x01\x01\x00\x00\x20\xe6\x10\x00\x00" + struct.pack("<dd", 126.9779, 37.5663)
    assert search.found_in(ewkb) == {"float8 little"}
    assert search.found_in(ewkb.hex().encode()) == {"float8 little"}
    assert search.found_in(b"nothing of the kind") == set()


def test_seconds_of_an_instant_are_no_latitude_and_a_latitude_is_one_wherever_it_stands() -> None:
    lat = f"{PLACES[421][0]:.6f}".encode()
    for places in (PLACES, PLACES[421:422]):
        search = Search(places)
        assert search.found_in(b"2026-11-22 20:45:" + lat + b"+00") == set()
        for before in (b"", b'"lat":', b"\t", b"7 "):
            assert search.found_in(before + lat) == {"decimal"}
