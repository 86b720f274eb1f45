"""Setting PDF files in a process of its own, which may neither run nor grow without end.

A program calls `answer`: the document comes as JSON on standard input, the PDF goes to standard
output.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typst

from qr.letters import FAMILY, korean_font, printable, signs_of

LONGEST_RUN_S, MOST_MEMORY, POLITE = 60, 3 * 1024**3, 10


def pdf_of(template: Path, name: str, document: Any) -> bytes:
    """The PDF (PDF/UA-1) that *template* sets of the *document*, which it knows by *name*.

    What the document says is data and never markup. The same document gives the same bytes: its
    date is always the same. Raises LookupError where the font is not installed.
    """
    font = korean_font()
    pdf: bytes = typst.compile(
        template,
        font_paths=[font.parent],
        ignore_system_fonts=True,
        sys_inputs={name: json.dumps(printable(document, signs_of(font))), "font": FAMILY},
        pdf_standards=["ua-1"],
        timestamp=dt.datetime(2000, 1, 1, tzinfo=dt.UTC),
    )
    return pdf


def answer(make: Callable[[Any], bytes]) -> None:
    """Read, render, write; with an end to time and memory, and after everyone else's work."""
    os.nice(POLITE)
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_RUN_S, LONGEST_RUN_S))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    sys.stdout.buffer.write(make(json.load(sys.stdin)))
