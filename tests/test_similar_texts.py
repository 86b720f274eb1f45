"""Texts that mean the same are found, however they are spaced and whatever particles they carry."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from fractions import Fraction

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from mvote.budget.bigrams import (
    ALIKE,
    bigrams,
    least_in_common,
    must_have_one_of,
    normalised,
    similarity,
    stem,
)
from tests.support.database import TestCluster

WANTED, ALIKE_TITLE = "버스정류장 그늘막 설치", "버스 정류소에 그늘막을 설치"
OTHERS = [
    "어린이놀이터 바닥 교체",
    "골목길 보안등 설치",
    "경로당에 공기청정기를 설치해 주세요",
    "버스 노선 안내 개선",
    "한강공원 자전거도로 정비",
    "Wi-Fi 존 확대 2025",
]


def alike(one: str, other: str) -> Fraction:
    return similarity(bigrams(one), bigrams(other))


def test_the_example_of_the_design_is_found_and_other_projects_are_not() -> None:
    assert alike(WANTED, ALIKE_TITLE) == Fraction(7, 9)
    assert all(alike(WANTED, other) < ALIKE for other in OTHERS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("어린이 놀이터에 그네를", "어린이놀이터 그네"),
        ("보안등 설치(골목길)", "보안등  설치 골목길!"),
        ("WI-FI 존 확대", "wifi존 확대"),
        ("ＷｉＦｉ 존", "WiFi 존"),
        (unicodedata.normalize("NFD", WANTED), WANTED),
    ],
)
def test_spacing_particles_signs_and_width_do_not_count(one: str, other: str) -> None:
    assert alike(one, other) == 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("그늘막을", "그늘막"),
        ("정류소에", "정류소"),
        ("공원에서부터", "공원"),
        ("평가", "평가"),
        ("마을", "마을"),
        ("우리마을", "우리마을"),
        ("어린이", "어린이"),
        ("나무", "나무"),
        ("은", "은"),
    ],
)
def test_a_particle_is_cut_off_only_if_a_stem_of_two_syllables_stays(
    word: str, expected: str
) -> None:
    assert stem(word) == expected


def test_particles_are_of_korean_words_only() -> None:
    assert normalised("CCTV가 2대") == "cctv가2대"


def test_a_bigram_is_one_number_that_postgresql_takes_as_integer() -> None:
    assert bigrams("가나") == [0xAC00 * 65_536 + 0xB098 - 2**31]
    assert all(-(2**31) <= each < 2**31 for each in bigrams("\uffee\uffee 가나 00 힣힣 🎉 zz"))
    assert bigrams("") == bigrams("가") == bigrams("🎉🎉") == []


@settings(deadline=None)
@given(st.text(), st.text())
def test_likeness_is_mutual_and_whole_only_for_the_same_pairs(one: str, other: str) -> None:
    first, second = bigrams(one), bigrams(other)
    assert similarity(first, second) == similarity(second, first)
    assert 0 <= similarity(first, second) <= 1
    assert (similarity(first, second) == 1) == (first == second and bool(first))


NUMBERS = st.sets(st.integers(0, 12), min_size=1, max_size=10).map(sorted)


@settings(deadline=None)
@given(NUMBERS, NUMBERS, st.dictionaries(st.integers(0, 12), st.integers(0, 5)))
def test_whatever_is_alike_has_one_of_the_rarest_whatever_is_thought_rare(
    wanted: list[int], other: list[int], frequency: dict[int, int]
) -> None:
    if similarity(wanted, other) >= ALIKE:
        assert len({*wanted} & {*other}) >= least_in_common(len(wanted))
        assert {*must_have_one_of(wanted, frequency)} & {*other}


FREQUENCY = """
SELECT unnest(most_common_elems::text::int[]), unnest(most_common_elem_freqs)
FROM pg_stats WHERE tablename = 'title_to_search' AND attname = 'bigrams'
"""
SEARCH = """
SELECT title, in_common, cardinality(bigrams) FROM title_to_search, LATERAL (
  SELECT count(*) in_common FROM unnest(bigrams) held WHERE held = ANY (%(wanted)s::int[])) shared
WHERE bigrams && %(rarest)s::int[]
  AND 2 * in_common * %(of)s >= %(share)s * (cardinality(bigrams) + cardinality(%(wanted)s::int[]))
ORDER BY in_common::float / (cardinality(bigrams) + cardinality(%(wanted)s::int[])) DESC, title
LIMIT 10
"""


@pytest.fixture
def searchable(cluster: TestCluster, database: str) -> Iterator[psycopg.Cursor]:
    """A temporary table as the proposals will have it, with many titles."""
    titles = [ALIKE_TITLE, *OTHERS, *(f"{number}동 경로당 보수 설치" for number in range(2_000))]
    with psycopg.connect(cluster.admin(database)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE title_to_search (title text, bigrams int[])")
        rows = [(title, bigrams(title)) for title in titles]
        cursor.executemany("INSERT INTO title_to_search VALUES (%s, %s)", rows)
        cursor.execute("CREATE INDEX ON title_to_search USING gin (bigrams)")
        cursor.execute("ANALYZE title_to_search")
        yield cursor


def test_postgresql_finds_it_by_its_index_and_its_own_statistics(
    searchable: psycopg.Cursor,
) -> None:
    frequency: dict[int, float] = dict(searchable.execute(FREQUENCY).fetchall())
    wanted = bigrams(WANTED)
    rarest = must_have_one_of(wanted, frequency)
    assert set(bigrams("설치")).isdisjoint(rarest)
    values = {
        "wanted": wanted, "rarest": rarest, "share": ALIKE.numerator, "of": ALIKE.denominator,
    }  # fmt: skip
    searchable.execute("SET LOCAL enable_seqscan = off")
    plan = searchable.execute(sql.SQL("EXPLAIN " + SEARCH), values).fetchall()
    assert any("Bitmap Index Scan" in line for (line,) in plan)
    assert searchable.execute(SEARCH, values).fetchall() == [(ALIKE_TITLE, 7, 9)]
    everything = {**values, "rarest": wanted, "share": 0}
    found = searchable.execute(SEARCH, everything).fetchall()
    assert found[0][0] == ALIKE_TITLE
    assert len(found) == 10
