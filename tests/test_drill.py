"""The drill: every group of trustees that may open a key proves it, and nothing less will do."""

from __future__ import annotations

import json
import math
import os
import pty
import re
import sys
from contextlib import suppress
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from mvote.ballotbox.ceremony_record import NoRecord, read_record
from mvote.ballotbox.drill import (
    DrillFailed,
    answer_of,
    challenge_of,
    check_answer,
    read_challenge,
)
from tests.support.trustees import Ceremony, drill, hold, shares_of

SECRET, CHALLENGE = bytes(range(32)), bytes(16)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    return hold(tmp_path_factory.mktemp("held") / "out")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    return hold(tmp_path_factory.mktemp("other") / "out")


def test_the_drill_proves_every_group_that_may_open_the_key(held: Ceremony) -> None:
    challenge = challenge_of(held.record, challenge_id=CHALLENGE, secret=SECRET)
    answer = answer_of(read_challenge(challenge.content), shares_of(held, [1, 2, 3, 4, 5]))
    proofs = json.loads(answer)["proofs"]
    assert [tuple(proof["shares"]) for proof in proofs] == list(combinations(range(1, 6), 3))
    assert len({proof["proof"] for proof in proofs}) == len(proofs) == math.comb(5, 3)
    check_answer(answer, record=held.record, challenge_id=CHALLENGE, secret=SECRET)


def test_an_answer_with_one_group_missing_changed_or_of_another_challenge_is_refused(
    held: Ceremony, other: Ceremony
) -> None:
    challenge = challenge_of(held.record, challenge_id=CHALLENGE, secret=SECRET)
    answer = json.loads(answer_of(challenge, shares_of(held, [1, 2, 3, 4, 5])))

    def refused(document: object, secret: bytes = SECRET, by: Ceremony = held) -> None:
        content = json.dumps(document).encode()
        with pytest.raises(DrillFailed):
            check_answer(content, record=by.record, challenge_id=CHALLENGE, secret=secret)

    proofs = answer["proofs"]
    refused(answer | {"proofs": proofs[1:]})
    refused(answer | {"proofs": [*proofs[1:], proofs[1]]})
    refused(answer | {"proofs": [proofs[0] | {"proof": "00" * 32}, *proofs[1:]]})
    refused(answer, secret=bytes(32))
    refused(answer, by=other)
    refused(answer | {"format": "another/1"})
    refused([answer])


def test_a_challenge_is_bound_to_its_key_and_to_itself(held: Ceremony, other: Ceremony) -> None:
    challenge = challenge_of(held.record, challenge_id=CHALLENGE, secret=SECRET)
    shares = shares_of(held, [1, 2, 3, 4, 5])
    with pytest.raises(DrillFailed):
        answer_of(replace(challenge, id=bytes([1]) * 16), shares)
    with pytest.raises(DrillFailed):
        answer_of(replace(challenge, record=other.record), shares_of(other, [1, 2, 3, 4, 5]))


def test_a_drill_with_a_share_missing_keeps_nothing(
    held: Ceremony, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "challenge.json"
    path.write_bytes(challenge_of(held.record, challenge_id=CHALLENGE, secret=SECRET).content)
    assert drill(monkeypatch, path, held.all_words()[:4]) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_trustee_who_mistypes_is_asked_again(
    held: Ceremony,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "challenge.json"
    path.write_bytes(challenge_of(held.record, challenge_id=CHALLENGE, secret=SECRET).content)
    first, *rest = held.all_words()
    halves = [" ".join(first.split()[:17]), " ".join(first.split()[17:])]
    assert drill(monkeypatch, path, ["nonsense words", rest[0], *halves, *rest]) == 0
    said = capsys.readouterr().err
    assert "1. 김하나: 1번째 낱말" in said
    assert "2번 조각입니다" in said
    answer = (tmp_path / "answer.json").read_bytes()
    check_answer(answer, record=held.record, challenge_id=CHALLENGE, secret=SECRET)


def test_what_trustees_type_at_a_terminal_is_not_shown(held: Ceremony, tmp_path: Path) -> None:
    path = tmp_path / "challenge.json"
    path.write_bytes(challenge_of(held.record, challenge_id=CHALLENGE, secret=SECRET).content)
    words = ["-m", "mvote.ballotbox.ceremony", "drill", "--challenge", str(path)]
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, *words])  # noqa: S606
    shown = b""
    for line in held.all_words():
        before = shown.count(b"from word 1: ")
        while shown.count(b"from word 1: ") == before:
            shown += os.read(terminal, 4096)
        os.write(terminal, line.encode() + b"\n")
    with suppress(OSError):  # the terminal ends with the program
        while more := os.read(terminal, 4096):
            shown += more
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (tmp_path / "answer.json").exists()
    seen = set(re.findall("[a-z]+", shown.decode().replace(str(path.parent), "").lower()))
    typed = {word for line in held.all_words() for word in line.split()}
    assert seen & typed <= {"answer", "group"}  # which the program itself says


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b"null", b'{"format": "x"}', b"\xff"])
def test_what_is_no_record_or_challenge_is_refused_clearly(damage: bytes) -> None:
    with pytest.raises(NoRecord):
        read_record(damage)
    with pytest.raises(DrillFailed):
        read_challenge(damage)


def test_a_record_with_any_member_changed_for_the_worse_is_refused(held: Ceremony) -> None:
    document = held.record.document
    wrongs: list[dict[str, Any]] = [
        {"threshold": 1},
        {"threshold": 6},
        {"threshold": True},
        {"threshold": "3"},
        {"public_key": "00"},
        {"shares": []},
        {"salt": None},
        {"made_on": "yesterday"},
        {"extra": 1},
    ]
    for wrong in wrongs:
        with pytest.raises(NoRecord):
            read_record(json.dumps(document | wrong).encode())
