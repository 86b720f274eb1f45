"""Everybody is answered in the language they ask for, as far as it is spoken here."""

from __future__ import annotations

import copy
import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import marshmallow as ma
import pytest
from flask import Flask, jsonify

from api.languages import in_words, language, preferred, read_of
from api.library_words import SENTENCES, understood
from api.problems import InvalidParameter
from api.settings import Misconfigured, Settings, read_settings
from mvote import languages
from mvote.languages import TRANSLATIONS, best_of, moment_in, said, side_by_side
from mvote.wording import Message, one_after_another, say, say_number
from ops.messages import brought_up_to_date, marked_sentences
from tests.support.contract import CheckedClient

SEOUL = dt.datetime(2026, 11, 22, 20, 49, tzinfo=ZoneInfo("Asia/Seoul"))
OFFERED = ("en", "ko", "pl", "pt-BR")


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", "ko"), ("en", "en"), ("EN", "en"), ("ko-KR", "ko"), ("en-GB-oxendict", "en"),
        ("ko-Kore-KR", "ko"), ("pt", "pt-BR"), ("pt-br", "pt-BR"), ("pt-PT", "ko"),
        ("fr", "ko"), ("fr, en;q=0.1", "en"), ("en;q=0.1, ko;q=0.2", "ko"),
        ("en;q=0.200, pl;q=0.3", "pl"), ("en, pl", "en"), ("*", "ko"), ("en;q=0, *", "ko"),
        ("ko;q=0, *", "en"), ("ko;q=0, *;q=0.5, pl;q=0.1", "en"), ("ko;q=0", "en"),
        ("*;q=0", "ko"), ("*;q=0, pl;q=0.001", "pl"), ("en;q=0, ko;q=0, pl;q=0, pt;q=0", "ko"),
        ("en-US;q=0.3, en;q=0.9, ko;q=0.5", "en"), ("ko;q=1.000", "ko"), ("en ; q = 0.4", "en"),
        ("en;q=2, pl", "pl"), ("en;q=-1", "ko"), ("en;q=nan, pl;q=0.1", "pl"), ("en;level=1", "ko"),
        ("en_US", "ko"), ("ㄱ, en", "en"), (",,,", "ko"), ("e n, pl", "pl"), ("-en", "ko"),
        ("english", "ko"), ("k", "ko"), ("en;q=0.1234, pl", "pl"), ("i-default", "ko"),
    ],
)  # fmt: skip
def test_the_header_chooses_as_the_standards_say(header: str, chosen: str) -> None:
    assert preferred(header, OFFERED, "ko") == chosen


def test_whoever_says_nothing_is_answered_in_the_language_of_the_city() -> None:
    assert preferred("", OFFERED, "pl") == preferred("*", OFFERED, "pl") == "pl"
    with pytest.raises(Misconfigured, match="CITY_LANGUAGE is one of en, ko"):
        read_settings({"MVOTE_ENV": "test", "CITY_LANGUAGE": "tlh"})


@pytest.mark.parametrize(
    "header", ["x" * 10_000, "en," * 4_000, "a-" * 5_000, ";q=" * 3_000, "*," * 5_000, "é\x00,en"],
    ids=["long", "many", "deep", "qualities", "stars", "strange"],
)  # fmt: skip
def test_a_header_that_is_no_header_is_answered_all_the_same(
    client: CheckedClient, header: str
) -> None:
    answer = client.get("/v1/me", headers={"Accept-Language": header.replace("\x00", "")})
    assert answer.status_code == 401
    assert answer.headers["Content-Language"] in ("ko", "en")


def test_a_range_that_is_cut_off_is_not_read() -> None:
    assert read_of("ko," + "x" * 994 + ",en-GB") == "ko," + "x" * 994
    assert read_of("en" * 600) == ""


@pytest.mark.parametrize(
    ("tag", "title"), [("ko", "로그인이 필요합니다."), ("en", "An access token is needed.")]
)
def test_an_answer_names_its_language_and_keeps_caches_apart(
    client: CheckedClient, tag: str, title: str
) -> None:
    answer = client.get("/v1/me", headers={"Accept-Language": tag})
    assert answer.get_json()["title"] == title
    assert answer.headers["Content-Language"] == tag
    assert "accept-language" in answer.headers["Vary"].lower()


def test_what_is_the_same_in_every_language_is_kept_once(client: CheckedClient) -> None:
    answer = client.get("/v1/polls", headers={"Accept-Language": "en"})
    assert "Content-Language" not in answer.headers
    assert "accept-language" not in answer.headers.get("Vary", "").lower()


def test_a_page_has_another_tag_in_each_language(client: CheckedClient) -> None:
    pages = [client.get("/docs/problems", headers={"Accept-Language": tag}) for tag in ("ko", "en")]
    assert ['<html lang="ko">' in page.text for page in pages] == [True, False]
    assert ["오류 코드의 뜻" in page.text for page in pages] == [True, False]


def test_numbers_days_and_instants_are_written_as_their_reader_writes_them() -> None:
    closes = say("{number} until {at}, from {day}", number=1234567, at=SEOUL, day=SEOUL.date())
    assert said(closes, "en") == "1,234,567 until November 22, 2026, 20:49, from November 22, 2026"
    assert moment_in("ko", SEOUL) == "2026년 11월 22일 (일) 20:49"
    assert moment_in("en", SEOUL) == "Sun, Nov 22, 2026, 20:49"
    assert [languages.shown(SEOUL, each) for each in ("ko", "de")] == [
        "2026년 11월 22일 20:49", "22. November 2026, 20:49",
    ]  # fmt: skip
    assert languages.shown(1234567.25, "de") == "1.234.567,25"
    assert languages.shown(Decimal("-0.50"), "ko") == "-0.5"
    assert languages.shown(["a", say("trustees")], "ko") == "a, 보관위원"
    assert languages.shown("2027", "ko") == "2027"


@pytest.mark.parametrize(
    "number",
    [1e300, -1e-300, float("nan"), float("inf"), 10**400, 0.0, True],
    ids=lambda number: f"{number!r:.6}",
)
def test_a_number_that_nobody_would_write_is_shown_all_the_same(number: float) -> None:
    assert languages.shown(number, "ko")


def test_english_has_two_forms_for_numbers_and_korean_one() -> None:
    shares = [say_number("{number} more share is needed.", "{number} more shares are needed.", n)
              for n in (1, 2, 0, 1000)]  # fmt: skip
    assert [said(each, "en").partition(" more ")[::2] for each in shares] == [
        ("1", "share is needed."), ("2", "shares are needed."),
        ("0", "shares are needed."), ("1,000", "shares are needed."),
    ]  # fmt: skip
    assert said(shares[3], "ko") == "조각 1,000개가 더 필요합니다."


def test_a_sentence_is_its_english_until_somebody_says_it_otherwise() -> None:
    sentence = say("There is no department {department_id}.", department_id=7)
    assert sentence == "There is no department 7."
    assert copy.deepcopy(sentence).facts == sentence.facts
    assert (
        said(Message("Nobody has put this into Korean."), "ko")
        == "Nobody has put this into Korean."
    )
    assert (
        said(one_after_another([sentence, say("public key")]), "ko") == "7 부서가 없습니다.; 공개키"
    )
    assert side_by_side(say("public key")) == {"ko": "공개키", "en": "public key"}
    assert say('Give {"lat", "lon"}.') == 'Give {"lat", "lon"}.'


def test_a_fact_is_never_read_as_a_sentence_with_places() -> None:
    assert said(say("There is no such attribute."), "ko") == "그런 항목이 없습니다."
    hostile = say("row {row}: {problem}", row="{problem}", problem="{row.__class__} %(row)s {0}")
    assert hostile == "row {problem}: {row.__class__} %(row)s {0}"
    assert said(hostile, "ko") == "{problem}행: {row.__class__} %(row)s {0}"


def test_what_people_wrote_is_shown_in_the_language_that_there_is() -> None:
    assert best_of({"ko": "그늘막", "en": "Shade"}, "en") == ("Shade", "en")
    assert best_of({"ko": "그늘막"}, "en") == ("그늘막", "ko")
    assert best_of({"ko": "그늘막", "en": ""}, "en") == ("그늘막", "ko")


@pytest.mark.parametrize(
    ("heard", "korean"),
    [("Longer than maximum length 1000.", "길이는 1,000까지입니다."),
     ("Must be one of: a, b.", "다음 중 하나여야 합니다: a, b."),
     ("Must be greater than 0 and less than or equal to 20.", "0 초과 20 이하여야 합니다."),
     ("Must be greater than or equal to 1 and less than 9.", "1 이상 9 미만이어야 합니다."),
     ("Must be greater than or equal to 1.", "1 이상이어야 합니다."),
     ("Length must be between 8 and 128.", "길이는 8에서 128 사이여야 합니다."),
     ("Length must be 3.", "길이는 3자여야 합니다."),
     ("Something new.", "Something new.")],
)  # fmt: skip
def test_what_the_library_says_is_understood(heard: str, korean: str) -> None:
    assert said(understood(heard), "ko") == korean


def test_every_sentence_of_the_library_is_known() -> None:
    known = {sentence.template for sentence in SENTENCES}
    unknown = {said for said in _said_by_the_library() if not isinstance(said, Message)} - known
    assert unknown == set()


def _said_by_the_library() -> Iterator[str]:
    for name in ("Boolean", "Date", "Dict", "Float", "Integer", "List", "Nested", "String", "UUID"):
        told: dict[str, str] = {}
        for each in reversed(getattr(ma.fields, name).__mro__):
            told |= vars(each).get("default_error_messages", {})
        yield from (sentence for sentence in told.values() if "{awareness}" not in sentence)
    yield from ma.Schema().error_messages.values()
    length, one_of = ma.validate.Length, ma.validate.OneOf
    yield from (length.message_min, length.message_max, length.message_all, length.message_equal)
    yield one_of.default_message
    for least, is_least in product((1, None), (True, False)):
        for most, is_most in product((5, None), (True, False)):
            asked = ma.validate.Range(least, most, min_inclusive=is_least, max_inclusive=is_most)
            yield from (asked.message_min, asked.message_max, asked.message_all)


@pytest.fixture
def polish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A made-up third language: one file, beside the one that there is, and nothing else."""
    for path in TRANSLATIONS.glob("*.po"):
        shutil.copy(path, tmp_path)
    caches = (languages.languages, languages.catalogue, languages.locale_of, preferred)
    monkeypatch.setattr(languages, "TRANSLATIONS", tmp_path)
    for cached in caches:
        cached.cache_clear()
    yield tmp_path / "pl.po"
    for cached in caches:
        cached.cache_clear()


POLISH = {
    "An access token is needed.": "Potrzebny jest token.",
    "This is no cursor of ours.": "To nie nasz kursor.",
    "What the codes of errors mean": "Co znaczą kody błędów",
}
SHARES = ("Brakuje {number} części: jednej.", "Brakuje {number} części: kilku.",
          "Brakuje {number} części: wielu.")  # fmt: skip


def with_polish_words(file: Path) -> None:
    """As docs/languages.md tells translators to do it."""
    begun = b'msgid ""\nmsgstr ""\n'
    text = brought_up_to_date(begun, "pl", list(marked_sentences())).decode()
    for english, words in POLISH.items():
        assert f'msgid "{english}"\nmsgstr ""' in text
        text = text.replace(f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{words}"')
    head = 'msgid_plural "{number} more shares are needed."\n'
    begin = text.index(head) + len(head)
    forms = "".join(f'msgstr[{n}] "{words}"\n' for n, words in enumerate(SHARES))
    end = text.index("\n\n", begin)
    file.write_text(text[:begin] + forms.rstrip("\n") + text[end:])


def test_a_third_language_is_one_file(
    polish: Path, settings: Settings, app_of: Callable[..., Flask]
) -> None:
    with_polish_words(polish)
    for number, form in ((1, SHARES[0]), (3, SHARES[1]), (5, SHARES[2]), (22, SHARES[1])):
        shares = say_number(
            "{number} more share is needed.", "{number} more shares are needed.", number
        )
        assert said(shares, "pl") == form.replace("{number}", str(number))
    assert languages.shown(1234567.5, "pl") == "1\xa0234\xa0567,5"
    client = app_of(settings).test_client()
    asked = {"Accept-Language": "pl-PL, en;q=0.5"}
    answer = client.get("/v1/me", headers=asked)
    assert answer.get_json()["title"] == "Potrzebny jest token."
    assert answer.headers["Content-Language"] == "pl"
    assert 'lang="pl"' in client.get("/docs/problems", headers=asked).text
    assert "Co znaczą kody błędów" in client.get("/docs/problems", headers=asked).text
    unsaid = client.get("/nothing", headers=asked).get_json()
    assert unsaid["title"] == "There is no such thing."
    assert client.get("/v1/me").headers["Content-Language"] == "ko"


def test_a_third_language_may_be_that_of_the_city(
    polish: Path, settings: Settings, app_of: Callable[..., Flask]
) -> None:
    with_polish_words(polish)
    app = app_of(replace(settings, city_language="pl"))
    assert app.test_client().get("/v1/me").get_json()["title"] == "Potrzebny jest token."


def test_pages_write_days_as_their_reader_does(
    settings: Settings, app_of: Callable[..., Flask]
) -> None:
    from flask import render_template_string

    def page() -> str:
        return render_template_string("{{ at | datetimeformat('yyyy MMMM d HH:mm') }}", at=SEOUL)

    client = app_of(settings, days=page).test_client()
    assert client.get("/days", headers={"Accept-Language": "en"}).text == "2026 November 22 20:49"
    assert client.get("/days", headers={"Accept-Language": "ko"}).text == "2026 11월 22 20:49"


def test_nobody_waits_for_a_language_that_is_not_there() -> None:
    assert said(say("public key"), "tlh") == "public key"


def test_a_parameter_is_refused_in_the_language_that_is_asked_for(
    settings: Settings, app_of: Callable[..., Flask]
) -> None:
    def refuse() -> None:
        raise InvalidParameter(("query", "cursor", say("This is no cursor of ours.")))

    client = app_of(
        settings, refuse=refuse, words=lambda: jsonify([in_words(say("public key")), language()])
    ).test_client()
    answer = client.get("/refuse", headers={"Accept-Language": "ko"})
    assert answer.get_json()["errors"][0]["detail"] == "이 목록의 커서가 아닙니다."
    assert client.get("/words", headers={"Accept-Language": "ko"}).get_json() == ["공개키", "ko"]
