"""Signed notes and checkpoints: other people's are read as they read them, broken ones refused."""

from __future__ import annotations

import base64
import hashlib
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from mvote.ballotbox.checkpoints import LogState, open_checkpoint, parse_checkpoint
from mvote.ballotbox.merkle import EMPTY_ROOT
from mvote.ballotbox.notes import (
    COSIGNED,
    LARGEST_NOTE,
    MalformedNote,
    Note,
    Signature,
    UnverifiedNote,
    Verifier,
    cosigned_message,
    is_name,
    log_verifier,
    open_note,
    parse_note,
    parse_signatures,
    parse_vkey,
    sign,
    sign_note,
    written,
)

# The note and the keys that Go's implementation is tested with.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = GO_TEXT + (
    "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngot"
    "pRZb6KE6RyyBwJnAM=\n"
)
# A checkpoint of a public log, with cosignatures of public witnesses.
REAL_LOG = (
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
)
REAL_WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
REAL_CHECKPOINT = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3\
urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI7\
5MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5\
XeU/zZ0WBxtqB0DrAWfBw==
"""
ORIGIN = "vote.example.kr/mvote/city"
KEY, OTHER_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
LOG = log_verifier(ORIGIN, KEY.public_key().public_bytes_raw())
WITNESS = Verifier("witness.example.org/w", COSIGNED, OTHER_KEY.public_key().public_bytes_raw())
CHECKPOINT = LogState(origin=ORIGIN, size=7, root=hashlib.sha256(b"root").digest())
SIGNED_CHECKPOINT = sign_note(CHECKPOINT.text, name=ORIGIN, keys=[KEY])


def cosignature(text: str, time: int, key: Ed25519PrivateKey = OTHER_KEY) -> Signature:
    made = time.to_bytes(8, "big") + key.sign(cosigned_message(text, time))
    return Signature(WITNESS.name, WITNESS.key_hash, made)


def test_a_note_made_by_gos_implementation_is_verified() -> None:
    assert open_note(GO_NOTE, [parse_vkey(GO_VKEY)]).text == GO_TEXT


def test_our_note_is_the_one_that_gos_implementation_makes() -> None:
    secret = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
    key = Ed25519PrivateKey.from_private_bytes(secret)
    assert sign_note(GO_TEXT, name="PeterNeumann", keys=[key]) == GO_NOTE
    assert log_verifier("PeterNeumann", key.public_key().public_bytes_raw()).vkey == GO_VKEY


@pytest.mark.parametrize("vkey", [REAL_LOG, REAL_WITNESS])
def test_a_public_logs_checkpoint_and_a_public_witnesss_cosignature_are_verified(vkey: str) -> None:
    verifier = parse_vkey(vkey)
    assert verifier.vkey == vkey
    checkpoint, note = open_checkpoint(
        REAL_CHECKPOINT, origin="arche2025h1.staging.ct.transparency.dev", verifiers=[verifier]
    )
    assert checkpoint.size == 1432088532
    assert [signature.name for signature in note.signatures] == [verifier.name]
    with pytest.raises(UnverifiedNote, match="wrong"):
        open_note(REAL_CHECKPOINT.replace("1432088532", "1432088533"), [verifier])


def test_the_signed_words_of_a_cosignature_are_those_of_the_specification() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert cosigned_message(text, 1679315147) == f"cosignature/v1\ntime 1679315147\n{text}".encode()


def test_what_is_written_is_read_again() -> None:
    note = Note("a\n\nb\n", (sign("a\n\nb\n", name=ORIGIN, key=KEY),))
    assert parse_note(written(note)) == note
    assert open_note(written(note), [LOG]) == note


def test_signatures_of_unknown_keys_are_ignored() -> None:
    stranger = sign(CHECKPOINT.text, name="stranger", key=OTHER_KEY)
    namesake = sign("something else\n", name=ORIGIN, key=OTHER_KEY)  # our name, not our key
    later_kind = Signature(ORIGIN, b"\x06\x06\x06\x06", b"x" * 3000)
    raw = SIGNED_CHECKPOINT + stranger.line + namesake.line + later_kind.line
    assert open_note(raw, [LOG]) == parse_note(SIGNED_CHECKPOINT)
    with pytest.raises(UnverifiedNote, match="nobody"):
        open_note(raw, [WITNESS])


def test_one_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    wrong = Signature(ORIGIN, LOG.key_hash, KEY.sign(b"something else"))
    with pytest.raises(UnverifiedNote, match="wrong"):
        open_note(SIGNED_CHECKPOINT + wrong.line, [LOG])


def test_both_keys_sign_while_one_takes_over_from_the_other() -> None:
    raw = sign_note(CHECKPOINT.text, name=ORIGIN, keys=[KEY, OTHER_KEY])
    later = log_verifier(ORIGIN, OTHER_KEY.public_key().public_bytes_raw())
    for known, count in (([LOG], 1), ([later], 1), ([LOG, later], 2)):
        assert len(open_note(raw, known).signatures) == count


def test_a_cosignature_counts_for_its_text_and_its_time_alone() -> None:
    good = cosignature(CHECKPOINT.text, 1_700_000_000)
    assert open_note(SIGNED_CHECKPOINT + good.line, [WITNESS]).signatures == (good,)
    later = (1_700_000_001).to_bytes(8, "big") + good.signature[8:]
    beyond = (2**63).to_bytes(8, "big")
    beyond += OTHER_KEY.sign(cosigned_message(CHECKPOINT.text, 2**63))
    for made in (later, beyond, good.signature[8:], good.signature + b"x", b"short"):
        bad = Signature(WITNESS.name, WITNESS.key_hash, made)
        with pytest.raises(UnverifiedNote, match="wrong"):
            open_note(SIGNED_CHECKPOINT + bad.line, [WITNESS])


def test_a_log_signature_is_no_cosignature_nor_the_other_way_round() -> None:
    plain = Signature(WITNESS.name, WITNESS.key_hash, OTHER_KEY.sign(CHECKPOINT.text.encode()))
    assert not WITNESS.verifies(CHECKPOINT.text, plain.signature)
    as_log = log_verifier(WITNESS.name, WITNESS.public)
    assert not as_log.verifies(CHECKPOINT.text, cosignature(CHECKPOINT.text, 1).signature)
    assert as_log.key_hash != WITNESS.key_hash


LINE = parse_note(SIGNED_CHECKPOINT).signatures[0].line


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "no blank line\n",
        "text\n\n",
        "text\n" + LINE,
        "text\n\n" + LINE.removesuffix("\n"),
        "text\n\n" + LINE + "more\n",
        "text\n\n- " + LINE[2:],
        "text\n\n—" + LINE[2:],
        "text\n\n—  AAAAAAAA\n",
        "text\n\n— a+b AAAAAAAA\n",
        "text\n\n— a\u00a0b AAAAAAAA\n",
        "text\n\n— a AAAA\n",
        "text\n\n— a AAAAAAA\n",
        "text\n\n— a AAAAAAB=\n",
        "text\n\n— a AAAAAAAA=\n",
        "text\n\n— a AAAAA AAA\n",
        "text\n\n— a AAAA-AAA\n",
        "text\n\n— a ÄÄÄÄÄÄÄÄ\n",
        "te\txt\n\n" + LINE,
        "text\r\n\r\n" + LINE,
        "te\0xt\n\n" + LINE,
        "\ud800\n\n" + LINE,
        b"\xff\n\n" + LINE.encode(),
        "text\n\n" + LINE * 101,
        "x" * LARGEST_NOTE + "\n\n" + LINE,
    ],
)
def test_what_is_no_note_is_refused(raw: str | bytes) -> None:
    with pytest.raises(MalformedNote):
        parse_note(raw)


def test_many_signatures_are_borne() -> None:
    assert len(parse_note("text\n\n" + LINE * 100).signatures) == 100
    with pytest.raises(MalformedNote):
        parse_signatures("")


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_no_bytes_break_the_parser(raw: str | bytes) -> None:
    for each in (raw, SIGNED_CHECKPOINT.encode()[:60] + (raw if isinstance(raw, bytes) else b"")):
        try:
            note = parse_note(each)
        except MalformedNote:
            continue
        assert written(note) == (each if isinstance(each, str) else each.decode())


def test_a_note_with_any_byte_changed_is_refused() -> None:
    chance, raw = random.Random(1), SIGNED_CHECKPOINT.encode()
    for place in range(len(raw)):
        changed = bytes([chance.choice([b for b in range(256) if b != raw[place]])])
        with pytest.raises((MalformedNote, UnverifiedNote)):
            open_note(raw[:place] + changed + raw[place + 1 :], [LOG])


@pytest.mark.parametrize("cut", [(0, 5), (0, 20), (1, 66), (12, 66), (13, 22), (22, 66), (0, 65)])
def test_a_part_of_a_key_is_no_key(cut: tuple[int, int]) -> None:
    with pytest.raises(MalformedNote):
        parse_vkey(GO_VKEY[slice(*cut)])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "++",
        GO_VKEY.replace("c74f20a3", "C74F20A3"),
        GO_VKEY.replace("c74f20a3", "c74f20a4"),
        GO_VKEY.replace("PeterNeumann", "Peter Neumann"),
        GO_VKEY + "A",
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "ä" * 5000,
    ],
)
def test_a_mangled_key_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedNote) as refused:
        parse_vkey(vkey)
    assert len(str(refused.value)) < 300


def test_names_are_one_word() -> None:
    assert is_name("example.com/log42")
    assert is_name("서울")
    assert not any(map(is_name, ("", "a b", "a+b", "a\u2003b", "a\tb", "a\x01b")))


def test_a_checkpoint_says_name_size_and_root() -> None:
    empty = LogState(origin=ORIGIN, size=0, root=EMPTY_ROOT)
    assert empty.text == f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert parse_checkpoint(empty.text) == empty
    assert parse_checkpoint(CHECKPOINT.text) == CHECKPOINT


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n7\n", "\n07\n"),
        ("\n7\n", "\n+7\n"),
        ("\n7\n", "\n-7\n"),
        ("\n7\n", "\n7 \n"),
        ("\n7\n", "\n７\n"),
        ("\n7\n", "\n7.0\n"),
        ("\n7\n", "\n\n"),
        ("\n7\n", f"\n{2**63}\n"),
        ("\n7\n", "\n" + "7" * 10_000 + "\n"),
        ("=\n", "=\nmore\n"),
        ("=\n", "="),
        ("=\n", "\n"),
        ("=\n", "==\n"),
        (ORIGIN, ""),
        ("\n7\n", "\n7\nQUJD\n"),
    ],
)
def test_what_is_no_checkpoint_is_refused(old: str, new: str) -> None:
    assert old in CHECKPOINT.text
    with pytest.raises(MalformedNote):
        parse_checkpoint(CHECKPOINT.text.replace(old, new, 1))


def test_a_root_of_another_length_is_refused() -> None:
    with pytest.raises(MalformedNote, match="32 bytes"):
        parse_checkpoint(f"{ORIGIN}\n7\n{base64.b64encode(b'x' * 31).decode()}\n")


def test_a_checkpoint_of_another_log_is_refused_though_well_signed() -> None:
    other = LogState(origin="other.example.kr/mvote/city", size=7, root=CHECKPOINT.root)
    raw = sign_note(other.text, name=ORIGIN, keys=[KEY])
    with pytest.raises(MalformedNote, match="a checkpoint of 'other"):
        open_checkpoint(raw, origin=ORIGIN, verifiers=[LOG])
    assert open_checkpoint(SIGNED_CHECKPOINT, origin=ORIGIN, verifiers=[LOG])[0] == CHECKPOINT
