"""What reading a roll may take: sheets, time of others, and no number in an answer."""

from __future__ import annotations

import io

import pytest
from openpyxl import Workbook

from mvote.polls.rolls.breathing import BREATH
from mvote.polls.rolls.importing import READINGS
from mvote.polls.rolls.reading import MOST_SHEETS, Reading
from tests.support.bombs import rewritten
from tests.support.hostile import check_problem, no_trace
from tests.support.rolls import ROLL, csv_of, number, saved, send_roll, xlsx_of
from tests.support.world import World, new_key
from tests.test_roll_files import ONE, read, refusal


def test_no_number_is_repeated_even_where_it_stands_in_the_heading() -> None:
    assert (
        read("휴대폰 010-1234-5678\n010-1234-5678\n".encode())[1].heading == "휴대폰 ###-####-####"
    )


def test_so_many_sheets_are_looked_through_and_any_other_is_read_if_it_is_named() -> None:
    book = Workbook()
    for n in range(MOST_SHEETS):
        book.create_sheet(f"{n}").append(["안내문"])
    book["49"].append(["휴대폰"])
    book["49"].append(["010-1234-5678"])
    refused = refusal(saved(book), "xlsx")
    assert (refused["reason"], len(refused["saw"])) == ("no_phone_column", MOST_SHEETS)
    assert read(saved(book), "xlsx", sheet="49")[0] == [ONE]


def test_a_part_that_several_sheets_name_is_read_once() -> None:
    many = b"".join(b'<sheet name="%d" sheetId="1" r:id="rId1"/>' % n for n in range(1_000))
    content = rewritten(xlsx_of([["안내문"]]), "xl/workbook.xml",
                        lambda part: part.replace(b"</sheets>", many + b"</sheets>"))  # fmt: skip
    assert len(refusal(content, "xlsx")["saw"]) == 1


def test_others_are_served_while_many_rows_are_read() -> None:
    breaths: list[None] = []
    content = io.BytesIO(csv_of(number(n) for n in range(2_000)))
    reading = Reading(content, "csv", region="KR", breathe=lambda: breaths.append(None))
    assert len(list(reading)) == 2_000
    assert len(breaths) >= 2_000 // BREATH


def test_so_many_files_are_read_for_a_citizen_in_an_hour_whatever_comes_of_them(
    world: World,
) -> None:
    officer, other = world.officer(), world.officer()
    poll, others = world.draft(officer, eligibility=ROLL), world.draft(other, eligibility=ROLL)
    for n in range(READINGS.most):
        answer = send_roll(world, poll, officer, b"phone\nx\n", query="?dry_run=true" * (n % 2))
        check_problem(answer, 422, "roll-unreadable", "ko")
    for query in ("", "?dry_run=true"):
        with no_trace(world):
            refused = send_roll(world, poll, officer, csv_of([number(1)]), query=query)
            check_problem(refused, 429, "too-many-requests", "ko")
    assert send_roll(world, others, other, csv_of([number(1)])).status_code == 201


def test_a_citizens_roll_is_read_no_further_than_it_may_be_long(world: World) -> None:
    author = world.citizen()
    poll = world.draft(author, eligibility=ROLL)
    content = csv_of([*(number(n) for n in range(1_001)), '"never closed'])
    with no_trace(world, but="allowance"):
        check_problem(send_roll(world, poll, author, content), 422, "roll-too-large", "ko")


def test_no_transaction_waits_while_others_are_served(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[int] = []

    def look() -> None:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        waiting.append(world.rows(query + " AND state = 'idle in transaction'")[0][0])

    monkeypatch.setattr("api.polls.rolls.pause_of_this_process", lambda: look)
    officer = world.officer()
    poll = world.draft(officer, eligibility=ROLL)
    key = {"Idempotency-Key": new_key()}
    assert send_roll(world, poll, officer, csv_of([number(1)]), **key).status_code == 201
    assert waiting
    assert set(waiting) == {0}
