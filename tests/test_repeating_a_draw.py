"""A stranger repeats a draw from its published files, with a script that uses nothing of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mvote.budget.drawing.draw import Drawn, draw
from mvote.budget.drawing.lots import commitment_to
from mvote.budget.drawing.published import Draw, hold_and_publish, only_what_counts, rule_from
from mvote.budget.drawing.quotas import Person, Rule, ratio, scaled
from tests.support.applicants import GENDERS, applicants, rule_of_2023
from tests.support.by_hand import canonical
from tests.support.code import ROOT

SCRIPT = ROOT / "docs" / "examples" / "repeat_draw.py"
SECRET = bytes(range(32))
SMALL = Rule(seats=10, quotas=ratio("gender", GENDERS, seats=10), reserves=6,
             reserve_quotas=ratio("gender", GENDERS, seats=6))  # fmt: skip


def held(rule: Rule, pool: list[Person]) -> tuple[Drawn, dict[str, bytes]]:
    return hold_and_publish(
        Draw(
            rule=rule,
            pool=pool,
            secret=SECRET,
            commitment=commitment_to(SECRET),
            public_source="로또 1061회 당첨번호, 2023-04-01 추첨",
            public_value="4 24 27 35 37 45 + 15",
        )
    )


def repeated(folder: Path, files: dict[str, bytes]) -> subprocess.CompletedProcess[str]:
    """Run the script on the files alone, in a folder and an interpreter of its own."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    script = folder / "script.py"
    script.write_bytes(SCRIPT.read_bytes())
    words = [sys.executable, "-I", str(script), str(folder)]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder)


def test_a_stranger_repeats_the_draw_of_2023(tmp_path: Path) -> None:
    drawn, files = held(rule_of_2023(), applicants())
    run = repeated(tmp_path, files)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [*drawn.members, *drawn.reserves]


def test_the_files_are_canonical_and_say_all_that_decides() -> None:
    drawn, files = held(SMALL, applicants(50))
    assert set(files) == {
        "pool.json", "rule.json", "commitment.json", "reveal.json", "public_value.json",
        "outcome.json",
    }  # fmt: skip
    read = {name: json.loads(data) for name, data in files.items()}
    assert all(files[name] == canonical(document) for name, document in read.items())
    assert rule_from(read["rule.json"]) == SMALL
    pool = [
        Person(pseudonym=each["pseudonym"], categories=each["categories"])
        for each in read["pool.json"]["persons"]
    ]
    assert draw(SMALL, pool, seed=bytes.fromhex(read["outcome.json"]["seed"])) == drawn


def test_facts_that_no_quota_asks_for_are_not_published() -> None:
    person = Person(
        pseudonym="p", categories={"gender": ("female",), "group": ("disabled",), "gu": ("11110",)}
    )
    [published] = only_what_counts([person], SMALL)
    assert published.categories == {"gender": ("female",)}


def change(name: str, act: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        document = json.loads(files[name])
        act(document)
        files[name] = canonical(document)

    return change


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        (change("pool.json", lambda pool: pool["persons"].pop()), "pool.json is not the one"),
        (change("rule.json", lambda rule: rule.update(seats=11)), "rule.json is not the one"),
        (change("reveal.json", lambda reveal: reveal.update(secret="00" * 32)), "the secret"),
        (change("public_value.json", lambda v: v.update(public_value="1 2 3")), "the seed"),
        (change("outcome.json", lambda o: o["members"].reverse()), "other members"),
        (change("outcome.json", lambda o: o["reserves"].pop()), "other reserves"),
    ],
    ids=["pool", "rule", "secret", "public value", "members", "reserves"],
)
def test_a_stranger_sees_what_was_changed(
    tmp_path: Path, lie: Callable[[dict[str, bytes]], None], found: str
) -> None:
    _, files = held(SMALL, applicants(50))
    lie(files)
    run = repeated(tmp_path, files)
    assert run.returncode == 1
    assert "IT DOES NOT HOLD" in run.stderr
    assert found in run.stderr


def test_reserves_of_half_the_seats_have_half_the_quotas() -> None:
    [women, _] = scaled(SMALL.quotas, seats=10, reserves=5)
    assert (women.at_least, women.at_most) == (2, 3)
