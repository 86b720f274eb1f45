"""Numbers in English sentences: one thing is not told as several."""

from __future__ import annotations

from pathlib import Path

import pytest

from mvote.ballotbox.asking import Table
from mvote.ballotbox.share_problems import ShareProblem
from mvote.wording import counted
from tests.support.trustees import hold


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 shares"), (1, "1 share"), (2, "2 shares"), (1_000, "1,000 shares")]
)
def test_one_is_told_as_one_and_no_thing_or_several_as_several(number: int, said: str) -> None:
    assert counted(number, "share") == said


def test_a_noun_without_an_s_says_its_plural() -> None:
    assert [counted(each, "entry", "entries") for each in (1, 2)] == ["1 entry", "2 entries"]


def test_the_last_of_the_trustees_is_asked_for_one_share(tmp_path: Path) -> None:
    held, told = hold(tmp_path / "ceremony", threshold=2), list[str]()
    answers = iter(["1", held.words(1), "2", held.words(2)])
    Table(ask=lambda _: next(answers), tell=told.append).shares_of_enough(held.record)
    asked = [line.partition(" / ")[2] for line in told if "필요합니다" in line]
    assert asked == ["2 more shares are needed.", "1 more share is needed."]


def test_too_few_shares_are_told_whatever_their_number() -> None:
    said = str(ShareProblem("too-few", None, given=1, needed=3))
    assert said.endswith("shares given: only 1; needed: 3.")
