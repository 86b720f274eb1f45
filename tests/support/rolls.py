"""Files as organisers have them, and importing them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook
from werkzeug.test import TestResponse

from tests.support.world import Person, World

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADINGS = ["이름", "휴대폰"]


def number(n: int) -> str:
    """A made-up number as one writes it."""
    return f"010-9{n // 10_000 % 1_000:03d}-{n % 10_000:04d}"


def e164(n: int) -> str:
    """The same number as accounts know it."""
    return "+82" + number(n).replace("-", "")[1:]


def csv_of(numbers: Iterable[str], *, heading: str = "휴대폰", encoding: str = "utf-8") -> bytes:
    """A list of people with their numbers."""
    lines = [f"이름,{heading}", *(f"홍길동{n},{each}" for n, each in enumerate(numbers))]
    return "\r\n".join(lines).encode(encoding)


def xlsx_of(rows: Sequence[Sequence[Any]], title: str = "명단") -> bytes:
    """A workbook of one sheet, as somebody else's program writes it."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    return saved(book)


def saved(book: Workbook) -> bytes:
    """The bytes of a workbook."""
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def send_roll(
    world: World,
    poll: Any,
    by: Person,
    content: bytes,
    kind: str = CSV,
    query: str = "",
    **headers: str,
) -> TestResponse:
    """Import *content* as the roll of a poll."""
    path = f"/v1/polls/{poll['id']}/roll{query}"
    return world.client.post(path, data=content, content_type=kind, headers=by.headers | headers)
