"""An eighth cycle needs no code: whatever is well formed is taken; nothing that is not."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mvote.budget.contradictions import contradictions
from mvote.budget.definition import read_definition
from tests.support.budgets import (
    Definition,
    around_now,
    begin,
    definition_of,
    phase,
    plan,
    read,
    send,
)
from tests.support.hostile import check_problem, no_trace
from tests.support.inventing import invented, invented_by
from tests.support.world import World


def test_cycles_that_nobody_foresaw_are_taken_and_read_back_as_they_were_sent(world: World) -> None:
    officer = world.officer()
    for seed in range(40):
        definition = invented(seed)
        cycle = plan(world, definition, officer)
        if isinstance(definition["title"], str):
            definition["title"] = {"ko": definition["title"]}
        shown = read(world, cycle)
        assert {name: shown[name] for name in definition} == definition, seed


@given(chance=st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_does_not_contradict_itself_is_kept_and_goes_through_its_phases(
    world: World, chance: random.Random
) -> None:
    rules = invented_by(chance)
    first, *others = [each["kind"] for each in rules["phases"]]
    definition = around_now(rules, first)
    assert contradictions(read_definition(definition)) == []
    officer = world.officer()
    cycle = plan(world, definition, officer)
    if isinstance(definition["title"], str):
        definition["title"] = {"ko": definition["title"]}
    shown = read(world, cycle)
    assert {name: shown[name] for name in definition} == definition
    assert phase(world, cycle, officer).get_json()["phase"] == first
    for kind in others:
        assert begin(world, cycle, kind)["phase"] == kind


Spoil = Callable[[Definition], None]


def _swap_dates(definition: Definition) -> None:
    phase = definition["phases"][-1]
    phase["opens_at"], phase["closes_at"] = phase["closes_at"], phase["opens_at"]


def _too_high(definition: Definition) -> None:
    definition["budget_limit"] = 10**5
    definition["headings"][0]["limit"] = 10**5 + 1


SPOILS: dict[str, Spoil] = {
    "phase-ends-before-it-begins": _swap_dates,
    "limit-above-parent": _too_high,
    "unknown-parent": lambda d: d["headings"].append({"key": "new", "parent": "gone"}),
    "key-repeated": lambda d: d["headings"].append(dict(d["headings"][0])),
    "unknown-kind": lambda d: d["cost_caps"].append({"kind": "gone", "max": 1}),
    "phase-repeated": lambda d: d["phases"].append(dict(d["phases"][0])),
}


@pytest.mark.parametrize("code", SPOILS)
def test_a_contradiction_put_into_any_of_them_is_found(code: str) -> None:
    for seed in range(200):
        definition = invented(seed)
        assert contradictions(read_definition(definition)) == [], seed
        SPOILS[code](definition)
        assert code in {each.code for each in contradictions(read_definition(definition))}, seed


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        inner = list(value.items())
    else:
        inner = list(enumerate(value)) if isinstance(value, list) else []
    for step, each in inner:
        found += _places(each, (*path, step))
    return found


def _with(whole: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = whole.copy()
    changed[path[0]] = _with(whole[path[0]], path[1:], value)
    return changed


MONSTERS: tuple[Any, ...] = (
    "\u0000", "a\u202eb", "\u2066x", 10**40, -(10**40), 1e308, {"x": {"x": {"x": []}}},
    [[[[[]]]]], "x" * 10_001, "__proto__", {"__class__": 1}, "’; DROP TABLE cycle; --",
)  # fmt: skip


def test_monsters_in_any_place_are_refused_or_harmless(world: World) -> None:
    """Never an error of ours; what is refused wrote nothing."""
    officer, chance, definition = world.officer(), random.Random(1), definition_of(2015)
    places = _places(definition)
    for _ in range(150):
        path, monster = chance.choice(places), chance.choice(MONSTERS)
        body = json.dumps(_with(definition, path, monster))
        before = world.count("cycle")
        answer = world.client.post(
            "/v1/cycles", data=body, content_type="application/json", headers=officer.headers
        )
        assert answer.status_code in (201, 422), (path, monster)
        assert world.count("cycle") == before + (answer.status_code == 201)


NO_JSON = (
    b'{"budget_limit": NaN}', b'{"budget_limit": Infinity}', b'{"title": "\\ud800"}',
    b"[" * 5_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b"", b"\xff",
)  # fmt: skip


def test_what_is_no_json_is_refused_and_writes_nothing(world: World) -> None:
    officer = world.officer()
    with no_trace(world):
        for raw in NO_JSON:
            answer = world.client.post(
                "/v1/cycles",
                data=raw,
                content_type="application/json",
                headers=officer.headers | {"Accept-Language": "en"},
            )
            check_problem(answer, 400, "malformed-json", "en")


def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    definition = definition_of(2015) | {"description": "가" * 30_000}
    officer = world.officer()
    with no_trace(world):
        answer = world.client.post("/v1/cycles", json=definition, headers=officer.headers)
    assert answer.status_code == 413


@pytest.mark.parametrize("title", ["مدينة ٢٠٢٦", "עיר תקציב", "예산 🌳", "Ünïcode"])
def test_names_in_any_script_are_kept_but_no_character_that_turns_the_text(
    world: World, title: str
) -> None:
    officer = world.officer()
    cycle = plan(world, definition_of(2015) | {"title": title}, officer)
    assert read(world, cycle)["title"] == {"ko": title}
    with no_trace(world):
        turned = definition_of(2015) | {"title": f"\u202e{title}"}
        answer = world.client.post("/v1/cycles", json=turned, headers=officer.headers)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.get_json()["errors"]] == ["/title"]


def test_what_is_too_large_is_not_said_to_be_no_whole_number(world: World) -> None:
    officer = world.officer()
    with no_trace(world):
        for limit, said in ((1e30, "수가 너무 큽니다."), (1.5, "정수여야 합니다.")):
            answer = send(world, definition_of(2015) | {"budget_limit": limit}, officer)
            assert [each["detail"] for each in answer.get_json()["errors"]] == [said]
