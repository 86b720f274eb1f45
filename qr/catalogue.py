"""The catalogue of the projects on a ballot, as a tagged PDF (PDF/UA-1) in large type.

`python -m qr.catalogue` reads the document as JSON from standard input and writes the PDF to
standard output.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qr.apart import answer, pdf_of

TEMPLATE = Path(__file__).with_name("catalogue.typ")
Document = dict[str, Any]
"""`language` (a tag), `title`,
`words: {count, numbers, order, costs, contents, struck, cost, place}`,
`chapters: [{title, projects: [{reference, title, summary, amount, place, struck}]}]`, all plain."""


def catalogue_pdf(document: Document) -> bytes:
    """The PDF. The same document gives the same bytes.

    Raises LookupError where the font is not installed.
    """
    return pdf_of(TEMPLATE, "catalogue", document)


if __name__ == "__main__":
    answer(catalogue_pdf)
