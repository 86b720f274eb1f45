"""Sheets of slips: each slip with its number and its own code, which two decoders read."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from qr.codes import normalise_value, value_url
from qr.slips import slips_pdf
from tests.support.photographs import (
    SPOILT,
    Decoder,
    Spoiling,
    both_decoders,
    pages_of,
    with_a_tenth_covered,
    zbar,
    zxing,
)

VALUES = [f"{number:03}BSJD6M9X1" for number in range(1, 10)]
URLS = [value_url("7K2MQ9XATB4N", value, host="vote.seoul.example") for value in VALUES]


def sheets(**changes: Any) -> bytes:
    slips = [{"value": value, "url": url} for value, url in zip(VALUES, URLS, strict=True)]
    document = {"name": "slips", "title": {"ko": "나무?", "en": "Trees?"},
                "site": {"ko": "서울시청"}, "note": {"ko": "한 번만", "en": "Once"},
                "package": 3, "slips": slips}  # fmt: skip
    return slips_pdf(document | changes)


def test_every_slip_has_its_number_its_value_and_its_own_code() -> None:
    pdf = sheets()
    text = "".join("".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())
    for number, value in enumerate(VALUES, start=1):
        assert f"3-{number:04}" in text
        assert value in text
        assert normalise_value(value) == value
    assert "한번만" in text
    assert "https://vote.seoul.example/q/" in text.replace("\u200b", "")


@both_decoders
def test_all_slips_of_a_sheet_are_read_at_100_dots_per_inch(decode: Decoder) -> None:
    read = [text for page in pages_of(sheets(), dpi=100) for text in decode(page)]
    assert sorted(read) == sorted(URLS)


@both_decoders
@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_slip_is_read_whatever_happens_to_it(decode: Decoder, spoil: Spoiling) -> None:
    sheet = pages_of(sheets(), dpi=200)[0]
    slip = sheet.crop((0, 0, round(86 / 210 * sheet.width), round(79 / 297 * sheet.height)))
    assert decode(spoil(slip)) == [URLS[0]]
    assert decode(spoil(with_a_tenth_covered(slip))) == [URLS[0]]


@pytest.mark.parametrize("title", ["가" * 200, "W" * 200, "#panic() *x* \u202e😀 </svg>"])
def test_whatever_is_written_on_them_slips_keep_their_place(title: str) -> None:
    texts = {"ko": title, "en": title}
    pages = pages_of(sheets(title=texts, site=texts), dpi=150)
    assert [len(zxing(page)) for page in pages] == [8, 1]
    assert len(zbar(pages[1])) == 1
