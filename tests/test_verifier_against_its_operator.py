"""The verifier against whoever runs the vote: they hold every key, and lie consistently.

What such a lie contradicts is outside their reach: keys known from elsewhere, an earlier download,
a voter's receipt, the sealed ballots.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.bundles import MadeUpPoll, written
from tests.support.by_hand import Signer, canonical
from tests.test_verifier import verdict
from verifier.mvote_verify import main

Lie = Callable[[MadeUpPoll], None]
Capture = pytest.CaptureFixture[str]


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


LOG_STATE = {"log_size", "log_root"}


def test_a_statement_from_before_logs_had_checkpoints_is_not_proven_and_does_not_fail(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    poll.unsaid = LOG_STATE
    code, status = verdict(capsys, told(tmp_path, poll))
    assert (code, status["statement"], status["log"]) == (0, "NOT PROVEN", "ok")
    assert main([str(tmp_path / "bundle.zip")]) == 0
    assert "BUT NOT PROVEN: statement." in capsys.readouterr().out


def test_what_is_not_proven_fails_where_that_is_asked_for(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    told(tmp_path, poll)
    whole, strict = [str(tmp_path / "bundle.zip")], ["--strict", str(tmp_path / "bundle.zip")]
    assert main(strict) == 0  # though no witness has signed
    poll.unsaid = LOG_STATE
    told(tmp_path, poll)
    assert [main(whole), main(strict), main([*strict, "--json"])] == [0, 3, 3]
    poll.said["records"] = -1
    told(tmp_path, poll)
    assert [main(whole), main(strict)] == [1, 1]
    assert capsys.readouterr().err == ""


def hide_it_from_the_log(poll: MadeUpPoll) -> None:
    poll.statements_logged = 0


def say_half_of_it(poll: MadeUpPoll) -> None:
    poll.unsaid = {"log_root"}


def count_before_the_last_ballots(poll: MadeUpPoll) -> None:
    poll.statement_after = len(poll.voted) - 3


def be_younger(poll: MadeUpPoll) -> None:
    poll.definition["cautions"] = []


def speak_of_another_poll(poll: MadeUpPoll) -> None:
    poll.said["poll_id"] = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("lie", "check"),
    [
        (hide_it_from_the_log, "log"),
        (say_half_of_it, "statement"),
        (count_before_the_last_ballots, "statement"),
        (be_younger, "statement"),
        (speak_of_another_poll, "statement"),
        (say(entries=59, participations=59, records=59), "accounting"),
    ],
)
def test_no_other_poll_can_pass_for_one_from_before(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll, lie: Lie, check: str
) -> None:
    poll.unsaid = LOG_STATE
    lie(poll)
    code, status = verdict(capsys, told(tmp_path, poll))
    assert (code, status[check]) == (1, "FAILED")


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


NO_KEYS = (b"", b"{}", b'{"log_keys": []}', b'{"log_keys": 7}', b"[]", b"\xff\xfe", b"city+0+AA==")


@pytest.mark.parametrize("content", NO_KEYS, ids=range(len(NO_KEYS)))
def test_a_file_without_keys_to_trust_is_refused_and_not_taken_for_none(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll, content: bytes
) -> None:
    pinned = tmp_path / "keys.json"
    pinned.write_bytes(content)
    with pytest.raises(SystemExit, match="2"):
        main([str(told(tmp_path, poll)), "--pin", str(pinned)])
    said = capsys.readouterr()
    assert "--pin: " in said.err
    assert not said.out


def test_a_file_that_is_not_there_is_no_verdict_on_the_poll(
    capsys: Capture, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "nothing.zip")])
    said = capsys.readouterr()
    assert "nothing.zip" in said.err
    assert not said.out


def test_an_earlier_checkpoint_is_held_to_the_pinned_keys_too(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    """Or whoever adds a key to the bundle's own could sign the history that it is compared with."""
    added, saved = Signer(), tmp_path / "checkpoint"
    body, _, signatures = poll.files()["checkpoint"].partition(b"\n\n")
    body += b"\n"
    saved.write_bytes(body + b"\n" + added.line(poll.origin, body).encode())
    files = poll.files()
    keys = poll.keys()
    keys["log_keys"].append(added.vkey(poll.origin))
    now = written(tmp_path, poll.signed(files | {"keys.json": canonical(keys)}))
    options = ["--previous", saved]
    assert verdict(capsys, now, *options)[1]["earlier download"] == "ok"
    options += ["--pin", poll.log_key.vkey(poll.origin)]
    code, status = verdict(capsys, now, *options)
    assert (code, status["keys"], status["earlier download"]) == (1, "ok", "FAILED")
    saved.write_bytes(body + b"\n" + signatures)
    code, status = verdict(capsys, now, *options)
    assert (code, status["earlier download"]) == (0, "ok")


def test_a_pinned_witness_alone_says_nothing_of_the_logs_keys(
    capsys: Capture, tmp_path: Path, poll: MadeUpPoll
) -> None:
    witness = poll.witness.vkey("witness.example.org", 4)
    code, status = verdict(capsys, told(tmp_path, poll), "--pin", witness)
    assert (code, status["keys"], status["witnesses"]) == (0, "not checked", "ok")


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
