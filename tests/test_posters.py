"""Posters: A4 or A3, in Korean and English, one or for all sites; harmless whatever is written."""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from werkzeug.test import TestResponse

from api import rendering
from api.codes import posters
from api.codes.periods import period
from api.rendering import render
from mvote.base import utc_now
from qr.codes import display_site_code, site_code_url
from qr.poster import posters_pdf
from tests.support.photographs import (
    SPOILT,
    Decoder,
    Spoiling,
    both_decoders,
    pages_of,
    with_a_tenth_covered,
    zxing,
)
from tests.support.proposals import refused
from tests.support.sites import AT_SITE, Place
from tests.support.world import World

CODE = "7K2MQ9XATB4N"
URL = site_code_url(CODE, host="vote.seoul.example")
POSTER: dict[str, Any] = {
    "url": URL, "code": CODE,
    "title": {"ko": "광장에 나무를 심을까요?", "en": "Plant trees on the square?"},
    "site": {"ko": "서울시청", "en": "Seoul City Hall"},
    "address": {"ko": "세종대로 110"}, "period": None, "hint": None,
    "scan": {"ko": "스캔하세요", "en": "Scan it"},
    "check": {"ko": "주소를 확인하세요.", "en": "Check the address."},
}  # fmt: skip
A4, A3 = (595, 842), (842, 1191)


def document(size: str = "a4", **changes: Any) -> dict[str, Any]:
    return {"size": size, "title": "나무", "posters": [POSTER | changes]}


def text_of(pdf: bytes) -> str:
    """All that is written in it, without white space: lines may break anywhere."""
    pages = PdfReader(BytesIO(pdf)).pages
    return "".join("".join(page.extract_text() for page in pages).split()).replace("\u200b", "")


def size_of(pdf: bytes) -> tuple[int, int]:
    box = PdfReader(BytesIO(pdf)).pages[0].mediabox
    return round(box.width), round(box.height)


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


def download(place: Place, path: str, **headers: str) -> TestResponse:
    return place.world.client.get(f"/v1{path}", headers=headers)


def test_a_poster_says_title_site_address_dates_and_code_in_korean_and_english(
    place: Place,
) -> None:
    code = place.code()
    answer = download(place, f"/codes/{code['code']}/poster.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    text = text_of(answer.get_data())
    closes = dt.datetime.fromisoformat(place.poll["closes_at"])
    dates = period(dt.datetime.fromisoformat(place.poll["opens_at"]), closes, "Asia/Seoul")
    assert dates is not None
    for words in (
        "광장에 나무를 심을까요?", "Plant trees on the square?", "서울시청", "Seoul City Hall",
        "세종대로 110", "110 Sejong-daero", dates["ko"], dates["en"],
        display_site_code(code["code"]), code["url"].partition("/q/")[0] + "/q/",
        "주소의", "Check that the address",
    ):  # fmt: skip
        assert "".join(words.split()) in text, words


def test_dates_are_those_of_the_city_whatever_the_server_thinks() -> None:
    late = dt.datetime(2026, 11, 21, 15, 30, tzinfo=dt.UTC)
    assert period(late, late + dt.timedelta(days=7), "Asia/Seoul") == {
        "ko": "2026년 11월 22일 (일) 00:30 – 2026년 11월 29일 (일) 00:30",
        "en": "Sun, Nov 22, 2026, 00:30 – Sun, Nov 29, 2026, 00:30",
    }
    assert period(None, None, "Asia/Seoul") is None


@pytest.mark.parametrize(("size", "points"), [("a4", A4), ("a3", A3)])
def test_a_poster_has_the_size_that_was_asked_for(
    place: Place, size: str, points: tuple[int, int]
) -> None:
    code = place.code()["code"]
    answer = download(place, f"/codes/{code}/poster.pdf?size={size}")
    assert size_of(answer.get_data()) == points


@pytest.mark.parametrize("query", ["size=a5", "size=", "size=A4"])
def test_another_size_is_refused(place: Place, query: str) -> None:
    code = place.code()["code"]
    answer = download(place, f"/codes/{code}/poster.pdf?{query}")
    assert refused(answer) == (422, "invalid-request")


def test_all_sites_of_a_poll_have_their_posters_in_one_file_each_once(place: Place) -> None:
    sites = [place.site, *(place.new_site(name={"ko": f"{n}동 주민센터"}) for n in range(1, 4))]
    first = {place.code(site=site)["url"] for site in sites[:3]}
    place.code()  # a second code at the first site
    gone = place.code(site=sites[3])
    place.world.client.delete(f"/v1/codes/{gone['code']}", headers=place.officer.headers)
    pdf = download(place, f"/polls/{place.poll['id']}/posters.pdf").get_data()
    read = [text for page in pages_of(pdf) for text in zxing(page)]
    assert len(read) == 3
    assert len(set(read) & first) == 2
    assert "3동주민센터" not in text_of(pdf)


def test_more_sites_than_fit_are_printed_in_parts(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posters, "AT_ONCE", 2)
    urls = {place.code(site=place.new_site())["url"] for _ in range(3)}
    path = f"/polls/{place.poll['id']}/posters.pdf"
    parts = [download(place, f"{path}?part={part}").get_data() for part in (1, 2)]
    assert [len(pages_of(part)) for part in parts] == [2, 1]
    assert {text for part in parts for page in pages_of(part) for text in zxing(page)} == urls
    assert refused(download(place, f"{path}?part=3")) == (404, "not-found")


def test_without_a_code_there_is_no_poster(place: Place) -> None:
    assert refused(download(place, f"/polls/{place.poll['id']}/posters.pdf")) == (404, "not-found")
    assert refused(download(place, f"/codes/{CODE}/poster.pdf")) == (404, "not-found")
    late = place.code(valid_from="2020-01-01T00:00:00Z", valid_until="2020-01-02T00:00:00Z")
    revoked = place.code()
    place.world.client.delete(f"/v1/codes/{revoked['code']}", headers=place.officer.headers)
    for code in (late, revoked):
        answer = download(place, f"/codes/{code['code']}/poster.pdf")
        assert refused(answer) == (404, "not-found")


def test_the_posters_of_a_draft_are_its_own_peoples_business(place: Place) -> None:
    draft = place.world.draft(place.officer, presence=AT_SITE)
    code = place.code(poll=draft, valid_from=utc_now().isoformat())["code"]
    for path in (f"/codes/{code}/poster.pdf", f"/polls/{draft['id']}/posters.pdf"):
        assert refused(download(place, path)) == (404, "not-found")
        assert download(place, path, **place.officer.headers).status_code == 200


def test_a_poster_is_made_once_and_again_only_when_what_it_says_has_changed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def counted(program: str, content: bytes, path: Path) -> None:
        made.append(content)
        render(program, content, path)

    monkeypatch.setattr(posters, "render", counted)
    path = f"/codes/{place.code()['code']}/poster.pdf"
    first, second = download(place, path), download(place, path)
    assert first.get_data() == second.get_data()
    assert len(made) == 1
    tag = {"If-None-Match": first.headers["ETag"]}
    assert download(place, path, **tag).status_code == 304
    where = f"/v1/sites/{place.site['id']}"
    version = place.world.client.get(where).headers["ETag"]
    headers = place.officer.headers | {"If-Match": version}
    place.world.client.patch(where, json={"name": {"ko": "시청 별관"}}, headers=headers)
    assert "시청별관" in text_of(download(place, path).get_data())
    assert len(made) == 2


def test_who_finds_another_pdf_being_set_is_told_to_come_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/codes/{place.code()['code']}/poster.pdf"
    monkeypatch.setattr(rendering.setting, "patience_s", 0.01)
    with rendering.setting.one():
        assert refused(download(place, path)) == (503, "overloaded")
    assert download(place, path).status_code == 200


# the sheet itself


@pytest.mark.parametrize(
    "title",
    [
        "*굵게* _기울임_ #panic() $x$ `raw` @label <b> \\",
        '#import "/etc/passwd": *',
        "// 주석 /* */ [괄호] ]]",
        "= 제목 - 목록 + 번호",
        '</svg><script>alert(1)</script>"',
    ],
)
def test_what_somebody_wrote_is_text_and_never_markup(title: str) -> None:
    pdf = posters_pdf(document(title={"ko": title}, site={"ko": title}))
    assert text_of(pdf).count("".join(title.split())) == 2


@pytest.mark.parametrize(
    "title",
    [
        "가" * 200, "W" * 200, "나무 " * 66,
        "\u202e도시\u2066\u200b 광장\ufeff", "😀 ก \u0e49 עברית \ue000",
    ],
    ids=["one word", "wide letters", "many words", "directions", "unknown signs"],
)  # fmt: skip
def test_whatever_the_title_is_the_sheet_stays_one_page_and_its_code_is_read(title: str) -> None:
    texts = {"ko": title, "en": title}
    pdf = posters_pdf(document(title=texts, site=texts, address=texts))
    (page,) = pages_of(pdf)
    assert zxing(page) == [URL]
    assert "\u202e" not in text_of(pdf)


def test_a_long_title_is_set_smaller_and_is_whole() -> None:
    title = {"ko": "우리 동네 공원에 무엇을 " * 14, "en": "What to build in our park, please " * 5}
    text = text_of(posters_pdf(document(title=title)))
    assert all("".join(each.split()) in text for each in title.values())


@both_decoders
@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
@pytest.mark.parametrize("size", ["a4", "a3"])
def test_a_poster_at_100_dots_per_inch_is_read_whatever_happens_to_it(
    decode: Decoder, spoil: Spoiling, size: str
) -> None:
    (page,) = pages_of(posters_pdf(document(size)), dpi=100)
    assert decode(spoil(page)) == [URL]
    assert decode(spoil(with_a_tenth_covered(page))) == [URL]


def test_a_korean_word_is_never_broken_across_lines() -> None:
    words = "우리 동네 현장 투표, 어디에 나무를 심을까요?"
    read = PdfReader(BytesIO(posters_pdf(document(title={"ko": words})))).pages[0].extract_text()
    lines = [line.split() for line in read.splitlines()]
    assert words.split() == [word for line in lines for word in line][: len(words.split())]


def test_a_poster_is_tagged_and_in_korean_and_english() -> None:
    pdf = PdfReader(BytesIO(posters_pdf(document())))
    root: Any = pdf.trailer["/Root"]
    assert root["/Lang"] == "ko-KR"
    assert root["/MarkInfo"]["/Marked"]
    assert b"<pdfuaid:part>1" in root["/Metadata"].get_data()


def test_the_same_poster_gives_the_same_bytes() -> None:
    assert posters_pdf(document()) == posters_pdf(document())
