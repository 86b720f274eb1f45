"""Posters with a site's QR code: A4 or A3, Korean and English, one to a page (PDF/UA-1).

`python -m qr.poster` reads the document as JSON from standard input and writes the PDF to standard
output. Symbols have error correction H and a quiet zone of 4 modules (ISO/IEC 18004).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qr.apart import answer, pdf_of
from qr.codes import display_site_code
from qr.image import symbol_svg

TEMPLATE = Path(__file__).with_name("poster.typ")
SIZES = ("a4", "a3")
TEXTS = ("title", "scan", "site", "address", "period", "hint", "check")
Document = dict[str, Any]
"""`size` (a4, a3), `title`,
`posters: [{url, code, title, scan, site, address, period, hint, check}]`; all of it but `url` and
`code` are texts `{"ko": …, "en": …}`, plain, of which one may be missing or None."""


def posters_pdf(document: Document) -> bytes:
    """The PDF, a page for each poster. The same document gives the same bytes.

    Raises LookupError where the font is not installed, ValueError for a bad URL or code.
    """
    posters = [_drawn(poster) for poster in document["posters"]]
    return pdf_of(TEMPLATE, "posters", document | {"posters": posters})


def _drawn(poster: dict[str, Any]) -> dict[str, Any]:
    url = poster["url"]
    texts = {name: {"ko": None, "en": None} | (poster[name] or {}) for name in TEXTS}
    return texts | {
        "url": url,
        "symbol": symbol_svg(url, title=url).decode(),
        "code": display_site_code(poster["code"]),
    }


if __name__ == "__main__":
    answer(posters_pdf)
