"""A city's engineer sets up a cycle from the pages alone: they say all that there is, rightly."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

import pytest

from mvote.budget.contradictions.texts import TEXTS
from mvote.budget.cycle import PHASE_KINDS
from mvote.budget.definition import Contest, Definition
from tests.support.budgets import around_now, begin, phase, plan, read
from tests.support.code import ROOT
from tests.support.world import World

PAGES = {"en": "cycles.md", "ko": "cycles.ko.md"}
ROW = re.compile(r"^\| (?P<names>`[^|]+`) \| (?P<says>.*) \|$", re.MULTILINE)
PLACE = re.compile(r"\{\w+\}")
EXAMPLE = ROOT / "docs" / "examples" / "cycle.json"


def rows(language: str) -> dict[str, str]:
    """What the tables of the page say of each name."""
    page = (ROOT / "docs" / PAGES[language]).read_text(encoding="utf-8")
    found = ((each["names"], each["says"]) for each in ROW.finditer(page))
    return {name: says for names, says in found for name in re.findall(r"`(\S+?)`", names)}


def example() -> dict[str, Any]:
    return dict(json.loads(EXAMPLE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("language", PAGES)
def test_the_page_tells_every_member_of_a_cycle_and_of_a_contest(language: str) -> None:
    usual = {"key", "title", "release", "double_roll"}  # a contest's; what says itself
    members = {each.name for each in fields(Definition)}
    members |= {each.name for each in fields(Contest)} - usual
    assert members <= rows(language).keys()


@pytest.mark.parametrize("language", PAGES)
def test_the_page_tells_every_phase_and_no_other(language: str) -> None:
    assert set(PHASE_KINDS) <= rows(language).keys()


def test_the_page_tells_every_contradiction_as_the_server_does() -> None:
    told = rows("en")
    assert {code: told.get(code) for code in TEXTS} == {
        code: sentence.template for code, sentence in TEXTS.items()
    }


def test_the_korean_page_names_every_contradiction_with_the_same_facts() -> None:
    told = rows("ko")
    for code, sentence in TEXTS.items():
        assert sorted(PLACE.findall(told[code])) == sorted(PLACE.findall(sentence.template)), code


def test_the_example_is_a_cycle_that_runs(world: World) -> None:
    officer = world.officer()
    cycle = plan(world, example(), officer)
    shown = read(world, cycle)
    assert {name: shown[name] for name in example()} == example()
    cycle = plan(world, around_now(example(), "proposing"), officer)
    assert phase(world, cycle, officer).get_json()["phase"] == "proposing"
    assert begin(world, cycle, "assessing")["phase"] == "assessing"
