"""Clients that are generated from the contract take the tour of the README on the real server."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from ops import clients, npm
from tests.support.city import City, a_city
from tests.support.database import ROOT, TestCluster
from tests.support.rolls import csv_of, number, xlsx_of
from tests.support.serving import served

EXAMPLES = ROOT / "docs" / "examples" / "clients"
with_npm = pytest.mark.skipif(
    not npm.is_installed(), reason="npm's packages could not be fetched: see ops/npm.py"
)
STRICT = ("--strict", "--config-file=", "--no-incremental", "--cache-dir", os.devnull)


@dataclass(frozen=True)
class Made:
    """A client, and what its generator had to say."""

    folder: Path
    said: str


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("python")
    return Made(folder, clients.make_python(folder))


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The tour in TypeScript beside the types of the contract, as a project of its own."""
    folder = tmp_path_factory.mktemp("tour") / "typescript"
    shutil.copytree(EXAMPLES / "typescript", folder)
    (folder / "node_modules").symlink_to(npm.HOME / "node_modules")
    return Made(folder, clients.make_typescript(folder))


@dataclass(frozen=True)
class Town:
    """Seoul, served, and who is there."""

    city: City
    address: str
    folder: Path

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "CITIZEN": self.city.run("token", "--role", "citizen").stdout.strip(),
            "OFFICER": self.city.run("token", "--role", "officer").stdout.strip(),
        }

    def tour(self, *words: str | Path, **more: str) -> list[str]:
        """What a tour says that ends well."""
        return said([*words, self.address, self.folder], **self.environment() | more).splitlines()


@pytest.fixture(scope="module")
def town(
    cluster: TestCluster, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """The demo behind gunicorn, and a folder with what an officer sends."""
    folder = tmp_path_factory.mktemp("sent")
    numbers = [number(n) for n in range(3)]
    (folder / "roll.csv").write_bytes(csv_of(numbers))
    (folder / "roll.xlsx").write_bytes(xlsx_of([["휴대폰"], *([each] for each in numbers)]))
    (folder / "picture.png").write_bytes(a_picture())
    with a_city(cluster, f"clients_{worker_id}", tmp_path_factory.mktemp("seoul")) as city:
        assert city.run("demo", "load").exit_code == 0
        with served(city) as address:
            yield Town(city, address, folder)


def a_picture() -> bytes:
    """A PNG."""
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(file, "PNG")
    return file.getvalue()


def said(words: list[str | Path], **environment: str) -> str:
    """The output of a program that ends well."""
    done = run(words, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run(words: list[str | Path], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, env=environment or None, capture_output=True, text=True, check=False
    )


def types_of(python: Made, *tours: Path) -> subprocess.CompletedProcess[str]:
    """mypy's strict look at the generated package, and at tours through it."""
    return run(
        [sys.executable, "-m", "mypy", *STRICT, python.folder / clients.PACKAGE, *tours],
        **os.environ | {"MYPYPATH": str(python.folder)},
    )


def tsc(typescript: Made) -> subprocess.CompletedProcess[str]:
    compiler = typescript.folder / "node_modules" / "typescript" / "bin" / "tsc"
    return run([clients.node(), compiler, "--project", typescript.folder])


def value(lines: list[str], label: str) -> str:
    """What stands behind *label* in the one line that begins with it."""
    [found] = [line.partition(": ")[2] for line in lines if line.startswith(f"{label}: ")]
    return found


def test_the_python_generator_makes_every_operation_without_a_warning(python: Made) -> None:
    assert re.findall(r"(?i)warn.*|error.*|unsupported.*", python.said) == []
    text = clients.CONTRACT.read_text(encoding="utf-8")
    named = set(re.findall(r"^      operationId: (\w+)$", text, re.MULTILINE))
    made = {path.stem for path in (python.folder / clients.PACKAGE / "api").glob("*/*.py")}
    assert made - {"__init__"} == named


def test_the_python_client_and_the_tour_through_it_are_typed_strictly(
    python: Made, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.py"  # sabotaged: no text, no such kind of question
    wrong.write_text(
        "from mvote_client.models import Question\n\nQuestion(text=7, kind='dice', options=[])\n"
    )
    found = types_of(python, EXAMPLES / "tour.py", wrong).stdout
    errors = [line for line in found.splitlines() if " error: " in line]
    assert [line for line in errors if "wrong.py" not in line] == []
    assert [line.rpartition(" ")[2] for line in errors] == ["[arg-type]"] * 2


def test_the_tour_goes_through_the_generated_python_client(python: Made, town: Town) -> None:
    lines = town.tour(sys.executable, EXAMPLES / "tour.py", PYTHONPATH=str(python.folder))
    polls, tracker = value(lines, "receipt").split()
    assert town.city.rows("SELECT count(*) FROM participation WHERE poll_id = %s", polls) > [(0,)]
    assert re.fullmatch(r"[0-9a-z]{20,}", tracker)
    assert value(lines, "may vote") == "True"
    assert value(lines, "the same for the same key") == "True"
    assert value(lines, "refused") == "409 already-voted"
    assert value(lines, "wrong").startswith("invalid-request [('/position/lat', ")
    assert value(lines, "stale") == "412 stale-version"
    assert value(lines, "revised") == "Choose a tree"
    assert value(lines, "opened").startswith("open ")
    assert [line for line in lines if line.startswith("roll: ")] == [
        "roll: roll.csv utf-8 3 True",
        "roll: roll.xlsx xlsx 3 False",
    ]
    assert value(lines, "ranked") == "True"
    assert value(lines, "area").endswith("Polygon")
    assert value(lines, "sites") == "application/geo+json FeatureCollection"
    assert_verifies(town.folder / "bundle.zip")


def assert_verifies(bundle: Path) -> None:
    verifier: list[str | Path] = [sys.executable, ROOT / "verifier" / "mvote_verify.py", bundle]
    assert "All that was checked holds." in said(verifier)
    broken = bytearray(bundle.read_bytes())  # sabotaged
    broken[len(broken) // 2] ^= 1
    bundle.write_bytes(broken)
    assert run(verifier).returncode != 0


@with_npm
def test_somebody_elses_linter_finds_nothing_in_the_contract(typescript: Made) -> None:
    shutil.copy(ROOT / "tests" / "support" / "lint.mjs", typescript.folder)
    words = [clients.node(), typescript.folder / "lint.mjs"]
    assert said([*words, clients.CONTRACT]) == ""
    bad = typescript.folder / "bad.yaml"  # sabotaged: an operation nobody knows the access of
    text = clients.CONTRACT.read_text(encoding="utf-8")
    bad.write_text(text.replace("      security: []\n", "", 1), encoding="utf-8")
    assert said([*words, bad]).startswith("security-defined: ")


@with_npm
def test_a_call_that_the_contract_does_not_know_does_not_compile(typescript: Made) -> None:
    assert tsc(typescript).returncode == 0, tsc(typescript).stdout[-3000:]
    text = (EXAMPLES / "typescript" / "tour.ts").read_text(encoding="utf-8")
    sabotaged = {
        "path.ts": ('"/v1/polls/nearby"', '"/v1/polls/near"'),
        "word.ts": ('kind: "ranking"', 'kind: "dice"'),
        "language.ts": ("alt: { ko:", "alt: { fr:"),
        "header.ts": ('"Idempotency-Key"', '"Idempotence-Key"'),
    }
    for name, (right, wrong) in sabotaged.items():
        assert right in text
        (typescript.folder / name).write_text(text.replace(right, wrong, 1), encoding="utf-8")
    refused = set(re.findall(r"(\w+\.ts)\(.*error TS", tsc(typescript).stdout))
    assert refused == set(sabotaged)


@with_npm
def test_the_tour_goes_through_the_types_for_typescript(typescript: Made, town: Town) -> None:
    lines = town.tour(clients.node(), typescript.folder / "tour.ts")
    assert value(lines, "may vote") == "true"
    assert value(lines, "the same for the same key") == "true"
    assert value(lines, "refused") == "409 already-voted"
    assert value(lines, "wrong") == "invalid-request /position/lat"
    assert value(lines, "stale") == "412 stale-version"
    assert value(lines, "opened") == "open"
    assert value(lines, "ranked") == "true"
    assert value(lines, "sheet") == "text/csv; charset=utf-8 true"
    assert_verifies(town.folder / "bundle.zip")
