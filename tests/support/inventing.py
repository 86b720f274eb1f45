"""Rules of cycles that no city has had: well formed, and free of contradictions by construction."""

from __future__ import annotations

import random
from typing import Any

from mvote.budget.cycle import PHASE_KINDS
from tests.support.budgets import Definition

DAY = "{year}-{month:02}-{day:02}T{hour:02}:00:00Z"


def invented(seed: int) -> Definition:
    """The cycle that belongs to *seed*."""
    return invented_by(random.Random(seed))


def invented_by(chance: random.Random) -> Definition:
    """A cycle as *chance* will have it."""
    budget = chance.choice([None, chance.randrange(10**6, 10**12)])
    roots = [f"r{n}" for n in range(chance.randint(1, 4))]
    part = budget // len(roots) if budget else None
    kinds = [f"kind-{n}" for n in range(chance.randint(0, 3))]
    has_vote = chance.random() < 0.8
    definition: Definition = {
        "title": chance.choice(["우리 동네 예산", {"ko": "예산", "en": "Budget"}]),
        "currency": chance.choice(["KRW", "EUR", "PLN"]),
        "budget_year": chance.randint(2000, 2100),
        "budget_limit": budget,
        "headings": [h for root in roots for h in _branch(chance, root, part)],
        "kinds": [{"key": kind} for kind in kinds],
        "cost_caps": _caps(chance, kinds, part),
        "phases": _phases(chance, has_vote=has_vote),
        "decision": {"by": chance.choice(["plenary", "assembly"]), "reserve_list": True},
    }
    if has_vote:
        definition["contests"] = [_contest(chance, root, kinds, part) for root in roots]
    if chance.random() < 0.5 and any(p["kind"] == "reviewing" for p in definition["phases"]):
        definition["review"] = _review(chance)
    return definition


def _branch(chance: random.Random, root: str, part: int | None) -> list[dict[str, Any]]:
    """A heading with its part of the money, and some beneath it."""
    top: dict[str, Any] = {"key": root} | ({"limit": part} if part else {})
    beneath = [
        {"key": f"{root}-{n}", "parent": root}
        | ({"limit": chance.randint(1, part), "leftover": "to_parent"} if part and n % 2 else {})
        for n in range(chance.randint(0, 5))
    ]
    return [top, *beneath]


def _caps(chance: random.Random, kinds: list[str], part: int | None) -> list[dict[str, Any]]:
    most = part or 10**9
    return [
        {"kind": kind, "max": chance.randint(1, most)} for kind in kinds if chance.random() < 0.5
    ]


def _phases(chance: random.Random, *, has_vote: bool) -> list[dict[str, Any]]:
    kinds = [
        kind for kind in PHASE_KINDS
        if (kind == "balloting" and has_vote) or (kind != "balloting" and chance.random() < 0.7)
    ] or ["proposing"]  # fmt: skip
    year = chance.randint(2030, 2090)
    return [
        {
            "kind": kind,
            "opens_at": DAY.format(year=year, month=2 * n + 1, day=chance.randint(1, 14), hour=0),
            "closes_at": DAY.format(year=year, month=2 * n + 1, day=chance.randint(15, 28), hour=9),
        }
        for n, kind in enumerate(kinds)
    ]


def _contest(
    chance: random.Random, root: str, kinds: list[str], part: int | None
) -> dict[str, Any]:
    sources: list[dict[str, Any]] = [
        {"key": "citizens", "weight": chance.randint(1, 100), "eligibility": {"min_age": 10}},
        {"key": "committee", "weight": chance.randint(0, 100), "roll": "active_seats"},
        {"key": "survey", "kind": "statement", "weight": chance.randint(0, 9), "unit": "people"},
    ]
    sources = sources[: chance.randint(1, 3)]
    allocation: dict[str, Any] = {
        "rule": "greedy", "on_no_fit": chance.choice(["skip", "stop"]),
        "floor": chance.choice([None, 3, "1/20"]), "ties": ["citizens", "lower_cost", "lot"],
        "compare": ["citizens_only", "no_skip"], "part_funding": chance.random() < 0.3,
    }  # fmt: skip
    return {
        "key": f"contest-{root}", "headings": [root], "sources": sources,
        "ballot": _ballot(chance, kinds),
        "blend": {"normalise": chance.choice(["share_of_votes", "of_max", "rank"])},
        "allocation": allocation,
    }  # fmt: skip


def _ballot(chance: random.Random, kinds: list[str]) -> dict[str, Any]:
    method = chance.choice(["approve", "knapsack", "ranking", "points"])
    most = chance.randint(3, 20)
    limits: list[dict[str, Any]] = [{"over": "all", "count": {"min": 1, "max": most}}]
    if method == "knapsack":
        limits.append({"over": "all", "cost": {"max": chance.randint(1, 10**9)}})
    if method == "points":
        limits.append({"over": "all", "points": {"max": 100}})
    limits += [{"over": f"kind:{kind}", "count": {"min": 1, "max": most}} for kind in kinds]
    if chance.random() < 0.3:
        limits = [
            {"over": "all", "count": {"share": "7/23"}},
            *limits[1 : 1 + (method != "approve")],
        ]
    return {"method": method, "limits": limits, "wrong": chance.choice(["refuse", "spoil"])}


def _review(chance: random.Random) -> dict[str, Any]:
    return {
        "criteria": [{"key": "need", "scale": 10, "weight": 2}],
        "opinions_min": chance.randint(0, 5), "body": "committee", "appeal_body": "appeals",
        "decide": {"mode": "shortlist", "max_projects": 7},
        "quorum": {"more_than": chance.choice(["1/2", "1/3", "2/3"]), "floor": 5},
    }  # fmt: skip
