"""Bundles made to break the verifier: it answers with a line and exit code 1, and never crashes."""

from __future__ import annotations

import io
import json
import resource
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.bundles import LONG_AGO, Files, MadeUpPoll, packed
from tests.support.by_hand import canonical
from tests.support.tampering import flipped
from tests.test_verifier import PROGRAM
from verifier.mvote_verify import main

Capture = pytest.CaptureFixture[str]
POLL = MadeUpPoll(12, batches=2, seed=3)
FILES = POLL.signed(POLL.files())
HONEST = packed(FILES)


def code_for(capsys: Capture, folder: Path, bundle: bytes) -> int:
    """The exit code; whatever it printed must be lines of the table."""
    path = folder / "bundle.zip"
    path.write_bytes(bundle)
    code = main([str(path), "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["holds"] == (code == 0)
    assert all(line["text"].isprintable() for line in document["checks"])
    return code


def zipped(files: Files, change: Callable[[zipfile.ZipInfo], None]) -> bytes:
    """An archive whose entries were changed on the way in."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, LONG_AGO)
            change(info)
            archive.writestr(info, data)
    return buffer.getvalue()


def with_twice(name: str) -> bytes:
    buffer = io.BytesIO(HONEST)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(zipfile.ZipInfo(name, LONG_AGO), FILES[name])
    return buffer.getvalue()


def with_comment() -> bytes:
    buffer = io.BytesIO(HONEST)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"hello"
    return buffer.getvalue()


def bomb() -> bytes:
    """A hundred megabytes of nothing, packed into a hundred kilobytes."""
    return packed({**FILES, "log.bin": bytes(100 << 20)}, zipfile.ZIP_DEFLATED)


END = struct.Struct("<4s4H2LH")


def with_end(**fields: int) -> bytes:
    """The archive with lies in its last record."""
    names = ("disk", "disk_of", "here", "files", "directory", "start", "comment")
    magic, *values = END.unpack(HONEST[-22:])
    return HONEST[:-22] + END.pack(
        magic, *(dict(zip(names, values, strict=True)) | fields).values()
    )


ARCHIVES = {
    "nothing": lambda: b"",
    "no archive": lambda: b"hello" * 100,
    "an empty archive": lambda: packed({}),
    "cut": lambda: HONEST[:-30],
    "cut at the front": lambda: HONEST[30:],
    "bytes before": lambda: b"#!/bin/sh\n" + HONEST,
    "bytes after": lambda: HONEST + b"\0",
    "a comment": with_comment,
    "a file twice": lambda: with_twice("statement.json"),
    "the manifest twice": lambda: with_twice("manifest.json"),
    "packed": lambda: packed(FILES, zipfile.ZIP_DEFLATED),
    "a bomb": bomb,
    "another date": lambda: zipped(FILES, lambda i: setattr(i, "date_time", (2026, 1, 1, 0, 0, 0))),
    "an extra field": lambda: zipped(FILES, lambda info: setattr(info, "extra", b"\1\0\1\0x")),
    "a file's comment": lambda: zipped(FILES, lambda info: setattr(info, "comment", b"x")),
    "a link": lambda: zipped(FILES, lambda i: setattr(i, "external_attr", 0o120777 << 16)),
    "a path upwards": lambda: packed(FILES | {"../evil": b"x"}),
    "an absolute path": lambda: packed(FILES | {"/etc/cron.d/evil": b"x"}),
    "a name with escapes": lambda: packed(FILES | {"\x1b[2Jrecords": b"x"}),
    "a name beyond ASCII": lambda: packed(FILES | {"기록.bin": b"x"}),
    "a huge directory": lambda: with_end(directory=2**32 - 1),
    "a directory that starts late": lambda: with_end(start=2**31),
    "a million files": lambda: with_end(files=65535, here=65535),
    "files that overlap": lambda: HONEST.replace(b"PK\x01\x02", b"PK\x01\x03", 1),
}  # fmt: skip


@pytest.mark.parametrize("make", ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive_in_any_other_form_is_refused(
    capsys: Capture, tmp_path: Path, make: Callable[[], bytes]
) -> None:
    assert code_for(capsys, tmp_path, HONEST) == 0
    assert code_for(capsys, tmp_path, make()) == 1


DEEP = b"[" * 200_000
DOCUMENTS = [
    b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff", b"{}", b'{"a": NaN}', b'{"a": -Infinity}',
    b'{"a": 1e999}', b'{"a": ' + b"9" * 5000 + b"}", b'{"a": 1, "a": 2}', DEEP,
    b'{"files": ' + DEEP, b'{"files": {"log.bin": null}}', b'{"question": {"options": 7}}',
    b'{"a": "\\ud800"}', b'{"log_keys": [null], "receipt_keys": [], "witnesses": 0}',
    b'{"log_size": 1e3, "totals": [], "records": true}', b'{"origin": {"a": []}}',
]  # fmt: skip


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: repr(document[:24]))
def test_any_json_in_the_place_of_any_file_is_answered_with_a_line(
    capsys: Capture, tmp_path: Path, document: bytes
) -> None:
    for name in FILES:
        files = FILES | {name: document}
        lie = files if name.startswith("manifest.") else POLL.signed(files)
        assert code_for(capsys, tmp_path, packed(lie)) == 1, name


QUESTIONS = [
    {"kind": "single", "options": [], "min_selections": 0, "max_selections": 1},
    {"kind": "lottery", "options": [{"key": "a"}], "min_selections": 0, "max_selections": 1},
    {
        "kind": "single",
        "options": [{"key": "a"}] * 70_000,
        "min_selections": 0,
        "max_selections": 1,
    },
    {"kind": "single", "options": [{}], "min_selections": 0, "max_selections": 1},
    {"kind": "single", "options": [{"key": "a"}], "min_selections": 2, "max_selections": 1},
    {"kind": [], "options": [{"key": "a"}], "min_selections": 0, "max_selections": 1},
    {"kind": "single", "options": [{"key": []}], "min_selections": -1, "max_selections": 10**19},
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_that_makes_no_sense_is_refused(
    capsys: Capture, tmp_path: Path, question: object
) -> None:
    poll = MadeUpPoll(12, batches=2, seed=3)
    honest = poll.files()
    definition = canonical(poll.definition | {"question": question})
    lie = poll.signed(honest | {"definition.json": definition})
    assert code_for(capsys, tmp_path, packed(lie)) == 1


def test_a_hostile_bundle_of_a_hundred_megabytes_is_answered_within_its_memory(
    tmp_path: Path,
) -> None:
    many = b"[" + b'{"root":"' + b"0" * 64 + b'","size":1},' * 1_000_000
    hostile = POLL.signed(
        FILES | {"log.bin": bytes(50 << 20), "checkpoints.json": many[: 60 << 20]}
    )
    path = tmp_path / "bundle.zip"
    path.write_bytes(packed(hostile))
    limit = 512 << 20

    def hold_to_memory() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    run = subprocess.run(
        [sys.executable, str(PROGRAM), str(path)],
        capture_output=True, text=True, check=False, preexec_fn=hold_to_memory,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (1, "")
    assert "IT DOES NOT HOLD" in run.stdout


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(place=st.integers(0, len(HONEST) - 1), bit=st.sampled_from([1 << n for n in range(8)]))
def test_no_bit_of_the_archive_can_be_flipped_unseen(
    capsys: Capture, tmp_path: Path, place: int, bit: int
) -> None:
    assert code_for(capsys, tmp_path, flipped(HONEST, place, bit)) == 1


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(name=st.sampled_from(sorted(set(FILES) - {"manifest.json", "manifest.sig"})), data=st.data())
def test_whoever_signs_a_flipped_bit_is_found_by_what_it_contradicts(
    capsys: Capture, tmp_path: Path, name: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(FILES[name]) - 1))
    changed = flipped(FILES[name], place, data.draw(st.sampled_from([1, 2, 4, 8, 16, 32, 64])))
    lie = POLL.signed(FILES | {name: changed})
    code = code_for(capsys, tmp_path, packed(lie))
    # the names of unknown keys and signers are nobody's business: they count for nothing
    assert code == 1 or name in ("keys.json", "city/checkpoint")


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(noise=st.binary(max_size=300), place=st.integers(0, len(HONEST)))
def test_noise_anywhere_is_refused(
    capsys: Capture, tmp_path: Path, noise: bytes, place: int
) -> None:
    if noise:
        assert code_for(capsys, tmp_path, HONEST[:place] + noise + HONEST[place:]) == 1
