"""CSV that spreadsheets open as it is meant, and that does nothing when it is opened."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

CSV = "text/csv"
MARK = b"\xef\xbb\xbf"
"""The byte order mark."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the beginning of a formula, in both widths."""


def sheet_of(rows: Iterable[Sequence[Any]]) -> bytes:
    """The rows as CSV (RFC 4180): UTF-8 with a byte order mark, as spreadsheets want."""
    return MARK + lines_of_sheet(rows)


def lines_of_sheet(rows: Iterable[Sequence[Any]]) -> bytes:
    """A part of a sheet; the first part of one begins with the MARK."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _inert(cell: Any) -> Any:
    """A text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    is_formula = isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULAS)
    return f"'{cell}" if is_formula else cell
