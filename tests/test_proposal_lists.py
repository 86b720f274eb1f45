"""Finding proposals: filters, pages, maps, spreadsheets, places, and what is similar."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlalchemy.orm import Session

from mvote.budget.bigrams import ALIKE, bigrams, similarity
from tests.support.hostile import no_trace
from tests.support.places import add_area, box, polygon
from tests.support.proposals import ITEM, Town, refused
from tests.support.world import World

HERE = {"lat": 37.5663, "lon": 126.9779}
NEXT_DOOR = {"type": "Point", "coordinates": [126.9780, 37.5664]}
FAR_OFF = {"lat": 37.5200, "lon": 126.9200}


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle."""
    return Town(world)


def _list(town: Town, accept: str = "application/json", **query: Any) -> Any:
    path = f"/v1/cycles/{town.cycle_id}/proposals"
    answer = town.world.client.get(path, query_string=query, headers={"Accept": accept})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer if accept == "text/csv" else answer.get_json(force=True)


def test_the_list_has_what_was_submitted_newest_first_in_pages(town: Town) -> None:
    author = town.author()
    town.draft(author)
    made = [town.submitted(author)["id"] for _ in range(3)]
    first = _list(town, limit=2)
    second = _list(town, limit=2, cursor=first["next_cursor"])
    assert [each["id"] for each in first["items"] + second["items"]] == made[::-1]
    assert second["next_cursor"] is None


def test_the_list_is_narrowed_by_each_filter(town: Town) -> None:
    author = town.author()
    park = town.submitted(author, title="공원 정자")
    event = town.submitted(
        author,
        title="골목 축제",
        heading="local",
        kind="event",
        cost_items=[ITEM],
        places=[HERE],
    )
    for query, expected in (
        ({"heading": "parks"}, [park]),
        ({"kind": "event"}, [event]),
        ({"q": "축제 골목"}, [event]),
        ({"q": "%"}, []),
        ({"state": "submitted"}, [event, park]),
        ({"state": "lapsed"}, []),
        ({"overdue": "true"}, []),
    ):
        assert [each["id"] for each in _list(town, **query)["items"]] == [
            each["id"] for each in expected
        ], query


def test_no_cell_of_the_spreadsheet_is_a_formula(town: Town) -> None:
    author = town.author()
    evil = ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "＝1", " =1")
    for title in evil:
        town.submitted(author, title=title)
    answer = _list(town, "text/csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    text = answer.get_data().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["title_ko"] for row in rows} == {f"'{title.strip()}" for title in evil}
    assert all(row["amount"] == "6000000" for row in rows)


def test_the_spreadsheet_has_them_all_however_many_are_read_at_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.budget.proposal_lists.MOST_ROWS", 2)
    author = town.author()
    references = [town.submitted(author)["reference"] for _ in range(3)]
    path = f"/v1/cycles/{town.cycle_id}/proposals"
    sheet = town.world.client.get(path, headers={"Accept": "text/csv"}).get_data(as_text=True)
    rows = csv.DictReader(io.StringIO(sheet.removeprefix("\ufeff")))
    assert [row["reference"] for row in rows] == references[::-1]


def test_the_map_has_a_feature_for_each_proposal(town: Town) -> None:
    author = town.author()
    nowhere = town.submitted(author)
    square = polygon(box(126.97, 37.56, 126.98, 37.57))
    there = town.submitted(author, places=[HERE, square])
    found = _list(town, "application/geo+json")
    assert found["type"] == "FeatureCollection"
    shapes = {each["id"]: each["geometry"] for each in found["features"]}
    assert shapes[nowhere["id"]] is None
    point, drawn = shapes[there["id"]]["geometries"]
    assert point == {"type": "Point", "coordinates": [126.9779, 37.5663]}
    assert drawn["type"] in ("Polygon", "MultiPolygon")


def test_a_place_outside_the_city_or_with_swapped_numbers_is_refused(
    town: Town, owner: Session
) -> None:
    add_area(owner, "11110", polygon(box(126.9, 37.5, 127.0, 37.6)))
    add_area(owner, "11140", polygon(box(127.0, 37.5, 127.1, 37.6)))
    author = town.author()
    inside = town.draft(author, places=[HERE, polygon(box(126.98, 37.55, 127.02, 37.56))])
    assert inside["area_codes"] == ["11110", "11140"]
    named = town.draft(author, places=[{"area_code": "11140"}])
    assert named["area_codes"] == ["11140"]
    wrong: list[tuple[Any, str]] = [
        ({"lat": 35.1, "lon": 129.0}, "/places/0"),
        (polygon(box(127.05, 37.55, 127.2, 37.56)), "/places/0"),
        ({"type": "Point", "coordinates": [37.5663, 126.9779]}, "/places/0/coordinates"),
        ({"lat": 126.9779, "lon": 37.5663}, "/places/0/lat"),
        ({"area_code": "99999"}, "/places/0/area_code"),
        (polygon([[126.95, 37.55], [126.96, 37.56], [126.96, 37.55], [126.95, 37.56],
                  [126.95, 37.55]]), "/places/0"),
        ({"type": "Point", "coordinates": [1e999, 0]}, "/places/0"),
    ]  # fmt: skip
    with no_trace(town.world):
        for place, pointer in wrong[:-1]:
            answer = town.try_draft(author, places=[place])
            assert refused(answer) == (422, "invalid-request"), place
            assert [each["pointer"] for each in answer.get_json()["errors"]] == [pointer]


def test_the_list_is_narrowed_to_an_area(town: Town, owner: Session) -> None:
    add_area(owner, "11", polygon(box(126.8, 37.4, 127.2, 37.7)), kind="sido")
    add_area(owner, "11110", polygon(box(126.9, 37.5, 127.0, 37.6)), parent_code="11")
    author = town.author()
    inside = town.submitted(author, places=[HERE])
    town.submitted(author, places=[{"lat": 37.65, "lon": 127.1}])
    assert [each["id"] for each in _list(town, area="11110")["items"]] == [inside["id"]]
    assert len(_list(town, area="11")["items"]) == 2


def _similar(town: Town, proposal: dict[str, Any], author: Any = None) -> list[dict[str, Any]]:
    headers = author.headers if author else {}
    answer = town.world.client.get(f"/v1/proposals/{proposal['id']}/similar", headers=headers)
    return list(answer.get_json()["items"])


def test_what_reads_alike_is_found_before_submitting_with_what_became_of_it(town: Town) -> None:
    author = town.author()
    earlier = town.new_cycle(budget_year=2026)
    old = town.submitted(author, earlier, title="버스 정류소에 그늘막을 설치")
    town.put_in(old, "not_funded")
    town.submitted(author, title="어린이 도서관 책 구입")
    draft = town.draft(author, title="버스정류장 그늘막 설치")
    (found,) = _similar(town, draft, author)
    assert (found["id"], found["state"], found["cycle_id"]) == (old["id"], "not_funded", earlier)
    assert found["likeness"] > 0.4


def test_the_likest_come_first_and_each_is_as_like_as_its_bigrams_say(town: Town) -> None:
    author, wanted = town.author(), "효자동 버스 정류장 그늘막 설치"
    titles = [
        "효자동 버스 정류장 그늘막 설치", "효자동 버스 정류장 그늘막 정비",
        "사직동 버스 정류장 의자 설치", "효자동 경로당 지붕 설치", "버스 정류장", "어린이 도서관",
        "효자동 그늘막",
    ]  # fmt: skip
    others = {town.submitted(author, title=each)["id"]: each for each in titles}
    found = _similar(town, town.draft(author, title=wanted), author)
    like = {each: similarity(bigrams(wanted), bigrams(title)) for each, title in others.items()}
    alike = [each for each in like if like[each] >= ALIKE]
    expected = sorted(alike, key=lambda each: (-like[each], each))
    assert [(each["id"], each["likeness"]) for each in found] == [
        (each, round(float(like[each]), 3)) for each in expected
    ]
    assert 3 <= len(expected) < len(titles)


def test_the_longest_title_is_compared_like_any_other(town: Town) -> None:
    author, longest = town.author(), "".join(map(chr, range(0xAC00, 0xAC00 + 200)))
    twin = town.submitted(author, title=longest)
    (found,) = _similar(town, town.draft(author, title=longest), author)
    assert (found["id"], found["likeness"]) == (twin["id"], 1)


def test_what_would_stand_near_is_found_whatever_it_is_called(town: Town) -> None:
    author = town.author()
    near = town.submitted(author, title="분수대 보수", places=[NEXT_DOOR])
    town.submitted(author, title="체육관 조명", places=[FAR_OFF])
    draft = town.draft(author, title="나무 의자", places=[HERE])
    (found,) = _similar(town, draft, author)
    assert found["id"] == near["id"]
    assert found["distance_m"] == pytest.approx(14.2, abs=1)


def test_drafts_of_others_are_never_called_similar(town: Town) -> None:
    town.draft(town.author(), places=[HERE])
    author = town.author()
    assert _similar(town, town.draft(author, places=[HERE]), author) == []
