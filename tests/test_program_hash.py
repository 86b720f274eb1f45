"""The statement's hash of the program covers all that decides what ballots count for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mvote.ballotbox import statements
from mvote.ballotbox.statements import PACKAGE, PROGRAM, program_hash
from tests.support.code import Module

DECIDES_NOTHING = {
    "ballotbox/keystore.py", "ballotbox/poll_keys.py", "ballotbox/stock.py", "ballotbox/tables.py",
    "ballotbox/trustees.py",  # where keys and ballots lie: what they must be is checked
    "budget/definition/scalars.py", "budget/drawing/errors.py", "polls/errors.py", "polls/poll.py",
    "budget/definition/whole.py",  # of a cycle; a poll reads its own limits only
    "polls/integrity/checking.py",  # what a position comes with, where somebody casts
    "base.py", "languages.py", "wording.py",  # what is refused, and how that is said
}  # fmt: skip


def imported_by(name: str) -> set[str]:
    """Files below `mvote/` from which this one imports."""
    found = set()
    for dotted in Module(name, (PACKAGE / name).read_text()).imports():
        first, *steps = dotted.split(".")
        if first != "mvote":
            continue
        places = [Path(*steps).with_suffix(".py"), Path(*steps[:-1]).with_suffix(".py")]
        found |= {str(place) for place in places if (PACKAGE / place).is_file()}
    return found


def test_what_the_counting_program_imports_is_hashed_or_decides_nothing() -> None:
    imported = set().union(*map(imported_by, PROGRAM))
    assert imported - set(PROGRAM) - DECIDES_NOTHING == set()
    assert "budget/limits.py" in imported


@pytest.mark.parametrize("name", PROGRAM)
def test_a_change_of_any_of_its_files_changes_the_hash(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = program_hash()
    for each in PROGRAM:
        copied = tmp_path / each
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes((PACKAGE / each).read_bytes() + b"#" * (each == name))
    monkeypatch.setattr(statements, "PACKAGE", tmp_path)
    assert program_hash() != honest
