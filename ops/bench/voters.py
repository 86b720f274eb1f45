"""Voters for the bench: accounts, what they declared, tokens, and a ballot for each to cast."""

from __future__ import annotations

import itertools
import random
import secrets
import uuid
from collections.abc import Sequence
from pathlib import Path

from flask import Flask
from sqlalchemy import insert

from mvote.base import utc_now
from mvote.people.attributes import Attribute
from mvote.people.registering import register_many
from ops.bench.polls import CENTER, GU, OPTIONS
from ops.bench.stage import Installation

AT_ONCE = 5_000
DONG = ("11110101", "11110119", "11110126", "11110138")
FARTHEST_DEGREES = 0.006  # some 670 m: inside the circle of a kilometre
phone_numbers = itertools.count(10_000_000)


def register_voters(installation: Installation, app: Flask, count: int) -> list[uuid.UUID]:
    """So many citizens of Jongno, old enough, each with four attributes."""
    ids: list[uuid.UUID] = []
    for start in range(0, count, AT_ONCE):
        numbers = [f"+8210{next(phone_numbers)}" for _ in range(min(AT_ONCE, count - start))]
        with installation.acting_as("api") as session:
            made = register_many(session, numbers=numbers, phones=app.extensions["phones"])
            session.execute(insert(Attribute), [row for each in made for row in _declared(each)])
        ids += made
    return ids


def _declared(citizen_id: uuid.UUID) -> list[dict[str, object]]:
    chance = random.Random(citizen_id.int)  # noqa: S311 - the same for the same citizen
    dong = chance.choice(DONG)
    values: dict[str, tuple[object, list[str]]] = {
        "birth_year": (chance.randint(1930, 2000), []),
        "gender": (chance.choice(("female", "male")), []),
        "occupation": ("employee", []),
        "home_area": (dong, [dong, GU, "11"]),
    }
    now = utc_now()
    return [
        {"citizen_id": citizen_id, "name": name, "value": value, "lineage": line, "set_at": now}
        for name, (value, line) in values.items()
    ]


def write_ballots(
    file: Path, app: Flask, voters: Sequence[uuid.UUID], polls: Sequence[uuid.UUID]
) -> None:
    """One line for each voter: a poll, a token, a key, a position, a choice. Good for minutes."""
    tokens, chance, now = app.extensions["tokens"], random.Random(len(voters)), utc_now()  # noqa: S311
    with file.open("w", encoding="ascii") as lines:
        for voter in voters:
            lat, lon = (at + chance.uniform(-1, 1) * FARTHEST_DEGREES for at in CENTER.values())
            token, key = tokens.issue(voter, now=now), secrets.token_urlsafe(24)
            poll, choice = chance.choice(polls), chance.choice(OPTIONS)
            lines.write(f"{poll} {token} {key} {lat:.6f} {lon:.6f} {choice}\n")
