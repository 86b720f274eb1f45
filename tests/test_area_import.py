"""Importing a map: whole or not at all, every fault named, and again without effect."""

from __future__ import annotations

import copy
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.areas import Area, current
from geo.importing import BadFeature, MapRefused, import_areas
from geo.maps import Properties, read_map
from tests.support.places import box, polygon, ring

BOW_TIE = polygon(ring((126.9, 37.5), (127.0, 37.6), (127.0, 37.5), (126.9, 37.6)))
FIRST_DAY, SECOND_DAY = dt.date(2024, 1, 1), dt.date(2025, 1, 1)
NAMES = Properties(code="code", name="name", parent_prefix=2)
WORDS = ("--kind", "gu", "--code-property", "code", "--name-property", "name")
SURROGATE = "\ud800"

Feature = dict[str, Any]


def feature(code: Any, west: float = 126.9, **changes: Any) -> Feature:
    """A district of a tenth of a degree."""
    made: Feature = {
        "type": "Feature",
        "properties": {"code": code, "name": f"제{code}구"},
        "geometry": polygon(box(west, 37.5, west + 0.1, 37.6)),
    }
    return made | changes


def a_map(*features: Any, **more: Any) -> Any:
    """A collection of features."""
    return {"type": "FeatureCollection", "features": list(features)} | more


TWO = (feature("11010"), feature("11020", 127.0))


@pytest.fixture
def run(app: Flask, owner: Session, tmp_path: Path) -> Any:
    """Runs `flask areas import` on a document; the tables are empty afterwards."""
    assert owner.is_active

    def act(document: Any, *more: str) -> Result:
        path = tmp_path / "map.geojson"
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        path.write_bytes(content)
        args = ["areas", "import", str(path), *WORDS, *more]
        return app.test_cli_runner().invoke(args=args)

    return act


def known(owner: Session, code: str = "11010") -> list[tuple[dt.date, dt.date | None]]:
    """The periods of the versions of a code."""
    owner.rollback()
    versions = select(Area.valid_from, Area.valid_to).where(Area.area_code == code)
    return [(row.valid_from, row.valid_to) for row in owner.execute(versions.order_by(Area.id))]


def test_a_map_is_imported_and_again_without_effect(run: Any, owner: Session) -> None:
    first = run(a_map(*TWO), "--valid-from", "2024-01-01", "--parent-prefix", "2")
    assert first.exit_code == 0
    assert "gu: 2 new, 0 changed, 0 unchanged" in first.output
    assert "parents not known yet: 11" in first.output
    again = run(a_map(*TWO))
    assert "gu: 0 new, 0 changed, 2 unchanged" in again.output
    assert known(owner) == [(FIRST_DAY, None)]
    area = current(owner, "11010")
    assert (area.kind, area.name, area.parent_code) == ("gu", {"ko": "제11010구"}, "11")
    assert area.source == "map.geojson"


def test_a_changed_boundary_becomes_a_new_version(run: Any, owner: Session) -> None:
    run(a_map(*TWO), "--valid-from", "2024-01-01")
    moved = run(a_map(feature("11010", 126.95), TWO[1]), "--valid-from", "2025-01-01")
    assert "gu: 0 new, 1 changed, 1 unchanged" in moved.output
    assert known(owner) == [(FIRST_DAY, SECOND_DAY), (SECOND_DAY, None)]


def test_an_older_map_is_put_before_the_newer(run: Any, owner: Session) -> None:
    run(a_map(TWO[0]), "--valid-from", "2025-01-01")
    older = run(a_map(feature("11010", 126.95)), "--valid-from", "2024-01-01")
    assert "gu: 1 new" in older.output
    assert known(owner) == [(SECOND_DAY, None), (FIRST_DAY, SECOND_DAY)]


def test_a_correction_on_the_same_day_leaves_a_version_that_never_was(
    run: Any, owner: Session
) -> None:
    run(a_map(TWO[0]), "--valid-from", "2024-01-01")
    run(a_map(feature("11010", 126.95)), "--valid-from", "2024-01-01")
    assert known(owner) == [(FIRST_DAY, FIRST_DAY), (FIRST_DAY, None)]
    assert "1 unchanged" in run(a_map(feature("11010", 126.95))).output


def test_a_map_that_says_less_denies_nothing(run: Any, owner: Session) -> None:
    named = feature("11010", properties={"code": "11010", "name": "종로구", "en": "Jongno-gu"})
    run(a_map(named), "--parent-prefix", "2", "--english-name-property", "en")
    assert "1 unchanged" in run(a_map(named)).output
    renamed = feature("11010", properties={"code": "11010", "name": "한양구"})
    assert "1 changed" in run(a_map(renamed)).output
    area = current(owner, "11010")
    assert (area.name, area.parent_code) == ({"ko": "한양구"}, "11")


def without(code: str, name: str) -> Feature:
    """A feature that lacks a property."""
    made = copy.deepcopy(feature(code))
    del made["properties"][name]
    return made


BAD_FEATURES: list[tuple[Any, str]] = [
    (None, "not a Feature"),
    ({"type": "Feature"}, "no properties"),
    (feature("11030", properties=[]), "no properties"),
    (without("11030", "code"), "no property 'code'"),
    (feature(""), "not a code"),
    (feature(True), "not a code"),
    (feature(1.5), "not a code"),
    (feature("11 030"), "not a code"),
    (feature("1" * 21), "not a code"),
    (without("11030", "name"), "no text in 'name'"),
    (feature("11030", properties={"code": "11030", "name": 7}), "no text in 'name'"),
    (feature("11030", properties={"code": "11030", "name": " "}), "no text in 'name'"),
    (feature("11030", properties={"code": "11030", "name": f"종{SURROGATE}"}), "half of one"),
    (feature("11030", properties={"code": "11030", "name": "종\x00로"}), "control"),
    (feature("11030", properties={"code": "11030", "name": "종\u202e로"}), "invisible"),
    (feature("11030", properties={"code": "11030", "name": "종" * 201}), "longer than 200"),
    (feature("11030", geometry=None), "no geometry"),
    (feature("11030", geometry={"type": "Point", "coordinates": [127, 37]}), "Only Polygon"),
    (feature("11030", geometry=BOW_TIE), "Self-intersection, at longitude 126.95, latitude 37.55"),
    (feature("11030", geometry=polygon(box(37.5, 126.9, 37.6, 127.0))), "swapped"),
    (feature("11030", geometry=polygon(box(953e3, 1952e3, 954e3, 1953e3))), "metres"),
    (feature("11030", geometry=polygon([[127, 37], [128, 37], [float("nan"), 38]] * 2)), "finite"),
    (feature("11030", geometry=polygon([[127 + n / 1e6, 37] for n in range(20_001)])), "20,000"),
    (feature("11010"), "same code as feature 1"),
    (feature("11"), "its own parent"),
]


@pytest.mark.parametrize(("bad", "why"), BAD_FEATURES)
def test_one_bad_feature_is_named_and_nothing_is_imported(
    run: Any, owner: Session, bad: Any, why: str
) -> None:
    result = run(a_map(*TWO, bad), "--parent-prefix", "2")
    assert result.exit_code == 1
    [line] = [line for line in result.output.splitlines() if line.startswith("feature ")]
    assert line.startswith("feature 3")
    assert why in line
    assert "Nothing was imported" in result.output
    assert owner.scalars(select(Area)).all() == []


def test_every_bad_feature_is_reported_at_once(owner: Session) -> None:
    document = a_map(feature("1", geometry=None), *TWO, feature("2", geometry=BOW_TIE), None)
    areas, bad = read_map(json.dumps(document).encode(), NAMES)
    with pytest.raises(MapRefused) as refused:
        import_areas(owner, kind="gu", areas=areas, bad=bad, valid_from=FIRST_DAY, source="x")
    assert [each.number for each in refused.value.bad] == [1, 4, 5]
    assert isinstance(refused.value.bad[0], BadFeature)


def test_a_code_keeps_its_kind(run: Any) -> None:
    run(a_map(*TWO))
    other = run(a_map(TWO[0]), "--kind", "dong")
    assert other.exit_code == 1
    assert "feature 1 (11010): this code is already that of a gu" in other.output


def test_swapped_coordinates_are_noticed_by_the_areas_that_are_known(
    run: Any, owner: Session
) -> None:
    run(a_map(feature("75", geometry=polygon(box(2.2, 48.8, 2.5, 48.9)))))
    swapped = run(a_map(feature("76", geometry=polygon(box(48.82, 2.3, 48.86, 2.4)))))
    assert "are longitude and latitude swapped" in swapped.output
    assert known(owner, "76") == []


NO_MAPS: list[tuple[Any, str]] = [
    (b"", "not JSON"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"type": "FeatureCollection", "features": [' + b"9" * 5_000 + b"]}", "not JSON"),
    ("종로구".encode("euc-kr"), "not in UTF-8"),
    ([], "not a GeoJSON FeatureCollection"),
    (feature("11010"), "not a GeoJSON FeatureCollection"),
    (a_map(), "no features"),
    ({"type": "FeatureCollection", "features": {}}, "no features"),
    (
        a_map(*TWO, crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::5179"}}),
        "urn:ogc:def:crs:EPSG::5179; only WGS 84",
    ),
]


@pytest.mark.parametrize(("document", "why"), NO_MAPS)
def test_what_is_no_map_is_refused_as_a_whole(run: Any, document: Any, why: str) -> None:
    result = run(document)
    assert result.exit_code == 1
    assert why in result.output
    assert "Nothing was imported" in result.output


def test_a_file_may_begin_with_a_byte_order_mark(run: Any) -> None:
    result = run(b"\xef\xbb\xbf" + json.dumps(a_map(*TWO)).encode())
    assert "2 new" in result.output


@pytest.mark.parametrize(
    "wrong",
    [
        ("--kind", "Gu"),
        ("--parent-prefix", "2", "--parent-property", "code"),
        ("--valid-from", "yesterday"),
    ],
)
def test_the_command_says_how_it_is_used(run: Any, wrong: tuple[str, ...]) -> None:
    assert run(a_map(*TWO), *wrong).exit_code == 2
