"""The draw of 2023 over HTTP: 826 apply, 120 sit, 60 are in reserve, and a stranger repeats it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.applicants import GU, RESERVES, SEATS
from tests.support.code import ROOT
from tests.support.committees import Hall, draw_by, let_days_pass
from tests.support.pool_of_2023 import BANDS, people_with_groups, targets


def _apply(hall: Hall, committee: str) -> None:
    """Let the 826 apply, each of whom the account knows by gender, age and district."""
    people = people_with_groups(hall.world)
    answers = [hall.apply(committee, person, declared=groups) for person, groups in people]
    assert Counter(answer.status_code for answer in answers) == {201: len(people)}


def _counted(persons: list[dict[str, Any]], names: list[str], category: str) -> Counter[str]:
    drawn = set(names)
    return Counter(value for person in persons if person["pseudonym"] in drawn
                   for value in person["categories"][category])  # fmt: skip


def _files(hall: Hall, shown: dict[str, Any], folder: Path) -> None:
    for path in shown["draw"]["files"]:
        (folder / path.rpartition("/")[2]).write_bytes(hall.world.client.get(path).get_data())


def test_826_apply_and_120_are_drawn_with_60_in_reserve_by_the_quotas_of_the_year(
    hall: Hall, tmp_path: Path
) -> None:
    committee = str(hall.form(age_bands=BANDS, draw=draw_by(targets())).get_json()["id"])
    _apply(hall, committee)
    assert hall.show(committee)["draw"]["applicants"] == 826
    let_days_pass(hall.world, committee, 13)
    answer = hall.draw(committee, targets=targets())
    assert answer.status_code == 201, answer.get_data(as_text=True)
    shown = answer.get_json()
    members = [each["pseudonym"] for each in shown["seats"]]
    reserves = [each["pseudonym"] for each in shown["reserves"]]
    assert (len(members), len(reserves)) == (SEATS, RESERVES)
    _files(hall, shown, tmp_path)
    persons = hall.call("GET", f"committees/{committee}/draw/pool.json").get_json()["persons"]
    assert _counted(persons, members, "gender") == {"female": 60, "male": 60}
    assert set(_counted(persons, members, "age").values()) == {40}
    by_gu = _counted(persons, members, "area")
    assert max(by_gu[gu] for gu in GU) <= 6
    in_groups = {each["pseudonym"] for each in persons if each["categories"]["group"]}
    assert len(in_groups & set(members)) >= SEATS * 15 // 100
    script = ROOT / "docs" / "examples" / "repeat_draw.py"
    words = [sys.executable, str(script), str(tmp_path)]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == members + reserves
