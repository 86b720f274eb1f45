"""The demo on real Seoul: loaded whole, once, from wherever a killed load stopped; removable."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from geographiclib.geodesic import Geodesic

from api.commands.areas import owner_session
from api.db import transaction
from api.demo import asking, loading
from api.demo.poll_shapes import MOMENTS
from api.demo.polls import CLOSED, NEAR_GWANGHWAMUN, POLLS
from api.demo.sites import SITES, DemoSite
from tests.support.city import City, a_city
from tests.support.database import TestCluster
from tests.support.world import GWANGHWAMUN, new_key, position

SEOUL_STATION = {"lat": 37.5547, "lon": 126.9707}  # 2 km from Gwanghwamun
ALL_BALLOTS = {poll.key: poll.ballots for poll in POLLS}


@pytest.fixture(scope="module")
def seoul(
    cluster: TestCluster, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[City]:
    """The demo, loaded."""
    with a_city(cluster, f"demo_{worker_id}", tmp_path_factory.mktemp("seoul")) as city:
        result = city.run("demo", "load")
        assert (result.exit_code, result.stderr) == (0, "")
        yield city


@pytest.fixture
def bare(cluster: TestCluster, worker_id: str, tmp_path: Path) -> Iterator[City]:
    """A database with nothing in it."""
    with a_city(cluster, f"bare_{worker_id}", tmp_path) as city:
        yield city


def shown(city: City) -> Any:
    """What `flask demo show` says there is to try."""
    return json.loads(city.run("demo", "show").stdout)


def is_ready(city: City) -> bool:
    return bool(city.client().get("/readyz").get_json()["demo"])


def eligibility(city: City, key: str, headers: dict[str, str], **evidence: Any) -> Any:
    url = f"{shown(city)['polls'][key]['url']}/eligibility"
    return city.client().post(_path(url), json=evidence, headers=headers).get_json()


def cast(city: City, key: str, headers: dict[str, str], **evidence: Any) -> tuple[int, str | None]:
    """Cast for the first option; status, and the code of a refusal."""
    poll = shown(city)["polls"][key]
    answer = city.client().post(
        f"{_path(poll['url'])}/ballots",
        json={"selections": poll["options"][:1], **evidence},
        headers=headers | {"Idempotency-Key": new_key()},
    )
    return answer.status_code, answer.get_json().get("code")


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def participations(city: City, poll_id: str) -> int:
    query = "SELECT count(*) FROM participation WHERE poll_id = %s"
    return int(city.rows(query, poll_id)[0][0])


def ballots_in(city: City) -> dict[str, int]:
    return {key: participations(city, poll["id"]) for key, poll in shown(city)["polls"].items()}


class Stopped(Exception):
    """A load that was interrupted."""


def load_and_stop_at_once(city: City) -> None:
    """Load, and be interrupted after the first step."""

    def stop(step: str) -> None:
        raise Stopped(step)

    with city.app.app_context(), pytest.raises(Stopped):
        loading.load(say=stop, as_owner=lambda: owner_session(city.settings))


def test_every_poll_of_the_demo_is_open_but_three_that_are_published(seoul: City) -> None:
    states = [shown(seoul)["polls"][poll.key]["status"] for poll in POLLS]
    assert states == ["published" if poll.ends_at_once else "open" for poll in POLLS]


def test_the_city_has_its_districts_neighbourhoods_and_sites(seoul: City) -> None:
    kinds = dict(seoul.rows("SELECT kind, count(*) FROM area GROUP BY kind"))
    assert kinds == {"sido": 1, "gu": 25, "legal_dong": 467}
    assert seoul.rows("SELECT count(*) FROM site") == [(len(SITES),)]
    assert len(SITES) >= 20


def test_a_loaded_demo_is_ready_and_a_further_load_changes_nothing(seoul: City) -> None:
    before = seoul.content()
    result = seoul.run("demo", "load")
    assert (result.exit_code, result.stdout) == (0, "the demo is loaded already\n")
    assert seoul.content() == before
    assert is_ready(seoul)


def test_every_ballot_of_the_demo_is_in_the_box_of_its_poll(seoul: City) -> None:
    assert ballots_in(seoul) == ALL_BALLOTS


def test_the_published_result_adds_up(seoul: City) -> None:
    result = seoul.client().get(_path(shown(seoul)["results"])).get_json()
    votes = [option["votes"] for option in result["options"]]
    assert result["turnout"]["ballots"] == CLOSED.ballots
    assert sum(votes) + result["turnout"]["blank"] == CLOSED.ballots
    assert min(votes) > 0
    figures = {name: result["statement"][name] for name in ("participations", "entries", "records")}
    assert set(figures.values()) == {CLOSED.ballots}


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.key)
def test_each_site_lies_in_the_district_of_its_address(seoul: City, site: DemoSite) -> None:
    here = {"lat": site.lat, "lon": site.lon}
    found = seoul.client().post("/v1/areas/locate", json=here).get_json()["items"]
    assert [area["area_code"] for area in found if area["kind"] == "gu"] == [site.gu]


@pytest.mark.parametrize(
    ("key", "station", "line"),
    [
        ("city-hall-station", "시청", "1호선"),
        ("gwanghwamun-station", "광화문", "5호선"),
        ("jamsil-station", "잠실", "2호선"),
    ],
)
def test_stations_of_the_demo_are_where_the_city_has_them(
    shared_data: Path, key: str, station: str, line: str
) -> None:
    site = next(site for site in SITES if site.key == key)
    with (shared_data / "points" / "seoul_subway_stations.csv").open(encoding="utf-8") as file:
        known = [
            row for row in csv.DictReader(file) if (row["name"], row["lines"]) == (station, line)
        ]
    [row] = known
    away = Geodesic.WGS84.Inverse(site.lat, site.lon, float(row["lat"]), float(row["lon"]))["s12"]
    assert away < site.radius_m


def test_a_passer_by_votes_at_gwanghwamun_but_not_from_seoul_station(seoul: City) -> None:
    voter, poll = seoul.headers(), NEAR_GWANGHWAMUN
    away, here = position(**SEOUL_STATION), position(**GWANGHWAMUN)
    assert cast(seoul, poll.key, voter, position=away) == (403, "outside-area")
    assert participations(seoul, shown(seoul)["polls"][poll.key]["id"]) == poll.ballots
    assert eligibility(seoul, poll.key, voter, position=here)["may_vote"]


def test_the_poll_at_gwanghwamun_is_found_there(seoul: City) -> None:
    asked = {"position": position(**GWANGHWAMUN), "radius_m": 500}
    found = seoul.client().post("/v1/polls/nearby", json=asked).get_json()["items"]
    assert shown(seoul)["polls"]["gwanghwamun-sundays"]["id"] in [poll["id"] for poll in found]


def test_a_reader_scans_the_code_in_the_library_and_may_vote(seoul: City) -> None:
    code = shown(seoul)["site_code"].rpartition("/")[2]
    landing = seoul.client().get(f"/q/{code}", headers={"Accept": "application/json"}).get_json()
    site = next(site for site in SITES if site.ko == landing["site"]["name"]["ko"])
    reader, here = seoul.headers(), position(site.lat, site.lon)
    scanned = seoul.client().post(
        f"/v1/codes/{code}/scans", json={"position": here}, headers=reader
    )
    token = scanned.get_json()["presence_token"]
    assert eligibility(seoul, "library-evenings", reader, presence_token=token)["may_vote"]
    refusal = eligibility(seoul, "library-evenings", reader)["reasons"]
    assert [reason["code"] for reason in refusal] == ["presence-required"]


@pytest.mark.parametrize(
    ("area", "birth_year", "may_vote"),
    [("11110", "1950", True), ("11110", "2000", False), ("11140", "1950", False)],
)
def test_only_seniors_of_jongno_may_vote_on_their_classes(
    seoul: City, area: str, birth_year: str, *, may_vote: bool
) -> None:
    voter = seoul.headers("--area", area, "--birth-year", birth_year)
    assert eligibility(seoul, "jongno-seniors", voter)["may_vote"] is may_vote


def test_texts_are_in_korean_and_english(seoul: City) -> None:
    for known in [*shown(seoul)["polls"].values()][:-1]:  # the last one's is in a private room
        poll = seoul.client().get(_path(known["url"])).get_json()
        texts = [poll["title"], poll["description"], poll["question"]["text"]]
        texts += [option["title"] for option in poll["question"]["options"]]
        assert all(set(text) == {"ko", "en"} for text in texts)


def test_a_poll_that_has_ended_is_followed_by_a_new_one(seoul: City) -> None:
    before = {key: poll["id"] for key, poll in shown(seoul)["polls"].items()}
    seoul.end_voting(before["reuse-market"])
    assert seoul.run("demo", "load").exit_code == 0
    after = shown(seoul)["polls"]
    assert after["reuse-market"]["status"] == "open"
    assert {key for key in before if after[key]["id"] != before[key]} == {"reuse-market"}
    assert seoul.client().get(f"/v1/polls/{before['reuse-market']}").status_code == 200
    assert is_ready(seoul)


def test_a_load_that_is_killed_is_completed_by_the_next(bare: City) -> None:
    assert not is_ready(bare)
    bare.run_and_kill("demo", "load", after=f"{CLOSED.key}: 320 ballots")
    assert not is_ready(bare)
    bare.run_and_kill("demo", "load", after="jongno-seniors: 24 ballots")
    assert not is_ready(bare)
    assert bare.run("demo", "load").exit_code == 0
    assert is_ready(bare)
    assert ballots_in(bare) == ALL_BALLOTS
    others = "SELECT count(*) FROM poll WHERE id NOT IN (SELECT poll_id FROM contest_poll)"
    assert bare.rows(others) == [(len(POLLS),)]
    assert bare.rows("SELECT count(*) FROM site") == [(len(SITES),)]


def test_a_closed_poll_without_its_ballots_is_asked_again(bare: City) -> None:
    bare.run("keys", "init")
    with bare.app.app_context(), transaction() as session:
        killed = asking.ask(session, CLOSED, MOMENTS[0], {})
    bare.end_voting(str(killed))
    load_and_stop_at_once(bare)
    polls = bare.rows("SELECT id FROM poll WHERE id <> %s", killed)
    assert [participations(bare, poll_id) for (poll_id,) in polls] == [CLOSED.ballots]
    assert participations(bare, str(killed)) == 0


def test_reset_empties_the_database_and_destroys_the_keys_of_its_polls(bare: City) -> None:
    load_and_stop_at_once(bare)
    result = bare.run("demo", "reset", "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert set(bare.content()) == {"alembic_version", "spatial_ref_sys"}
    kept = [path for path in bare.settings.keystore.rglob("*.key") if path.parent.name != "api"]
    assert {path.parent.name for path in kept} == {"token", "receipt", "presence", "room"}
    assert bare.rows("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'") == [(0,)]


def test_reset_asks_first(bare: City) -> None:
    load_and_stop_at_once(bare)
    before = bare.content()
    result = bare.run("demo", "reset", input="n\n")
    assert result.exit_code != 0
    assert "Remove 1 poll and" in result.stdout
    assert bare.content() == before


def test_reset_leaves_a_database_alone_that_never_saw_the_demo(bare: City) -> None:
    bare.headers()
    before = bare.content()
    result = bare.run("demo", "reset", "--yes")
    assert result.exit_code != 0
    assert "No demo was ever loaded here" in result.stderr
    assert bare.content() == before


def test_production_has_no_demo(bare: City) -> None:
    load_and_stop_at_once(bare)
    before = bare.content()
    bare.app.extensions["settings"] = replace(bare.settings, environment="production")
    for words in ("load", "reset --yes"):
        result = bare.run("demo", *words.split())
        assert result.exit_code != 0
        assert "no demo in production" in result.stderr
    assert bare.content() == before


def test_show_says_so_where_no_demo_is(bare: City) -> None:
    result = bare.run("demo", "show")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no demo here yet" in result.stderr


def test_making_keys_fills_the_stock_of_sealing_keys(bare: City) -> None:
    assert "made 32 sealing keys" in bare.run("keys", "init").stdout
    assert bare.rows("SELECT count(*) FROM sealing_key WHERE poll_id IS NULL") == [(32,)]
    assert "sealing" not in bare.run("keys", "init").stdout


def test_keys_are_made_before_there_is_a_database_too(bare: City) -> None:
    elsewhere = bare.settings.counter_url.rpartition("/")[0] + "/nowhere"
    bare.app.extensions["settings"] = replace(bare.settings, counter_url=elsewhere)
    result = bare.run("keys", "init")
    assert result.exit_code == 0
    assert "no sealing keys made" in result.stderr
