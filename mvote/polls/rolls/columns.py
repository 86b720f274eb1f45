"""Which column holds the phone numbers, by its heading and by what is in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from mvote.polls.rolls.cells import Cell, Row, letters, place_of
from mvote.polls.rolls.errors import RollUnreadable
from mvote.polls.rolls.numbers import Numbers

MOBILE = (
    "휴대폰", "휴대전화", "핸드폰", "휴대폰번호", "휴대전화번호", "핸드폰번호", "휴대번호",
    "이동전화", "mobile", "mobilephone", "mobilenumber", "cell", "cellphone", "cellphonenumber",
)  # fmt: skip
ANY_PHONE = (
    "전화번호", "연락처", "전화", "연락처번호", "phone", "phonenumber", "telephone", "tel", "hp",
    "contact", "msisdn",
)  # fmt: skip
WITHIN_MOBILE = ("휴대폰", "휴대전화", "핸드폰", "mobile", "cellphone")
WITHIN_ANY = ("전화번호", "연락처", "phone")
BESIDE = re.compile(r"[\s_\-.()*:·\[\]/]+")
FIRST_ROWS = 20
"""Headings stand within these; above them may be a title."""
SAMPLE = 200
SAMPLE_OF_EACH, COLUMNS_LOOKED_AT = 50, 50
"""To see whether columns are swapped: so many rows of so many columns."""
FEW, MOST = 0.2, 0.8
"""Of a sample: so few numbers are none, so many make a column of numbers."""
SHOWN, LONGEST_SHOWN, MANY_DIGITS = 20, 30, 5


class Column(NamedTuple):
    """The column of the numbers."""

    place: int
    heading: str | None
    #: the number of the last row that is no data
    after: int


def find_column(first: Sequence[Row], numbers: Numbers, wanted: str | None) -> Column | None:
    """The column of numbers in a sheet that begins with *first*; None if it has none.

    *wanted* is a heading or a letter, where there are several. Raises RollUnreadable.
    """
    headed = first[:FIRST_ROWS]
    found = _wanted(headed, wanted) if wanted else _by_heading(headed)
    found = found or (None if wanted else _without_heading(headed, numbers))
    if wanted and found is None:
        raise RollUnreadable("no_such_column", column=wanted, saw=seen(first))
    if found is not None:
        _check_not_swapped(found, [row for row in first if row.number > found.after], numbers)
    return found


def seen(first: Sequence[Row]) -> list[str]:
    """The first row that holds anything, cut short: what was seen where headings were looked for.

    Of a number no digit is shown, so that an answer never repeats anybody's.
    """
    cells = next((row.cells for row in first if row.cells), {})
    return [shown(cell) for _, cell in sorted(cells.items())[:SHOWN]]


def shown(cell: Cell) -> str:
    """A cell as an answer may repeat it: cut short, and of a number no digit."""
    if not isinstance(cell, str):
        return "=…"
    text = cell[:LONGEST_SHOWN]
    return re.sub(r"\d", "#", text) if len(re.findall(r"\d", text)) >= MANY_DIGITS else text


def _plain(cell: Cell | None) -> str:
    if not isinstance(cell, str):
        return ""
    return BESIDE.sub("", unicodedata.normalize("NFKC", cell).casefold())


def _rank(heading: str) -> int | None:
    """How well a heading says that phone numbers follow: 0 best, None not at all."""
    if heading in MOBILE:
        return 0
    if heading in ANY_PHONE:
        return 1
    if any(each in heading for each in WITHIN_MOBILE):
        return 2
    return 3 if any(each in heading for each in WITHIN_ANY) else None


def _by_heading(rows: Sequence[Row]) -> Column | None:
    ranked = [
        (rank, Column(place, str(cell), row.number))
        for row in rows
        for place, cell in sorted(row.cells.items())
        if (rank := _rank(_plain(cell))) is not None
    ]
    if not ranked:
        return None
    best = min(rank for rank, _ in ranked)
    found = [column for rank, column in ranked if rank == best]
    last = [each for each in found if each.after == found[0].after]
    if len(last) > 1:
        names = [{"column": letters(each.place), "heading": shown(each.heading or "")}
                 for each in last]  # fmt: skip
        raise RollUnreadable("several_phone_columns", columns=names)
    return found[0]


def _wanted(rows: Sequence[Row], wanted: str) -> Column | None:
    plain = _plain(wanted)
    for row in rows:
        for place, cell in row.cells.items():
            if _plain(cell) == plain:
                return Column(place, str(cell), row.number)
    if re.fullmatch(r"[A-Za-z]{1,2}", wanted):
        place = place_of(wanted.upper())
        known = _by_heading_or_none(rows)
        return Column(place, None, known.after if known else 0)
    return None


def _by_heading_or_none(rows: Sequence[Row]) -> Column | None:
    try:
        return _by_heading(rows)
    except RollUnreadable:
        ranked = [row.number for row in rows if any(_rank(_plain(c)) is not None
                  for c in row.cells.values())]  # fmt: skip
        return Column(0, None, ranked[0])


def _without_heading(rows: Sequence[Row], numbers: Numbers) -> Column | None:
    """The one column of numbers in a list that has no headings at all."""
    cells = next((row.cells for row in rows if row.cells), {})
    places = [place for place, cell in cells.items() if numbers.read(cell).number]
    return Column(places[0], None, 0) if len(places) == 1 else None


def _check_not_swapped(column: Column, rows: Sequence[Row], numbers: Numbers) -> None:
    """Refuse a column that holds no numbers where another one does. Raises RollUnreadable."""
    sample = [row.cells for row in rows if row.cells][:SAMPLE_OF_EACH]
    if not sample or _share(column.place, sample, numbers) > FEW:
        return
    places = sorted({place for cells in sample for place in cells} - {column.place})
    places = places[:COLUMNS_LOOKED_AT]
    other = next((each for each in places if _share(each, sample, numbers) >= MOST), None)
    if other is not None:
        example = next((cells[column.place] for cells in sample if column.place in cells), "")
        raise RollUnreadable(
            "columns_swapped",
            column=letters(column.place),
            heading=shown(column.heading or ""),
            saw=shown(example),
            numbers_in=letters(other),
        )


def _share(place: int, sample: Sequence[object], numbers: Numbers) -> float:
    """How many of the cells of a column are numbers, from 0 to 1."""
    cells = [each.get(place) for each in sample if isinstance(each, dict)]
    return sum(numbers.read(cell).number is not None for cell in cells) / len(sample)
