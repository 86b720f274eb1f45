"""The real map of Seoul: from the bundled package, and from files with known answers."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from api.db import new_engine
from geo.areas import Area, current, lineage, locate, valid_on
from geo.importing import import_areas
from geo.korea import BASE_DATE, NoSuchSido, import_korea, official_name, read_korea
from geo.maps import Properties, read_map
from tests.support.database import TestCluster

DONG = Properties(code="adm_cd2", name="adm_nm", parent="sgg")
MAPS_DIFFER_M = 60
"""Two offices' maps of a border differ by 8 to 27 m, and the bundle's is simplified, too."""


@pytest.fixture(scope="module")
def seoul_engine(cluster: TestCluster) -> Iterator[Engine]:
    """A database of its own with all of Seoul; importing it for each test would be slow."""
    name = cluster.clone("seoul")
    engine = new_engine(cluster.url("mvote_owner", name))
    with Session(engine) as session:
        import_korea(session, sido="11")
        session.commit()
    yield engine
    engine.dispose()
    cluster.drop(name)


@pytest.fixture
def seoul(seoul_engine: Engine) -> Iterator[Session]:
    """A session in it, whose changes are rolled back."""
    with Session(seoul_engine) as session:
        yield session


def codes(session: Session, kind: str) -> list[str]:
    """The codes of a kind."""
    return list(session.scalars(select(Area.area_code).where(Area.kind == kind)))


def located(session: Session, lat: float, lon: float, kind: str) -> list[str]:
    """The names of the areas of a kind at a point."""
    return [area.name["ko"] for area in locate(session, lat=lat, lon=lon) if area.kind == kind]


def test_seoul_has_its_25_gu_and_its_legal_dong_with_official_names(seoul: Session) -> None:
    assert codes(seoul, "sido") == ["11"]
    assert len(codes(seoul, "gu")) == 25
    assert len(codes(seoul, "legal_dong")) == 467
    assert current(seoul, "11").name == {"ko": "서울특별시", "en": "Seoul"}
    assert current(seoul, "11290").name == {"ko": "성북구", "en": "Seongbuk-gu"}
    assert current(seoul, "11110119").name == {"ko": "세종로"}
    assert current(seoul, "11110").valid_from == BASE_DATE
    names = [area.name for area in seoul.scalars(select(Area).where(Area.kind == "gu"))]
    assert all(name["ko"].endswith("구") and name["en"].endswith("-gu") for name in names)


def test_a_legal_dong_lies_in_its_gu_and_in_seoul(seoul: Session) -> None:
    assert lineage(seoul, "11110119") == ["11110119", "11110", "11"]


@pytest.mark.parametrize(
    ("lat", "lon", "gu", "dong"),
    [
        (37.5720, 126.9769, "종로구", "세종로"),  # Gwanghwamun Square
        (37.5663, 126.9779, "중구", "태평로1가"),  # City Hall
        (37.5512, 126.9882, "용산구", "용산동2가"),  # Namsan
        (37.5118, 127.0592, "강남구", "삼성동"),  # COEX
        (37.5260, 126.9280, "영등포구", "여의도동"),
    ],
)
def test_well_known_places_lie_where_everybody_knows(
    seoul: Session, lat: float, lon: float, gu: str, dong: str
) -> None:
    assert located(seoul, lat, lon, "gu") == [gu]
    assert located(seoul, lat, lon, "legal_dong") == [dong]


def test_a_gu_covers_its_legal_dong_and_has_no_gaps_between_them(seoul: Session) -> None:
    uncovered = """
        SELECT sum(ST_Area(ST_Difference(d.geom, g.geom)::geography)) FROM area d
        JOIN area g ON g.area_code = d.parent_code WHERE d.kind = 'legal_dong'"""
    assert seoul.scalar(text(uncovered)) < 25  # of 605 km², from rounding to a tenth of a mm
    holes = """
        SELECT sum(ST_NumInteriorRings(part.geom)) FROM area, ST_Dump(geom) part
        WHERE kind = 'gu'"""
    assert seoul.scalar(text(holes)) == 0
    apart = "SELECT max(ST_NumGeometries(geom)) FROM area WHERE kind IN ('gu', 'sido')"
    assert seoul.scalar(text(apart)) == 1


def test_importing_seoul_again_changes_nothing(seoul: Session) -> None:
    before = seoul.scalar(select(func.count()).select_from(Area))
    reports, _ = import_korea(seoul, sido="11")
    assert {kind: (r.new, r.changed) for kind, r in reports.items()} == {
        "sido": (0, 0),
        "gu": (0, 0),
        "legal_dong": (0, 0),
    }
    assert reports["legal_dong"].unchanged == 467
    assert seoul.scalar(select(func.count()).select_from(Area)) == before


def test_a_fault_of_the_bundle_is_repaired_aloud_and_without_moving_a_border() -> None:
    [repair] = read_korea("11").repairs
    assert repair.startswith("11440102 공덕동: Ring Self-intersection[126.95186")
    assert repair.endswith("changed by 0.000 m²")


@pytest.mark.parametrize("sido", ["", "1", "99", "11110", "서울"])
def test_an_unknown_sido_is_refused_with_those_there_are(sido: str) -> None:
    with pytest.raises(NoSuchSido, match="11 서울특별시"):
        read_korea(sido)


@pytest.mark.parametrize(
    ("name", "sido", "official"),
    [
        ("서울시성북구", "서울특별시", "성북구"),
        ("청주시흥덕구", "충청북도", "청주시 흥덕구"),
        ("종로구", "서울특별시", "종로구"),
        ("부산진구", "부산광역시", "부산진구"),
        ("시흥시", "경기도", "시흥시"),
    ],
)
def test_a_gu_is_called_by_its_official_name(name: str, sido: str, official: str) -> None:
    assert official_name(name, sido) == official


def test_the_command_imports_a_sido_and_tells_what_it_did(app: Flask, owner: Session) -> None:
    run = app.test_cli_runner().invoke
    result = run(args=["areas", "import-korea", "--sido", "36"])
    assert result.exit_code == 0
    assert "gu: 1 new, 0 changed, 0 unchanged" in result.output
    assert owner.scalar(select(func.count()).select_from(Area)) == 26
    wrong = run(args=["areas", "import-korea", "--sido", "99"])
    assert wrong.exit_code == 1
    assert "There is no sido 99" in wrong.output


@pytest.fixture
def stations(shared_data: Path) -> list[dict[str, str]]:
    """357 stations, each with the areas it is in."""
    path = shared_data / "points" / "seoul_subway_stations.csv"
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_425_dong_are_imported_and_357_stations_located_in_them(
    seoul: Session, shared_data: Path, stations: list[dict[str, str]]
) -> None:
    path = shared_data / "boundaries" / "seoul_hangjeongdong_2021.geojson"
    areas, bad = read_map(path.read_bytes(), DONG)
    report = import_areas(
        seoul, kind="dong", areas=areas, bad=bad, valid_from=BASE_DATE, source=path.name
    )
    assert (report.new, report.unknown_parents) == (425, [])
    assert len(stations) == 357
    for station in stations:
        found = locate(seoul, lat=float(station["lat"]), lon=float(station["lon"]))
        dong = [area.area_code for area in found if area.kind == "dong"]
        assert dong == [station["adm_cd2"]], station["name"]
    assert lineage(seoul, stations[0]["adm_cd2"]) == [stations[0]["adm_cd2"], "11710", "11"]


def test_stations_lie_in_their_legal_dong_and_gu_as_another_office_has_them(
    seoul: Session, stations: list[dict[str, str]]
) -> None:
    differ = []
    for station in stations:
        lat, lon = float(station["lat"]), float(station["lon"])
        assert station["legal_dong_ngii2023"] in [*located(seoul, lat, lon, "legal_dong"), ""]
        assert station["gu_ngii2023"] in [*located(seoul, lat, lon, "gu"), ""]
        if station["gu"] not in located(seoul, lat, lon, "gu"):
            differ.append(_metres_to_gu(seoul, lat, lon, station["gu"]))
    assert len(differ) <= 15
    assert max(differ) < MAPS_DIFFER_M


def _metres_to_gu(session: Session, lat: float, lon: float, name: str) -> float:
    here = func.geography(func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326))
    distance = func.ST_Distance(func.geography(Area.geom), here)
    of_name = select(distance).where(Area.kind == "gu", Area.name["ko"].astext == name)
    return float(session.scalars(of_name).one())


def test_a_map_of_another_office_becomes_the_next_version(
    seoul: Session, shared_data: Path
) -> None:
    path = shared_data / "boundaries" / "seoul_gu_dissolved_2021.geojson"
    areas, bad = read_map(path.read_bytes(), Properties(code="sgg", name="sggnm"))
    day = BASE_DATE.replace(year=2024)
    report = import_areas(seoul, kind="gu", areas=areas, bad=bad, valid_from=day, source=path.name)
    assert (report.new, report.changed, report.unchanged) == (0, 25, 0)
    jongno = current(seoul, "11110")
    assert (jongno.valid_from, jongno.parent_code) == (day, "11")
    assert jongno.name["en"] == "Jongno-gu"
    valid = select(func.count()).select_from(Area).where(Area.kind == "gu", valid_on(day))
    assert seoul.scalar(valid) == 25


def test_an_invalid_map_is_refused_with_the_places_of_its_faults(
    app: Flask, owner: Session, shared_data: Path
) -> None:
    path = shared_data / "boundaries" / "seoul_neigh_juso2015_simple.geojson"
    words = ["--kind", "legal_dong", "--code-property", "EMD_CD", "--name-property", "EMD_KOR_NM"]
    result = app.test_cli_runner().invoke(args=["areas", "import", str(path), *words])
    assert result.exit_code == 1
    faults = [line for line in result.output.splitlines() if line.startswith("feature ")]
    assert [line.partition(" at longitude")[0] for line in faults] == [
        "feature 347 (11710112): Self-intersection,",
        "feature 397 (11200103): Self-intersection,",
    ]
    assert "longitude 127.1401966985108" in faults[0]
    assert "latitude 37.568272202286" in faults[1]
    assert owner.scalar(select(func.count()).select_from(Area)) == 0
