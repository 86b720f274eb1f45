"""Files as organisers have them: every spelling of a number, every kind of file, clear refusals."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest
from openpyxl import Workbook

from mvote.errors import InvalidRequest
from mvote.people.phones import read_number
from mvote.polls.rolls.cells import letters, place_of
from mvote.polls.rolls.errors import RollUnreadable
from mvote.polls.rolls.numbers import Numbers
from mvote.polls.rolls.reading import Choice, Kind, Reading, Report
from tests.support.bombs import END, ROWS, rewritten, with_strings
from tests.support.rolls import csv_of, number, saved, xlsx_of

KOREA = Numbers("KR")
ONE = "+821012345678"


def read(content: bytes, kind: Kind = "csv", **said: str) -> tuple[list[str], Report]:
    reading = Reading(io.BytesIO(content), kind, region="KR", choice=Choice(**said))
    return list(reading), reading.report


def refusal(content: bytes, kind: Kind = "csv", **said: str) -> dict[str, Any]:
    with pytest.raises(RollUnreadable) as caught:
        read(content, kind, **said)
    return caught.value.facts


# numbers


@pytest.mark.parametrize(
    "spelling",
    [
        "010-1234-5678", "01012345678", "010 1234 5678", "010.1234.5678", "(010) 1234-5678",
        "1012345678", "1012345678.0", "1.012345678E9", "1.012345678e+09", "10-1234-5678",
        "+82 10-1234-5678", "+821012345678", "+82 (0)10 1234 5678", "0082 10 1234 5678",
        "821012345678", "82-10-1234-5678", "０１０－１２３４－５６７８", "010–1234–5678",
        "'01012345678", "’010-1234-5678", '="01012345678"', "  010-1234-5678\u00a0",
        "010‐1234‐5678", "\ufeff010-1234-5678", "010\u200b12345678", "010~1234~5678",
    ],
)  # fmt: skip
def test_a_number_is_read_in_every_spelling_that_is_used(spelling: str) -> None:
    assert KOREA.read(spelling) == (ONE, None)


@pytest.mark.parametrize(
    ("spelling", "reason"),
    [
        ("", "empty"), ("   ", "empty"), ("홍길동", "not_a_number"),
        ("010-1234-567", "not_a_number"),
        ("010-1234-56789", "not_a_number"), ("1990-01-02", "not_a_number"),
        ("없음", "not_a_number"),
        ("02-123-4567", "not_mobile"), ("070-1234-5678", "not_mobile"), ("45292", "not_a_number"),
        ("1.01235E+09", "digits_lost"), ("1.01E+10", "digits_lost"), ("=B2", "formula"),
        ("=CONCATENATE(A1,B1)", "formula"), ("010-1234-5678 / 010-2222-3333", "several_numbers"),
        ("010-1234-5678,010-2222-3333", "several_numbers"), ("9" * 90, "not_a_number"),
    ],
)  # fmt: skip
def test_what_is_no_mobile_number_is_left_out_with_its_reason(spelling: str, reason: str) -> None:
    assert KOREA.read(spelling) == (None, reason)


@pytest.mark.parametrize("said", ["+1 650 253 0000", "+44 7400 123456", "0044 7400 123456"])
def test_a_number_of_another_country_is_read_where_it_can_be_reached(said: str) -> None:
    known = {"+1 650 253 0000": "+16502530000"}.get(said, "+447400123456")
    assert KOREA.read(said) == (known, None)


def test_the_fast_way_gives_what_signing_in_gives() -> None:
    """Every thousandth of the numbers that begin like a mobile phone's."""
    for first in ("010", "011", "016", "017", "018", "019"):
        for n in range(0, 100_000_000, 333_333):
            said = f"{first}{n:08d}"
            try:
                expected = read_number(said, region="KR")
            except InvalidRequest:
                expected = None
            assert KOREA.read(said).number == expected, said


def test_columns_have_the_letters_that_spreadsheets_give_them() -> None:
    assert [letters(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert [place_of(letters(n)) for n in range(2_000)] == list(range(2_000))


# CSV


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "euc-kr", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_csv_is_read_in_every_encoding_and_with_every_separator(
    encoding: str, separator: str
) -> None:
    text = f"이름{separator}휴대폰\r\n홍길동{separator}010-1234-5678\r\n"
    numbers, report = read(text.encode(encoding))
    assert (numbers, report.rows, report.column, report.heading) == ([ONE], 1, "B", "휴대폰")


def test_utf_16_without_a_mark_is_read_too() -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        assert read("phone\n010-1234-5678\n".encode(encoding))[0] == [ONE]


def test_rows_are_numbered_as_a_spreadsheet_shows_them_whatever_line_breaks_cells_hold() -> None:
    text = '이름,주소,연락처\r\n"홍\r\n길동","서울,\n종로",010-1234-5678\r\n,,\r\n김,부산,x\r\n'
    numbers, report = read(text.encode())
    assert numbers == [ONE]
    assert [(each.row, each.reason) for each in report.rejected] == [(4, "not_a_number")]
    assert report.rows == 2


def test_a_line_that_names_the_separator_is_no_data() -> None:
    assert read(b"sep=;\r\nname;phone\r\na,b;010-1234-5678\r\n")[0] == [ONE]
    assert read(b"sep=\r\nname,phone\r\nb,010-1234-5678\r\n")[0] == [ONE]
    assert refusal(b"sep=")["reason"] == "no_phone_column"


def test_what_is_no_csv_of_any_known_encoding_is_refused() -> None:
    assert refusal(b"")["reason"] == "empty"
    assert refusal(b"\r\n \r\n")["reason"] == "empty"
    assert refusal(b"phone\n\xff\xff\xff\xff")["reason"] == "encoding"
    assert refusal(b'phone\n"010-1234-5678\n')["reason"] == "broken_csv"
    assert refusal(b"phone\n" + b"x" * 2_000_000)["reason"] == "too_much"
    assert refusal(b"phone" + b"," * 1_025 + b"\n")["reason"] == "too_many_columns"


# headings


@pytest.mark.parametrize(
    "heading",
    ["전화번호", "휴대폰", "휴대전화", "연락처", "핸드폰", "휴대폰 번호", "phone", "Mobile", "TEL",
     "Phone Number", "휴대폰번호(필수)", "참석자 연락처", "HP", "Cell-Phone", " 전화 번호 "],
)  # fmt: skip
def test_a_column_is_known_by_its_heading(heading: str) -> None:
    numbers, report = read(csv_of(["010-1234-5678"], heading=heading))
    assert (numbers, report.column) == ([ONE], "B")


def test_a_mobile_phone_goes_before_any_phone_and_a_whole_word_before_a_part() -> None:
    rows = "보호자 휴대폰,연락처,휴대폰\n010-1111-1111,02-123-4567,010-1234-5678\n"
    assert read(rows.encode())[0] == [ONE]
    rows = "보호자 연락처,연락처\n010-1111-1111,010-1234-5678\n"
    assert read(rows.encode())[0] == [ONE]


def test_titles_above_the_headings_are_no_data() -> None:
    rows = "참석자 명단,\n2030년 5월,\n이름,휴대폰\n홍,010-1234-5678\n"
    numbers, report = read(rows.encode())
    assert (numbers, report.rows) == ([ONE], 1)


def test_a_list_of_nothing_but_numbers_needs_no_heading() -> None:
    assert read(b"010-1234-5678\n010-1234-5679\n")[0] == [ONE, "+821012345679"]


def test_several_columns_of_phones_are_refused_until_one_is_chosen() -> None:
    rows = "휴대폰1,휴대폰2\n010-1111-1111,010-1234-5678\n".encode()
    refused = refusal(rows)
    assert refused["reason"] == "several_phone_columns"
    assert refused["columns"] == [
        {"column": "A", "heading": "휴대폰1"}, {"column": "B", "heading": "휴대폰2"},
    ]  # fmt: skip
    assert read(rows, column="휴대폰2")[0] == read(rows, column="B")[0] == [ONE]
    assert refusal(rows, column="집")["reason"] == "no_such_column"


def test_a_roll_with_two_columns_swapped_is_refused_and_told_what_was_seen() -> None:
    rows = ["이름,휴대폰", *(f"{number(n)},홍길동" for n in range(30))]
    refused = refusal("\n".join(rows).encode())
    assert {key: refused[key] for key in ("reason", "column", "heading", "saw", "numbers_in")} == {
        "reason": "columns_swapped", "column": "B", "heading": "휴대폰", "saw": "홍길동",
        "numbers_in": "A",
    }  # fmt: skip


def test_a_file_without_phones_is_refused_and_told_which_headings_it_has() -> None:
    refused = refusal("이름,주소\n홍길동,서울\n".encode())
    assert (refused["reason"], refused["saw"]) == ("no_phone_column", [["이름", "주소"]])
    shown = refusal(b"name,id\nx,y\n8010-1234-5678,1\n", column="phone")
    assert shown["saw"] == ["name", "id"]


# XLSX


def sheet(rows: Sequence[Sequence[Any]]) -> bytes:
    return xlsx_of([["이름", "휴대폰"], *rows])


def test_a_number_that_excel_took_for_a_number_is_read() -> None:
    numbers, report = read(sheet([["홍", 1012345678], ["김", 1.012345679e9], ["이", 10.5]]), "xlsx")
    assert numbers == [ONE, "+821012345679"]
    assert [(each.row, each.reason) for each in report.rejected] == [(4, "not_a_number")]


def test_of_a_formula_the_value_that_is_there_is_read_and_none_is_worked_out() -> None:
    without = sheet([["홍", '="010"&"12345678"'], ["김", "010-1234-5678"]])
    numbers, report = read(without, "xlsx")
    assert numbers == [ONE]
    assert [(each.row, each.reason) for each in report.rejected] == [(2, "formula")]
    worked_out = edited(without, b"<v></v>", b"<v>01012345679</v>", b"<v/>", b"<v>01012345679</v>",
                        b"<v />", b"<v>01012345679</v>")  # fmt: skip
    assert read(worked_out, "xlsx")[0] == ["+821012345679", ONE]


def test_merged_cells_hold_one_number_and_hidden_rows_are_read_and_counted() -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    for row in (["명단", None], ["이름", "연락처"], ["홍", "010-1234-5678"], ["김", None],
                ["이", "010-1234-5679"], ["박", None]):  # fmt: skip
        page.append(row)
    page.merge_cells("A1:B1")
    page.merge_cells("B3:B4")
    page.row_dimensions[5].hidden = True
    numbers, report = read(saved(book), "xlsx")
    assert numbers == [ONE, "+821012345679"]
    assert [(each.row, each.reason) for each in report.rejected] == [
        (4, "merged_cell"), (6, "empty"),
    ]  # fmt: skip
    assert (report.hidden, report.reasons) == (1, {"merged_cell": 1, "empty": 1})


def test_the_first_sheet_with_phones_is_read_or_the_one_that_is_named() -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    first.append(["안내문"])
    for title, said in (("명단", "010-1234-5678"), ("예비", "010-1234-5679"), ("숨김", "x")):
        page = book.create_sheet(title)
        page.append(["휴대폰"])
        page.append([said])
    book["숨김"].sheet_state = "hidden"
    content = saved(book)
    numbers, report = read(content, "xlsx")
    assert (numbers, report.sheet) == ([ONE], "명단")
    assert report.sheets == ["Sheet", "명단", "예비"]
    assert read(content, "xlsx", sheet="예비")[0] == ["+821012345679"]
    refused = refusal(content, "xlsx", sheet="없음")
    assert (refused["reason"], refused["sheets"]) == ("no_such_sheet", report.sheets)


def test_strings_that_cells_share_are_read_with_all_runs_but_not_as_they_are_spoken() -> None:
    strings = (
        "<sst><si><t>연락처</t></si><si><r><t>010-1234</t></r><r><t>-5678</t></r>"
        "<rPh sb='0' eb='1'><t>공일공</t></rPh></si></sst>"
    )
    cells = b'<row r="1"><c t="s"><v>0</v></c></row><row r="2"><c t="s"><v>1</v></c></row>'
    assert read(with_strings([strings.encode()], ROWS + cells + END), "xlsx")[0] == [ONE]
    beyond = cells.replace(b"<v>1</v>", b"<v>2</v>")
    refused = refusal(with_strings([strings.encode()], ROWS + beyond + END), "xlsx")
    assert refused["reason"] == "not_xlsx"


def test_an_error_in_a_cell_is_a_reason_and_a_date_is_no_number() -> None:
    numbers, report = read(sheet([["홍", "#N/A"], ["김", 45292]]), "xlsx")
    assert numbers == []
    assert [each.reason for each in report.rejected] == ["error_value", "not_a_number"]


def test_an_old_or_locked_file_and_what_is_none_at_all_are_refused() -> None:
    assert refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xlsx")["reason"] == "old_or_locked"
    for content in (b"", b"phone\n010", sheet([])[:-30], b"PK\x05\x06" + bytes(18)):
        assert refusal(content, "xlsx")["reason"] == "not_xlsx"


def edited(content: bytes, *pairs: bytes) -> bytes:
    """The same workbook, with each of *pairs* replaced in its first sheet."""

    def change(part: bytes) -> bytes:
        for old, new in zip(pairs[::2], pairs[1::2], strict=True):
            part = part.replace(old, new)
        return part

    return rewritten(content, "xl/worksheets/sheet1.xml", change)
