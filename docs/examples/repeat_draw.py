"""Repeats a draw by lot from its published files, with nothing of the city's: only scipy.

    pip install scipy
    python repeat_draw.py FOLDER

FOLDER holds commitment.json, pool.json, rule.json, public_value.json, reveal.json, outcome.json.
Prints the names and ends with 0 if they are those that were published; else says what is wrong.

How a draw goes: the seed mixes the secret with the public value; each pseudonym's lot is a hash of
seed and pseudonym; the list is gone down by lots, and a person is taken if the remaining places
(seats, and after them reserves) can still meet every quota. For the reserves it is gone down again.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

Cell = tuple[tuple[int, ...], tuple[int, ...]]
"""The numbers of the quotas that a person counts for: of the seats, and of the reserves."""


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def must(holds: bool, what: str) -> None:  # noqa: FBT001
    if not holds:
        sys.exit(f"IT DOES NOT HOLD: {what}")


class Places:
    """How many of each cell are taken for the seats and for the reserves, and what must hold."""

    def __init__(self, rule: dict[str, Any], persons: list[dict[str, Any]]) -> None:
        self.quotas = [rule["quotas"], rule["reserve_quotas"]]
        left = rule["reserves"] if rule["reserve_quotas"] else len(persons) - rule["seats"]
        places = [rule["seats"], max(0, min(rule["reserves"], left))]
        self.cell_of = {each["pseudonym"]: self.cell(each) for each in persons}
        must(len(self.cell_of) == len(persons), "a pseudonym comes twice")
        self.cells = sorted(set(self.cell_of.values()))
        here = list(self.cell_of.values())
        size = [here.count(cell) for cell in self.cells]
        # one variable for each cell and list; rows of 0 and 1, each with a least and a most
        self.taken = np.zeros((2, len(size)), dtype=int)
        self.ahead = self.taken  # one way to fill all places, as far as known
        self.most = np.array([size, size])
        rows, bounds = [], []
        for on in (0, 1):
            rows.append(self.row(on, [1] * len(size)))
            bounds.append((places[on], places[on]))
            for number, quota in enumerate(self.quotas[on]):
                rows.append(self.row(on, [int(number in cell[on]) for cell in self.cells]))
                most = places[on] if quota["max"] is None else quota["max"]
                bounds.append((quota["min"], most))
        for number in range(len(size)):  # nobody is on both lists
            rows.append(np.tile(np.eye(len(size), dtype=int)[number], 2))
            bounds.append((0, size[number]))
        self.rows, self.bounds = np.array(rows), np.array(bounds)

    def cell(self, person: dict[str, Any]) -> Cell:
        first, second = (
            tuple(
                number
                for number, quota in enumerate(quotas)
                if set(quota["values"]) & set(person["categories"].get(quota["category"], []))
            )
            for quotas in self.quotas
        )
        return first, second

    def row(self, on: int, ones: list[int]) -> np.ndarray[Any, np.dtype[np.int_]]:
        row = np.zeros((2, len(ones)), dtype=int)
        row[on] = ones
        return row.ravel()

    def can_be_met(self) -> bool:
        """Is there a whole-numbered way to fill all places from what is taken so far?

        The least total breach of all rows is a whole number: 0 or at least 1, whatever the solver's
        rounding, which is far below 1/2. A 0 is checked in whole numbers besides.
        """
        n, m = self.taken.size, len(self.rows)
        sums, (least, most) = self.rows @ self.taken.ravel(), self.bounds.T
        if (self.taken > self.most).any() or (sums > most).any():
            return False
        breach = np.hstack([np.eye(m), -np.eye(m)])
        answer = milp(
            c=np.concatenate([np.zeros(n), np.ones(2 * m)]),
            integrality=np.ones(n + 2 * m),
            bounds=Bounds(
                np.concatenate([self.taken.ravel(), np.zeros(2 * m)]),
                np.concatenate([self.most.ravel(), np.full(2 * m, np.inf)]),
            ),
            constraints=LinearConstraint(np.hstack([self.rows, breach]), *self.bounds.T),
        )
        must(answer.status == 0, f"the solver gave up: {answer.message}")
        if answer.mip_dual_bound > 1 / 2:
            return False
        self.ahead = np.rint(answer.x[:n]).astype(int).reshape(self.taken.shape)
        sums = self.rows @ self.ahead.ravel()
        right = [least <= sums, sums <= most, self.taken <= self.ahead, self.ahead <= self.most]
        must(all(each.all() for each in right), "the solver erred")
        return True

    def fill(self, on: int, order: list[str]) -> list[str]:
        """Go down the list. What was impossible for a cell once stays impossible."""
        drawn, closed = [], set()
        for name in order:
            cell = self.cells.index(self.cell_of[name])
            if cell in closed:
                continue
            self.taken[on, cell] += 1
            if self.taken[on, cell] <= self.ahead[on, cell] or self.can_be_met():
                drawn.append(name)
            else:
                self.taken[on, cell] -= 1
                closed.add(cell)
        return drawn


def repeat(folder: Path) -> None:
    files = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    read = {name: json.loads(data) for name, data in files.items()}
    outcome = read["outcome.json"]
    for name, digest in outcome["sha256"].items():
        must(sha256(files[name]).hex() == digest, f"{name} is not the one that was drawn from")
    secret = bytes.fromhex(read["reveal.json"]["secret"])
    commitment = bytes.fromhex(read["commitment.json"]["commitment"])
    must(sha256(secret) == commitment, "the secret is not the one committed to")
    value = read["public_value.json"]["public_value"].encode()
    seed = sha256(b"mvote/seed/1", secret, value)
    must(seed.hex() == outcome["seed"], "the seed is another")

    places = Places(read["rule.json"], read["pool.json"]["persons"])
    must(places.can_be_met(), "this pool cannot meet the quotas")
    order = sorted(places.cell_of, key=lambda name: sha256(b"mvote/lot/1", seed, name.encode()))
    members = places.fill(0, order)
    reserves = places.fill(1, [name for name in order if name not in members])
    print(*members, "", *reserves, sep="\n")
    must(members == outcome["members"], "other members come out")
    must(reserves == outcome["reserves"], "other reserves come out")


if __name__ == "__main__":
    repeat(Path(sys.argv[1]))
