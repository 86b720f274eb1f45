"""Files sent without a word on what they are: their first bytes tell."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.support.hostile import check_problem, no_trace
from tests.support.rolls import csv_of, number, send_roll, xlsx_of
from tests.support.world import World

UNNAMED = "application/octet-stream"


@pytest.mark.parametrize(
    ("content", "kind"),
    [(csv_of([number(1)]), "utf-8"), (xlsx_of([["휴대폰"], [number(1)]]), "xlsx")],
    ids=["csv", "xlsx"],
)
def test_a_roll_is_read_as_what_it_begins_like(world: World, content: bytes, kind: str) -> None:
    officer = world.officer()
    answer = send_roll(world, world.draft(officer), officer, content, UNNAMED)
    assert answer.status_code == 201
    assert answer.get_json()["kind"] == kind


def test_what_only_begins_like_a_workbook_is_refused(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer)
    with no_trace(world, but="allowance"):
        refused = send_roll(world, poll, officer, b"PK\x03\x04 and nothing else", UNNAMED)
    check_problem(refused, 422, "roll-unreadable", "ko")


def test_a_picture_is_taken_and_anything_else_refused(world: World) -> None:
    file, sender = io.BytesIO(), world.citizen()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    sent = {"content_type": UNNAMED, "headers": sender.headers}
    assert world.client.post("/v1/images", data=file.getvalue(), **sent).status_code == 201
    refused = world.client.post("/v1/images", data=b"no picture", **sent)
    check_problem(refused, 422, "invalid-request", "ko")
    assert world.count("stored_file") == 1
