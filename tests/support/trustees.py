"""Trustees at the table: a ceremony, its sheets as they are read back, the drill."""

from __future__ import annotations

import html
import io
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from mvote.ballotbox import ceremony
from mvote.ballotbox.ceremony_record import CeremonyRecord, read_record
from mvote.ballotbox.shares import TypedShare, typed_share

NAMES = ["김하나", "이두리", "박세찬", "최네오", "정다섯"]


@dataclass
class Ceremony:
    """A ceremony that was held: its folder, and what stands on the sheets."""

    folder: Path

    @property
    def record_file(self) -> Path:
        return self.folder / "ceremony.json"

    @property
    def record(self) -> CeremonyRecord:
        return read_record(self.record_file.read_bytes())

    @property
    def key(self) -> str:
        return self.record.public_key.hex()

    def sheet(self, number: int) -> str:
        """What is printed for a trustee."""
        return (self.folder / f"sheet-{number:02d}.html").read_text()

    def words(self, number: int) -> str:
        """The words as a trustee reads them from their sheet."""
        [listed] = re.findall(r'<ol class="words">(.*?)</ol>', self.sheet(number), re.DOTALL)
        return " ".join(html.unescape(word) for word in re.findall("<li>(.*?)</li>", listed))

    def all_words(self) -> list[str]:
        return [self.words(place.number) for place in self.record.places]


def hold(folder: Path, *, threshold: int = 3, names: list[str] | None = None) -> Ceremony:
    """Hold a ceremony, as the command line does."""
    names = names or NAMES
    words = ["make", "--threshold", str(threshold), "--shares", str(len(names)),
             "--names", *names, "--out", str(folder)]  # fmt: skip
    assert ceremony.main(words) == 0
    return Ceremony(folder)


def shares_of(held: Ceremony, numbers: list[int]) -> list[TypedShare]:
    """The shares with these numbers, as typed from their sheets."""
    record = held.record
    return [typed_share(record, record.places[n - 1], held.words(n).split()) for n in numbers]


def drill(monkeypatch: pytest.MonkeyPatch, challenge: Path, lines: list[str]) -> int:
    """Let trustees type these lines; the exit status."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    return ceremony.main(["drill", "--challenge", str(challenge)])


def run(app: Flask, *words: object, typed: list[str] | None = None) -> Result:
    """`flask --app wsgi …`, with lines typed at the prompts."""
    text = "".join(f"{line}\n" for line in typed or [])
    return app.test_cli_runner().invoke(args=[str(word) for word in words], input=text)


def drilled(
    app: Flask, monkeypatch: pytest.MonkeyPatch, folder: Path, *, threshold: int = 3
) -> Ceremony:
    """A ceremony whose key was drilled and imported."""
    held = hold(folder / "ceremony", threshold=threshold)
    challenge = folder / "challenge.json"
    asked = run(app, "trustees", "challenge", held.record_file, "--out", challenge)
    assert asked.exit_code == 0, asked.output
    assert drill(monkeypatch, challenge, held.all_words()) == 0
    done = run(app, "trustees", "import", held.record_file, folder / "answer.json")
    assert done.exit_code == 0, done.output
    return held
