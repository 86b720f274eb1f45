"""The verifier on rolls and on limits: too many voters, and votes that break a limit, are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.bundles import MadeUpPoll, written
from tests.test_verifier import verdict

BALLOTS = 60
Capture = pytest.CaptureFixture[str]


def checked(tmp_path: Path, capsys: Capture, poll: MadeUpPoll) -> tuple[int, dict[str, str]]:
    return verdict(capsys, written(tmp_path, poll.signed(poll.files())))


@pytest.mark.parametrize(("size", "status"), [(BALLOTS, "ok"), (BALLOTS - 1, "FAILED")])
def test_more_voters_than_the_roll_holds_are_found(
    tmp_path: Path, capsys: Capture, size: int, status: str
) -> None:
    poll = MadeUpPoll(BALLOTS, roll={"size": size, "sha256": "ab" * 32})
    code, checks = checked(tmp_path, capsys, poll)
    assert (code, checks["accounting"]) == (0 if status == "ok" else 1, status)


def project_ballot(poll: MadeUpPoll, limits: list[Any], wrong: str) -> MadeUpPoll:
    """The same poll with limits that its ballots were never held to."""
    question = poll.definition["question"]
    for n, option in enumerate(question["options"]):
        option |= {"heading": "city", "amount": n}
    question |= {"headings": [{"key": "city"}], "limits": limits, "wrong": wrong}
    return poll


def test_limits_that_all_ballots_keep_to_change_nothing(tmp_path: Path, capsys: Capture) -> None:
    poll = project_ballot(MadeUpPoll(BALLOTS), [{"over": "all", "count": {"max": 1}}], "refuse")
    assert checked(tmp_path, capsys, poll)[0] == 0


@pytest.mark.parametrize(("wrong", "check"), [("refuse", "records"), ("spoil", "totals")])
def test_a_count_that_ignores_the_limits_is_found(
    tmp_path: Path, capsys: Capture, wrong: str, check: str
) -> None:
    """Every vote for the dearest project breaks the limit; the operator counts it all the same."""
    limits = [{"over": "all", "cost": {"max": 1}}]
    poll = project_ballot(MadeUpPoll(BALLOTS), limits, wrong)
    code, checks = checked(tmp_path, capsys, poll)
    assert (code, checks[check]) == (1, "FAILED")
