"""The witness that anybody can run: it cosigns what extends what it saw, and nothing else."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mvote.ballotbox import merkle
from mvote.ballotbox.checkpoints import open_checkpoint
from mvote.ballotbox.notes import Verifier, open_note
from tests.support.code import ROOT
from tests.support.witnesses import Log, new_witness
from verifier import mvote_witness
from verifier.mvote_witness import Behind, Home, Refused, Witness

PROGRAM = ROOT / "verifier" / "mvote_witness.py"


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def pair(tmp_path: Path, log: Log) -> tuple[Witness, Verifier]:
    return new_witness(tmp_path / "home", [log.verifier])


def sizes_cosigned(witness: Witness, log: Log) -> int:
    with witness.home.remembered() as remembered:
        note = remembered.get(log.origin)
    return open_checkpoint(note, origin=log.origin, verifiers=[log.verifier])[0].size if note else 0


def test_every_growth_up_to_64_entries_is_seen_to_extend_the_log(log: Log) -> None:
    leaves = log.leaves(64)
    hashes, roots = merkle.hashes_of(leaves), [merkle.root_of(leaves[:n]) for n in range(65)]
    for old in range(1, 65):
        for new in range(old, 65):
            proof = merkle.consistency_proof(old, new, hashes)
            assert mvote_witness.extends(old, new, roots[old], roots[new], proof)
            assert not mvote_witness.extends(old, new, roots[old], bytes(32), proof)
            assert not mvote_witness.extends(old, new, roots[old], roots[new], [*proof, leaves[0]])


def test_a_growing_log_is_cosigned_step_by_step(log: Log, pair: tuple[Witness, Verifier]) -> None:
    witness, key = pair
    for old, size in pairwise((0, 1, 2, 5, 8, 9, 31, 32, 40)):
        note = witness.cosign(log.request(old, size))
        assert open_note(note, [key]).text == log.note(size).partition("\n\n")[0] + "\n"


def test_what_was_cosigned_is_remembered_by_the_next_process(
    log: Log, pair: tuple[Witness, Verifier]
) -> None:
    witness, _ = pair
    witness.cosign(log.request(0, 5))
    again = Witness(Home(witness.home.folder), witness.logs)
    with pytest.raises(Behind) as behind:
        again.cosign(log.request(0, 7))
    assert behind.value.size == 5
    again.cosign(log.request(5, 7))
    assert sizes_cosigned(witness, log) == 7


@pytest.mark.parametrize(
    ("old", "size", "fork", "status"),
    [
        (0, 3, 1_000, 409),  # shorter, from nothing
        (3, 3, 1_000, 409),
        (6, 4, 1_000, 400),  # shorter than what it starts from
        (6, 6, 2, 409),  # another history, as long
        (6, 9, 2, 422),  # another history, longer
        (7, 9, 1_000, 409),
    ],
)
def test_a_rollback_or_a_fork_is_refused(
    log: Log, pair: tuple[Witness, Verifier], old: int, size: int, fork: int, status: int
) -> None:
    witness, _ = pair
    witness.cosign(log.request(0, 6))
    with pytest.raises(Refused) as refused:
        witness.cosign(Log(fork=fork).request(old, size))
    assert refused.value.status == status
    assert sizes_cosigned(witness, log) == 6


def test_a_witness_that_does_not_check_would_cosign_the_fork(
    log: Log, pair: tuple[Witness, Verifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin of the one above."""
    witness, _ = pair
    witness.cosign(log.request(0, 6))
    monkeypatch.setattr(mvote_witness, "extends", lambda *_: True)
    assert witness.cosign(Log(fork=2).request(6, 9))


def test_a_proof_with_anything_changed_is_refused(log: Log, pair: tuple[Witness, Verifier]) -> None:
    witness, _ = pair
    witness.cosign(log.request(0, 6))
    good = merkle.consistency_proof(6, 9, merkle.hashes_of(log.leaves(9)))
    bad = [good[:-1], [*good, good[0]], good[::-1], [*good[:-1], bytes(32)], []]
    for proof in bad:
        with pytest.raises(Refused) as refused:
            witness.cosign(log.request(6, 9, proof))
        assert refused.value.status == 422
    witness.cosign(log.request(6, 9, good))


def test_only_a_pinned_key_of_the_log_counts(log: Log, pair: tuple[Witness, Verifier]) -> None:
    witness, _ = pair
    stranger = Log(key=Ed25519PrivateKey.from_private_bytes(b"x" * 32))
    elsewhere = Log(origin="elsewhere.example/log")
    for other, status in ((stranger, 403), (elsewhere, 404)):
        with pytest.raises(Refused) as refused:
            witness.cosign(other.request(0, 3))
        assert refused.value.status == status
    changed = log.request(0, 3).replace(b"\n3\n", b"\n4\n")
    with pytest.raises(Refused) as refused:
        witness.cosign(changed)
    assert refused.value.status == 403
    assert sizes_cosigned(witness, log) == 0


NOTE = Log().note(3)


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"old 0",
        b"old 0\n" + NOTE.encode(),
        b"old 00\n\n" + NOTE.encode(),
        b"old -1\n\n" + NOTE.encode(),
        b"old 9223372036854775808\n\n" + NOTE.encode(),
        b"new 0\n\n" + NOTE.encode(),
        b"old 0\nAAAA\n\n" + NOTE.encode(),
        b"old 0\n" + b"A" * 43 + b"=\n" * 64 + b"\n" + NOTE.encode(),
        b"old 0\n\n" + NOTE.encode()[:-1],
        b"old 0\n\n" + NOTE.encode() + b"more\n",
        b"old 0\n\n" + NOTE.encode().replace(b"\n3\n", b"\n\n"),
        b"old 0\n\n" + NOTE.encode().replace(b"=\n\n", b"\n\n"),
        b"\xff\xfe\n\n",
        "old 0\n\nx\n\n— a b c\n".encode(),
    ],
)
def test_what_is_no_request_is_refused(pair: tuple[Witness, Verifier], request_: bytes) -> None:
    with pytest.raises(Refused) as refused:
        pair[0].cosign(request_)
    assert refused.value.status in (400, 403)


def test_of_many_requests_at_once_only_one_chain_is_cosigned(
    log: Log, pair: tuple[Witness, Verifier]
) -> None:
    witness, _ = pair
    witness.cosign(log.request(0, 4))
    outcomes: list[int] = []

    def ask(fork: int) -> None:
        try:
            witness.cosign(Log(fork=fork).request(4, 8))
        except Refused as refused:
            outcomes.append(refused.status)
        else:
            outcomes.append(200)

    threads = [threading.Thread(target=ask, args=[fork]) for fork in (4, 5, 6, 7) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(200) == 1
    assert set(outcomes) == {200, 409}
