"""Slips that a steward hands out: numbered, each with a QR code of its own (PDF/UA-1, A4).

`python -m qr.slips` reads the document as JSON from standard input and writes the PDF to standard
output. Symbols have error correction H and a quiet zone of 4 modules (ISO/IEC 18004).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qr.apart import answer, pdf_of
from qr.codes import GROUP
from qr.image import symbol_svg

TEMPLATE = Path(__file__).with_name("slips.typ")
TEXTS = ("title", "site", "note")
Document = dict[str, Any]
"""`name`, `title`, `site`, `note`, `package`, `slips: [{url, value}]`; title, site and note are
texts `{"ko": …, "en": …}`, plain, of which one may be missing. Slips are numbered from 1."""


def slips_pdf(document: Document) -> bytes:
    """The PDF, eight slips to a page in their order. The same document gives the same bytes.

    Raises LookupError where the font is not installed, ValueError for a bad URL.
    """
    slips = document["slips"]
    numbers = [f"{document['package']}-{number:04}" for number in range(1, len(slips) + 1)]
    begins = slips[0]["url"].partition("/q/")[0] + "/q/"
    texts = {name: {"ko": None, "en": None} | document[name] for name in TEXTS}
    drawn = [_drawn(slip, number) for slip, number in zip(slips, numbers, strict=True)]
    sheet = texts | {"name": document["name"], "address_begins": begins, "slips": drawn}
    return pdf_of(TEMPLATE, "slips", sheet)


def _drawn(slip: dict[str, str], number: str) -> dict[str, str]:
    value = slip["value"]
    groups = " ".join(value[at : at + GROUP] for at in range(0, len(value), GROUP))
    symbol = symbol_svg(slip["url"], title=number).decode()
    return {"number": number, "value": groups, "symbol": symbol}


if __name__ == "__main__":
    answer(slips_pdf)
