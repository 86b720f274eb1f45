"""A spreadsheet bomb is refused before it can take memory or time, and nothing is kept."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from mvote.polls.rolls import xlsx_rows, xlsx_table
from mvote.polls.rolls.reading import Kind
from tests.support.bombs import BOMBS, END, PLAIN, ROWS, SHEET, large_zip, open_quotes, with_part
from tests.support.hostile import check_problem, no_trace
from tests.support.rolls import XLSX, send_roll
from tests.support.world import World
from tests.test_roll_files import ONE, read, refusal

MOST_MIB = 32


@pytest.mark.parametrize("name", BOMBS)
def test_a_spreadsheet_bomb_is_refused_in_little_memory(name: str) -> None:
    make, reason = BOMBS[name]
    refused, peak = refused_at(make(), "xlsx")
    assert refused["reason"] == reason
    assert peak < MOST_MIB * 2**20


def test_a_row_of_csv_that_never_ends_is_refused_in_little_memory() -> None:
    refused, peak = refused_at(open_quotes(), "csv")
    assert refused["reason"] == "too_much"
    assert peak < MOST_MIB * 2**20


@pytest.mark.parametrize("said", ["0E-1999999999", "0E+1999999999", "-0E-1999999999"])
def test_a_zero_of_very_many_digits_is_a_zero(said: str) -> None:
    cells = b"<row><c><v>1012345678</v></c></row><row><c><v>%s</v></c></row>" % said.encode()
    tracemalloc.start()
    numbers, report = read(with_part(SHEET, [ROWS, cells, END]), "xlsx")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (numbers, report.reasons) == ([ONE], {"not_a_number": 1})
    assert peak < MOST_MIB * 2**20


def test_rows_are_counted_whatever_numbers_they_say_that_they_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(xlsx_rows, "MOST_ROWS", 10)
    same = with_part(SHEET, [ROWS, *[b'<row r="2"/>'] * 11, END])
    assert refusal(same, "xlsx")["reason"] == "too_many_rows"


def test_a_workbook_whose_folder_is_told_of_as_of_large_ones_is_read() -> None:
    assert read(large_zip(PLAIN), "xlsx")[0] == [ONE]


def test_a_folder_told_of_elsewhere_than_everybody_looks_is_refused() -> None:
    moved = large_zip(PLAIN).replace(xlsx_table.LARGE_END, b"PK\x06\x06" + b"\x01", 1)
    assert refusal(moved, "xlsx")["reason"] == "not_xlsx"


def refused_at(content: bytes, kind: Kind) -> tuple[dict[str, Any], int]:
    """The refusal, and the most memory that it took, in bytes."""
    tracemalloc.start()
    refused = refusal(content, kind)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return refused, peak


def test_a_bomb_that_is_sent_leaves_nothing_behind(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer)
    make, reason = BOMBS["billion laughs"]
    with no_trace(world, but="allowance"):
        answer = send_roll(world, poll, officer, make(), XLSX)
        assert check_problem(answer, 422, "roll-unreadable", "ko")["reason"] == reason
