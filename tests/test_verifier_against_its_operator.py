"""The verifier against whoever runs the vote: they hold every key, and lie consistently.

What such a lie contradicts is outside their reach: keys known from elsewhere, an earlier download,
a voter's receipt, the sealed ballots.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.bundles import MadeUpPoll, written
from tests.support.by_hand import Signer, canonical
from tests.test_verifier import verdict

Lie = Callable[[MadeUpPoll], None]
Capture = pytest.CaptureFixture[str]
YES, NO = struct.pack(">BBH3H", 1, 1, 3, 1, 0, 0), struct.pack(">BBH3H", 1, 1, 3, 0, 1, 0)


@pytest.fixture
def poll() -> MadeUpPoll:
    """A poll whose operator may do anything."""
    return MadeUpPoll(seed=7)


def told(tmp_path: Path, poll: MadeUpPoll, name: str = "bundle.zip") -> Path:
    """The bundle that the operator gives out: consistent in itself, and signed."""
    return written(tmp_path, poll.signed(poll.files()), name)


def repeat_a_tracker(poll: MadeUpPoll) -> None:
    poll.batches[1][0] = replace(poll.batches[1][0], tracker=poll.batches[0][0].tracker)
    poll.batches[1].sort(key=lambda ballot: ballot.tracker)


def keep_the_order_of_casting(poll: MadeUpPoll) -> None:
    poll.batches[0].reverse()


def say(**what: Any) -> Lie:
    return lambda poll: poll.said.update(what)


@pytest.mark.parametrize(
    ("lie", "check"),
    [
        (repeat_a_tracker, "trackers"),
        (keep_the_order_of_casting, "batches"),
        (say(totals={"yes": 60, "no": 0, "later": 0}), "totals"),
        (say(blank=0, valid=60), "totals"),
        (say(winners=["no", "later"]), "totals"),
        (say(too_few=True), "totals"),
        (say(participations=59), "accounting"),
        (say(entries=61, participations=61, records=61), "accounting"),
        (say(quarantined=1), "accounting"),
        (say(unopenable=1), "accounting"),
        (say(records=-1), "accounting"),
        (say(records="60"), "accounting"),
        (say(records_hash="00" * 32), "records"),
        (say(log_root="00" * 32), "statement"),
        (say(log_size=60), "statement"),
        (say(log_size=10**30), "statement"),
        (say(poll_id="00000000-0000-4000-8000-000000000000"), "statement"),
        (say(definition_hash="00" * 32), "statement"),
    ],
)
def test_a_bundle_that_contradicts_itself_is_found(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll, lie: Lie, check: str
) -> None:
    assert verdict(capsys, told(tmp_path, poll))[0] == 0
    lie(poll)
    code, status = verdict(capsys, told(tmp_path, poll))
    assert (code, status[check]) == (1, "FAILED")
    assert status["signature"] == status["checkpoints"] == "ok"


def change_a_ballot(poll: MadeUpPoll) -> None:
    poll.batches[0][3] = poll.ballot()
    poll.batches[0].sort(key=lambda ballot: ballot.tracker)


def cut_the_log(poll: MadeUpPoll) -> None:
    poll.batches.pop()
    poll.notices.clear()


def take_back_a_notice(poll: MadeUpPoll) -> None:
    poll.notices[0]["kind"] = "extension"


@pytest.mark.parametrize("lie", [change_a_ballot, cut_the_log, take_back_a_notice])
def test_a_log_that_was_rewritten_contradicts_an_earlier_download(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll, lie: Lie
) -> None:
    earlier = told(tmp_path, poll, "earlier.zip")
    honest = verdict(capsys, told(tmp_path, poll), "--previous", earlier)
    assert (honest[0], honest[1]["earlier download"]) == (0, "ok")
    lie(poll)
    now = told(tmp_path, poll)
    assert verdict(capsys, now)[0] == 0  # consistent in itself
    code, status = verdict(capsys, now, "--previous", earlier)
    assert (code, status["earlier download"]) == (1, "FAILED")


def test_a_log_that_has_only_grown_agrees_with_an_earlier_download_or_saved_checkpoint(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    earlier = told(tmp_path, poll, "earlier.zip")
    saved = tmp_path / "checkpoint"
    saved.write_bytes(poll.files()["checkpoint"])
    later = written(tmp_path, poll.signed(grown(poll)))
    for previous in (earlier, saved):
        code, status = verdict(capsys, later, "--previous", previous)
        assert (code, status["earlier download"]) == (0, "ok")
    code, status = verdict(capsys, earlier, "--previous", later)
    assert (code, status["earlier download"]) == (1, "FAILED")


def grown(poll: MadeUpPoll) -> dict[str, bytes]:
    """The bundle after one more notice, which comes behind the statement."""
    from tests.support.by_hand import root_of, sha

    files, notice = poll.files(), canonical({"kind": "correction", "n": 1})
    entries = [*poll.entries, b"\3" + sha(notice)]
    roots = json.loads(files["checkpoints.json"])
    roots.append({"size": len(entries), "root": root_of(entries).hex()})
    return files | {
        "log.bin": b"".join(entries),
        "notices/001.json": notice,
        "checkpoints.json": canonical(roots),
        **poll.checkpoints(len(entries), root_of(entries)),
    }


def test_keys_known_from_elsewhere_show_a_bundle_with_other_keys(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    pinned = tmp_path / "keys.json"
    pinned.write_bytes(canonical(poll.keys()))
    vkey, witness = poll.log_key.vkey(poll.city), poll.witness.vkey("witness.example.org", 4)
    honest = told(tmp_path, poll)
    for pins in (["--pin", pinned], ["--pin", vkey, "--pin", witness]):
        code, status = verdict(capsys, honest, *pins)
        assert (code, status["keys"], status["witnesses"]) == (0, "ok", "ok")
    poll.log_key = Signer()
    forged = told(tmp_path, poll)
    assert verdict(capsys, forged)[0] == 0
    code, status = verdict(capsys, forged, "--pin", pinned)
    assert (code, status["keys"], status["signature"]) == (1, "FAILED", "FAILED")


def test_a_pinned_witness_alone_says_nothing_of_the_logs_keys(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    witness = poll.witness.vkey("witness.example.org", 4)
    code, status = verdict(capsys, told(tmp_path, poll), "--pin", witness)
    assert (code, status["keys"], status["witnesses"]) == (0, "not checked", "ok")


def test_a_check_that_was_asked_for_and_cannot_be_done_is_no_success(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, (_, box, *_) = told(tmp_path, poll), box_of(tmp_path, poll)
    code, status = verdict(capsys, bundle, "--box", box)
    assert (code, status["sealed ballots"]) == (1, "FAILED")
    monkeypatch.setitem(sys.modules, "shamir_mnemonic", None)
    code, status = verdict(capsys, bundle, "--box", box, "--share", "academic acid")
    assert (code, status["sealed ballots"]) == (1, "FAILED")


def test_without_a_cosignature_it_says_not_witnessed_and_does_not_fail(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    files = poll.files()
    size, root = len(poll.entries), bytes.fromhex(json.loads(files["checkpoints.json"])[-1]["root"])
    files |= poll.checkpoints(size, root, witnessed=False)
    code, status = verdict(capsys, written(tmp_path, poll.signed(files)))
    assert (code, status["witnesses"]) == (0, "not checked")


def test_the_city_cannot_be_its_own_witness(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    poll.witness = poll.log_key
    code, status = verdict(capsys, told(tmp_path, poll))
    assert (code, status["witnesses"]) == (0, "not checked")


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
    receipt[what] = poll.receipt(poll.ballots[1])[what][:-1] + "0"
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
    from verifier.mvote_verify import main

    assert main([str(bundle), "--receipt", str(receipt)]) == 1
    lines = capsys.readouterr().out.splitlines()
    return next(line for line in lines if line.startswith("FAILED       receipt"))


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
