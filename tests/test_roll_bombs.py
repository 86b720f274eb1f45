"""A spreadsheet bomb is refused before it can take memory or time, and nothing is kept."""

from __future__ import annotations

import tracemalloc

import pytest

from tests.support.bombs import BOMBS
from tests.support.hostile import check_problem, no_trace
from tests.support.rolls import XLSX, send_roll
from tests.support.world import World
from tests.test_roll_files import refusal

MOST_MIB = 32


@pytest.mark.parametrize("name", BOMBS)
def test_a_spreadsheet_bomb_is_refused_in_little_memory(name: str) -> None:
    make, reason = BOMBS[name]
    content = make()
    tracemalloc.start()
    refused = refusal(content, "xlsx")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused["reason"] == reason
    assert peak < MOST_MIB * 2**20


def test_a_bomb_that_is_sent_leaves_nothing_behind(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer)
    make, reason = BOMBS["billion laughs"]
    with no_trace(world):
        answer = send_roll(world, poll, officer, make(), XLSX)
        assert check_problem(answer, 422, "roll-unreadable", "ko")["reason"] == reason
