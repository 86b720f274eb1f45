"""The catalogue of the projects on a ballot, as a tagged PDF (PDF/UA-1) in large type, in Korean.

`python -m qr.catalogue` reads the document as JSON from standard input and writes the PDF to
standard output, in a process of its own that may neither run nor grow without end.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import sys
import unicodedata
from collections.abc import Container
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typst
from fontTools.ttLib import TTFont

TEMPLATE = Path(__file__).with_name("catalogue.typ")
FONTS = "pylopdf_fonts_ko"
"""The package with Google's Noto Sans KR (SIL Open Font License 1.1)."""
FAMILY, FILE = "Noto Sans KR", "NotoSansKR-Regular.otf"
MISSING = "□"
"""Stands for a sign that the font does not have."""
LONGEST_RUN_S, MOST_MEMORY, POLITE = 60, 3 * 1024**3, 10
Document = dict[str, Any]
"""`title`, `unit`, `count`, `chapters: [{title, projects: [{reference, title, summary, amount,
place, struck}]}]`; texts are plain."""


def catalogue_pdf(document: Document) -> bytes:
    """The PDF. The same document gives the same bytes: its date is always the same.

    Raises LookupError where the font is not installed.
    """
    font = korean_font()
    pdf: bytes = typst.compile(
        TEMPLATE,
        font_paths=[font.parent],
        ignore_system_fonts=True,
        sys_inputs={
            "catalogue": json.dumps(printable(document, signs_of(font))),
            "font": FAMILY,
        },
        pdf_standards=["ua-1"],
        timestamp=dt.datetime(2000, 1, 1, tzinfo=dt.UTC),
    )
    return pdf


def korean_font() -> Path:
    """Where the font lies that is embedded. Raises LookupError."""
    found = find_spec(FONTS)
    if found is None or found.origin is None:
        raise LookupError(f"no Korean font: {FONTS} is not installed")
    return Path(found.origin).with_name(FILE)


@cache
def signs_of(font: Path) -> frozenset[str]:
    """Every character that the font has a picture of."""
    with TTFont(font, lazy=True) as opened:
        return frozenset(map(chr, opened.getBestCmap()))


def printable(value: Any, signs: Container[str]) -> Any:
    """*value* with only what the font can show, in all its texts: PDF/UA allows nothing else."""
    if isinstance(value, str):
        return "".join(_shown(sign, signs) for sign in value)
    if isinstance(value, list):
        return [printable(each, signs) for each in value]
    if isinstance(value, dict):
        return {name: printable(each, signs) for name, each in value.items()}
    return value


def _shown(sign: str, signs: Container[str]) -> str:
    """What joins, marks or selects goes; another unknown sign leaves a box where it stood."""
    kind = unicodedata.category(sign)
    if kind in ("Cc", "Cf", "Co", "Zl", "Zp"):
        return " " if sign.isspace() else ""
    if sign in signs:
        return sign
    return "" if kind.startswith("M") else MISSING


def main() -> None:
    """Read, render, write; with an end to time and memory, and after everyone else's work."""
    os.nice(POLITE)
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_RUN_S, LONGEST_RUN_S))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    sys.stdout.buffer.write(catalogue_pdf(json.load(sys.stdin)))


if __name__ == "__main__":
    main()
