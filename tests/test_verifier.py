"""The verifier: an honest bundle passes, and whatever is changed in it is found.

Every case of tampering first sees the honest bundle pass, so that it is the change that is found.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.bundles import Files, MadeUpPoll, written
from tests.support.code import ROOT
from tests.support.tampering import SIGNED, UNSIGNED, Tampering
from verifier.mvote_verify import Failed, main, recount

PROGRAM = ROOT / "verifier" / "mvote_verify.py"


@pytest.fixture(scope="module")
def poll() -> MadeUpPoll:
    """A poll of 60 ballots in three batches, with a notice."""
    return MadeUpPoll()


@pytest.fixture(scope="module")
def honest(poll: MadeUpPoll) -> Files:
    """Its honest bundle."""
    return poll.signed(poll.files())


def verdict(
    capsys: pytest.CaptureFixture[str], path: Path, *options: object
) -> tuple[int, dict[str, str]]:
    """The exit code, and the status of each check."""
    code = main([str(path), "--json", *map(str, options)])
    checks = json.loads(capsys.readouterr().out)["checks"]
    return code, {check["name"]: check["status"] for check in checks}


def test_an_honest_bundle_passes_when_the_one_file_is_run_by_itself(
    tmp_path: Path, honest: Files
) -> None:
    alone = tmp_path / "mvote_verify.py"
    alone.write_text(PROGRAM.read_text(encoding="utf-8"), encoding="utf-8")
    path = written(tmp_path, honest)
    words = [sys.executable, "-I", str(alone), str(path)]
    run = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "All that was checked holds." in run.stdout
    assert "FAILED" not in run.stdout
    assert run.stderr == ""


def cases(found: dict[Tampering, str]) -> list[Any]:
    return [pytest.param(act, check, id=act.__name__) for act, check in found.items()]


@pytest.mark.parametrize(("tampering", "check"), cases(UNSIGNED))
def test_what_is_changed_without_the_logs_key_does_not_fit_the_manifest(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    poll: MadeUpPoll,
    honest: Files,
    tampering: Tampering,
    check: str,
) -> None:
    assert verdict(capsys, written(tmp_path, honest))[0] == 0
    code, status = verdict(capsys, written(tmp_path, tampering(poll, honest)))
    assert (code, status[check]) == (1, "FAILED")


@pytest.mark.parametrize(("tampering", "check"), cases(SIGNED))
def test_what_the_holder_of_the_logs_key_changes_and_signs_does_not_fit_the_rest(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    poll: MadeUpPoll,
    honest: Files,
    tampering: Tampering,
    check: str,
) -> None:
    assert verdict(capsys, written(tmp_path, honest))[0] == 0
    lie = poll.signed(tampering(poll, honest))
    code, status = verdict(capsys, written(tmp_path, lie))
    assert (code, status[check]) == (1, "FAILED")
    assert status["signature"] == "ok"


@pytest.mark.parametrize("page", ["verifying.md", "verifying.ko.md"])
def test_every_line_of_the_answer_is_explained_in_both_languages(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, honest: Files, page: str
) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    _, status = verdict(capsys, written(tmp_path, honest))
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    assert set(status) <= set(rows)
    assert "not witnessed" in text
    assert "NOT PROVEN" in text


QUESTION = {"min_selections": 0, "max_selections": 2, "options": [{"key": k} for k in "abc"]}


def vector(kind: int, *marks: int) -> bytes:
    return struct.pack(f">BBH{len(marks)}H", 1, kind, len(marks), *marks)


@pytest.mark.parametrize(
    ("kind", "ballots", "totals", "winners", "blank"),
    [
        ("single", [(1, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 0)], (2, 1, 0), ["a"], 1),
        ("multiple", [(1, 1, 0), (0, 1, 0), (1, 0, 0)], (2, 2, 0), ["a", "b"], 0),
        ("ranking", [(2, 1, 0), (1, 2, 0), (1, 0, 0), (0, 0, 0)], (2, 1, 0), ["a"], 1),
        ("points", [(3, 0, 2), (0, 4, 0)], (3, 4, 2), ["b"], 0),
        ("single", [], (0, 0, 0), [], 0),
    ],
)
def test_ballots_of_each_kind_are_counted_from_their_vectors_alone(
    kind: str, ballots: list[Any], totals: tuple[int, ...], winners: list[str], blank: int
) -> None:
    number = {"single": 1, "multiple": 2, "ranking": 3, "points": 4}[kind]
    definition = {"question": QUESTION | {"kind": kind, "points": 5}}
    counted = recount(definition, (vector(number, *marks) for marks in ballots))
    assert tuple(counted["totals"].values()) == totals
    assert list(counted["totals"]) == ["a", "b", "c"]
    assert (counted["winners"], counted["blank"]) == (winners, blank)
    assert counted["records"] == len(ballots) == counted["valid"] + blank


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("single", vector(1, 1, 0)),
        ("single", vector(2, 1, 0, 0)),
        ("single", vector(1, 2, 0, 0)),
        ("multiple", vector(2, 1, 1, 1)),
        ("ranking", vector(3, 1, 3, 0)),
        ("ranking", vector(3, 1, 1, 0)),
        ("points", vector(4, 3, 3, 0)),
        ("single", vector(1, 1, 0, 0) + b"\0"),
        ("single", b""),
    ],
)
def test_a_vector_that_the_question_does_not_allow_is_never_counted(
    kind: str, wrong: bytes
) -> None:
    definition = {"question": QUESTION | {"kind": kind, "points": 5}}
    with pytest.raises(Failed):
        recount(definition, [wrong])
