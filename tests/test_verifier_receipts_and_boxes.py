"""What only some can check: voters with their receipts, observers with the sealed ballots."""

from __future__ import annotations

import struct
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.bundles import MadeUpPoll
from tests.support.by_hand import canonical
from tests.test_verifier import verdict
from tests.test_verifier_against_its_operator import told
from verifier.mvote_verify import Failed, main, vector_of

Capture = pytest.CaptureFixture[str]
YES, NO = struct.pack(">BBH3H", 1, 1, 3, 1, 0, 0), struct.pack(">BBH3H", 1, 1, 3, 0, 1, 0)


@pytest.fixture
def poll() -> MadeUpPoll:
    """A poll whose operator may do anything."""
    return MadeUpPoll(seed=7)


# receipts


def given(tmp_path: Path, receipt: dict[str, Any]) -> Path:
    path = tmp_path / "receipt.json"
    path.write_bytes(canonical(receipt))
    return path


def test_a_receipt_finds_its_ballot_and_with_the_salt_what_was_chosen(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    poll.batches[0][0] = poll.ballot(YES)
    poll.batches[0].sort(key=lambda ballot: ballot.tracker)
    mine = next(ballot for ballot in poll.ballots if ballot.vector == YES)
    bundle, receipt = told(tmp_path, poll), given(tmp_path, poll.receipt(mine))
    assert verdict(capsys, bundle, "--receipt", receipt)[1]["receipt"] == "ok"
    chosen = verdict(capsys, bundle, "--receipt", receipt, "--selections", "yes")
    assert (chosen[0], chosen[1]["receipt"]) == (0, "ok")
    other = verdict(capsys, bundle, "--receipt", receipt, "--selections", "no")
    assert (other[0], other[1]["receipt"]) == (1, "FAILED")


@pytest.mark.parametrize("what", ["tracker", "envelope_hash", "signature", "definition_hash"])
def test_a_forged_receipt_proves_nothing(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll, what: str
) -> None:
    receipt = poll.receipt(poll.ballots[0])
    other = poll.receipt(poll.ballots[1])[what]
    receipt[what] = other[:-1] + ("1" if other.endswith("0") else "0")
    code, status = verdict(capsys, told(tmp_path, poll), "--receipt", given(tmp_path, receipt))
    assert (code, status["receipt"]) == (1, "FAILED")


def test_a_genuine_receipt_proves_that_its_ballot_was_left_out_or_exchanged(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    lost = poll.batches[0].pop(0)
    main_line = _receipt_line(capsys, told(tmp_path, poll), given(tmp_path, poll.receipt(lost)))
    assert "MISSING" in main_line
    poll.batches[0].insert(0, replace(lost, c=bytes(32)))
    main_line = _receipt_line(capsys, told(tmp_path, poll), given(tmp_path, poll.receipt(lost)))
    assert "CHANGED" in main_line


def _receipt_line(capsys: Capture, bundle: Path, receipt: Path) -> str:
    assert main([str(bundle), "--receipt", str(receipt)]) == 1
    lines = capsys.readouterr().out.splitlines()
    return next(line for line in lines if line.startswith("FAILED       receipt"))


def test_selections_name_each_option_once_and_points_only_where_points_are_given() -> None:
    options = [{"key": key} for key in ("a", "b")]
    asked = {"options": options, "min_selections": 0, "max_selections": 2}
    points, several = asked | {"kind": "points"}, asked | {"kind": "multiple"}
    assert vector_of(points, ["b=3"]) == struct.pack(">BBH2H", 1, 4, 2, 0, 3)
    assert vector_of(several, ["a", "b"]) == struct.pack(">BBH2H", 1, 2, 2, 1, 1)
    for wrong in (["a"], ["a="], ["a=0"], ["a=03"], ["a=-1"], ["a", "a=3"], ["a=1", "a=3"]):
        with pytest.raises(Failed):
            vector_of(points, wrong)  # none of them may pass for a ballot without this mark
    for wrong in (["a=5"], ["a="], ["a", "a"], ["c"]):
        with pytest.raises(Failed):
            vector_of(several, wrong)


# the sealed ballots


def box_of(tmp_path: Path, poll: MadeUpPoll) -> list[object]:
    box, key = tmp_path / "box.bin", tmp_path / "key"
    box.write_bytes(poll.box())
    key.write_text(poll.sealing_key.private_bytes_raw().hex())
    return ["--box", box, "--private-key", key]


def test_observers_with_the_key_open_every_ballot_and_find_the_same(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    code, status = verdict(capsys, told(tmp_path, poll), *box_of(tmp_path, poll))
    assert (code, status["sealed ballots"]) == (0, "ok")


def test_records_that_are_not_the_sealed_ballots_are_found_by_observers_only(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    box = box_of(tmp_path, poll)
    poll.batches[0] = [replace(ballot, vector=NO) for ballot in poll.batches[0]]
    bundle = told(tmp_path, poll)
    assert verdict(capsys, bundle)[0] == 0  # what the counters attest
    code, status = verdict(capsys, bundle, *box)
    assert (code, status["sealed ballots"]) == (1, "FAILED")


def test_a_box_that_is_not_this_polls_or_does_not_open_is_refused(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    bundle, (_, box, _, key) = told(tmp_path, poll), box_of(tmp_path, poll)
    assert isinstance(box, Path)
    assert isinstance(key, Path)
    whole = box.read_bytes()
    for bad in (b"", whole[:-1], whole + b"\0", whole[:60] + b"\0" + whole[61:], b"\0" * 100):
        box.write_bytes(bad)
        code, status = verdict(capsys, bundle, "--box", box, "--private-key", key)
        assert (code, status["sealed ballots"]) == (1, "FAILED")
    box.write_bytes(whole)
    key.write_text(MadeUpPoll(seed=9).sealing_key.private_bytes_raw().hex())
    code, status = verdict(capsys, bundle, "--box", box, "--private-key", key)
    assert (code, status["sealed ballots"]) == (1, "FAILED")


def test_enough_shares_open_the_box_and_too_few_do_not(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    shamir = pytest.importorskip("shamir_mnemonic")
    secret = poll.sealing_key.private_bytes_raw()
    [shares] = shamir.generate_mnemonics(1, [(2, 3)], secret, iteration_exponent=0)
    bundle, (_, box, *_) = told(tmp_path, poll), box_of(tmp_path, poll)
    enough = [word for share in shares[1:] for word in ("--share", share)]
    code, status = verdict(capsys, bundle, "--box", box, *enough)
    assert (code, status["sealed ballots"]) == (0, "ok")
    code, status = verdict(capsys, bundle, "--box", box, *enough[:2])
    assert (code, status["sealed ballots"]) == (1, "FAILED")


def test_a_check_that_was_asked_for_and_cannot_be_done_is_no_success(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, (_, box, *_) = told(tmp_path, poll), box_of(tmp_path, poll)
    code, status = verdict(capsys, bundle, "--box", box)
    assert (code, status["sealed ballots"]) == (1, "FAILED")
    monkeypatch.setitem(sys.modules, "shamir_mnemonic", None)
    code, status = verdict(capsys, bundle, "--box", box, "--share", "academic acid")
    assert (code, status["sealed ballots"]) == (1, "FAILED")
