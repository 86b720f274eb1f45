"""The witness as a program: its commands, its memory, its HTTP; without anything of ours."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mvote.ballotbox.notes import Verifier, open_note, parse_vkey
from tests.support.code import ROOT
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.witnesses import NAME, ORIGIN, Log, new_witness, served
from verifier import mvote_witness
from verifier.mvote_witness import Witness

PROGRAM = ROOT / "verifier" / "mvote_witness.py"


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def pair(tmp_path: Path, log: Log) -> tuple[Witness, Verifier]:
    return new_witness(tmp_path / "home", [log.verifier])


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """The program as somebody else runs it: elsewhere, without anything of ours."""
    command = [sys.executable, "-I", str(PROGRAM), *map(str, words)]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)


def test_the_program_makes_a_key_and_cosigns_a_directory(tmp_path: Path, log: Log) -> None:
    home, folder = tmp_path / "home", tmp_path / "folder"
    folder.mkdir()
    made = run("keygen", NAME, "--home", home)
    key = parse_vkey(made.stdout.strip())
    assert (home / "key").stat().st_mode & 0o077 == 0
    stem = key.key_hash.hex()
    options = ("--home", home, "--log", log.verifier.vkey)
    assert "nothing to do" in run("cosign", folder, *options).stdout
    for old, size in ((0, 3), (3, 8)):
        (folder / f"{stem}.request").write_bytes(log.request(old, size))
        done = run("cosign", folder, *options)
        assert (done.returncode, done.stdout) == (0, f"cosigned {ORIGIN} at {size}\n")
        note = (folder / f"{stem}.cosigned").read_text()
        assert open_note(note, [key, log.verifier]).text.split("\n")[1] == str(size)
    assert run("keygen", NAME, "--home", home).returncode == 1
    for bad, word in ((log.request(0, 5), "ROLLED BACK"), (Log(fork=1).request(8, 8), "FORK")):
        (folder / f"{stem}.request").write_bytes(bad)
        done = run("cosign", folder, *options)
        assert done.returncode == 1
        assert word in done.stderr
    (folder / f"{stem}.request").write_bytes(Log(fork=1).request(8, 20))
    assert "NOT PROVED" in run("cosign", folder, *options).stderr


def test_an_answer_that_was_lost_is_given_again(
    tmp_path: Path, log: Log, pair: tuple[Witness, Verifier], capsys: pytest.CaptureFixture[str]
) -> None:
    witness, key = pair
    stem = key.key_hash.hex()
    (tmp_path / f"{stem}.request").write_bytes(log.request(0, 3))
    assert mvote_witness.cosign_directory(witness, tmp_path) == 0
    (tmp_path / f"{stem}.cosigned").unlink()  # killed after remembering, before answering
    (tmp_path / f"{stem}.request").write_bytes(log.request(0, 8))
    assert mvote_witness.cosign_directory(witness, tmp_path) == 0
    assert "waiting for a proof from 3" in capsys.readouterr().out
    note = (tmp_path / f"{stem}.cosigned").read_text()
    assert open_note(note, [key]).text.split("\n")[1] == "3"


def test_a_witness_without_its_memory_does_not_start(tmp_path: Path, log: Log) -> None:
    home = tmp_path / "home"
    run("keygen", NAME, "--home", home)
    for content in (None, "", "[]", '{"format": "other", "logs": {}}', '{"format'):
        state = home / "state.json"
        state.unlink() if content is None else state.write_text(content)
        done = run("cosign", tmp_path, "--home", home, "--log", log.verifier.vkey)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr


def test_the_program_serves_http_on_loopback(tmp_path: Path, log: Log) -> None:
    home = tmp_path / "home"
    run("keygen", NAME, "--home", home)
    words = ("serve", "--port", "0", "--home", str(home), "--log", log.verifier.vkey)
    with subprocess.Popen(
        [sys.executable, "-I", str(PROGRAM), *words], stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        try:
            assert server.stdout
            found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
            assert found
            assert post(found[0], log.request(0, 3))[0] == 200
            assert post(found[0], log.request(0, 5)) == (409, "text/x.tlog.size", "3\n")
        finally:
            server.terminate()


def post(url: str, body: bytes, path: str = "/add-checkpoint") -> tuple[int, str, str]:
    """Status, media type and body of the answer."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", path, body)
        response = connection.getresponse()
        return response.status, response.headers.get_content_type(), response.read().decode()
    finally:
        connection.close()


def test_over_http_each_refusal_has_the_status_of_the_specification(
    log: Log, pair: tuple[Witness, Verifier]
) -> None:
    witness, key = pair
    with served(witness) as url:
        status, _, lines = post(url, log.request(0, 6))
        assert status == 200
        assert open_note(log.note(6) + lines, [key]).signatures
        assert post(url, log.request(0, 6)) == (409, "text/x.tlog.size", "6\n")
        assert post(url, Log(fork=2).request(6, 6))[0] == 409
        assert post(url, Log(fork=2).request(6, 9))[0] == 422
        assert post(url, log.request(6, 5))[0] == 400
        assert post(url, b"garbage")[0] == 400
        assert post(url, Log(origin="x.example").request(0, 1))[0] == 404
        assert post(url, log.request(6, 7), path="/other")[0] == 404
        (witness.home.folder / "state.json").rename(witness.home.folder / "lost")
        assert post(url, log.request(6, 7))[0] == 500


def test_an_endless_request_is_not_read(log: Log, pair: tuple[Witness, Verifier]) -> None:
    with served(pair[0]) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        for length in (b"999999999", b"-1", b"x"):
            with socket.create_connection(
                (host, int(port)), timeout=PATIENCE_SECONDS
            ) as connection:
                head = b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: %b\r\n\r\n"
                connection.sendall(head % length)
                assert connection.recv(100).split()[1] in (b"404", b"413")


def test_the_program_imports_nothing_of_ours() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import runpy; runpy.run_path({str(PROGRAM)!r})"],
        cwd="/", check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode == 0
