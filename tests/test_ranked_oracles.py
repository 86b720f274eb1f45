"""Ranked ballots counted by us, by other people's programs, and in elections that took place.

`votelib` counts pairs, paths and Borda's points; `pref_voting` finds Schulze's winners and all whom
an instant run-off could have, whichever way its ties were broken. The latter brings a compiler and
a solver, so it is no requirement: CI installs it by itself (requirements-oracle.txt).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from votelib.component.rankscore import Borda
from votelib.convert import RankedToCondorcetVotes, RankedToPositionalVotes
from votelib.evaluate.condorcet import Schulze

from mvote.ballotbox.methods.outcome import outcome_of
from mvote.ballotbox.methods.pairwise import Marks, Matrix, borda, pairwise
from mvote.ballotbox.methods.schulze import schulze_winners, strongest_paths
from tests.support.other_tallies import OtherProgram
from tests.support.ranking import asked, marks_of, profiles

MISSING = "NOT TRIED: pip install --no-deps -r requirements-oracle.txt"
SEED = bytes(32)
TIED_AT = 5


def orders_in(profile: Counter[Marks]) -> dict[tuple[int, ...], int]:
    """The ballots as the options in order, best first."""
    return {
        tuple(x for _, x in sorted((rank, x) for x, rank in enumerate(marks) if rank)): n
        for marks, n in profile.items()
    }


def everywhere_ranked(profile: Counter[Marks]) -> bool:
    """The other program does not know options that nobody ranks."""
    return all(map(any, zip(*profile, strict=True)))


@settings(max_examples=300)
@given(profiles())
def test_pairs_paths_and_points_are_those_of_votelib(profile: Counter[Marks]) -> None:
    n = len(next(iter(profile)))
    if not everywhere_ranked(profile):
        return
    matrix = pairwise(n, profile.items())
    pairs = RankedToCondorcetVotes().convert(orders_in(profile))
    assert {(x, y): matrix[x][y] for x in range(n) for y in range(n) if matrix[x][y]} == pairs
    strongest = {pair: n for pair, n in Schulze.widest_paths(pairs).items() if n}
    paths = strongest_paths(matrix)
    assert {(x, y): paths[x][y] for x in range(n) for y in range(n) if paths[x][y]} == strongest
    points = RankedToPositionalVotes(Borda(base=0)).convert(orders_in(profile))
    assert borda(matrix) == [points.get(x, 0) for x in range(n)]


@pytest.fixture(scope="module")
def other() -> Iterator[OtherProgram]:
    if find_spec("pref_voting") is None:
        pytest.skip(MISSING)
    with OtherProgram() as program:
        yield program


@settings(max_examples=150, deadline=None)
@given(profile=profiles(most=5))
def test_pref_voting_finds_the_same_winners(other: OtherProgram, profile: Counter[Marks]) -> None:
    schulze, runoff = other.winners(profile)
    keys = "abcde"[: len(next(iter(profile)))]
    assert schulze_winners(strongest_paths(pairwise(len(keys), profile.items()))) == schulze
    question = asked("instant_runoff", keys)
    ours = {keys.index(key) for key in outcome_of(question, profile, [], SEED).winners}
    assert ours <= set(runoff)


# elections that took place


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared_data / "ranked" / "expected.json").read_text())
    return found


def named(matrix: Matrix, names: list[str]) -> dict[str, dict[str, int]]:
    return {x: dict(zip(names, row, strict=True)) for x, row in zip(names, matrix, strict=True)}


def debian(folder: Path, names: list[str]) -> Counter[Marks]:
    """Ballots as `5: [One]>[Two]=[Three]`: equal ranks, which ours do not have, count as such."""
    profile: Counter[Marks] = Counter()
    for line in (folder / "debian2003.abif").read_text().splitlines():
        if not line.strip():
            continue
        times, order = line.split(":", 1)
        ranks = [re.findall(r"\[([^]]+)\]", each) for each in order.split(">")]
        place = {name: rank for rank, tied in enumerate(ranks, 1) for name in tied}
        profile[tuple(place.get(name, 0) for name in names)] += int(times)
    return profile


def gnome(folder: Path) -> Counter[Marks]:
    """A .blt file: `1 4 2 1 0` is one ballot for 4, then 2, then 1."""
    first, *lines = (folder / "gnome_26.blt").read_text().splitlines()
    options = range(1, int(first.split()[0]) + 1)
    profile: Counter[Marks] = Counter()
    for line in lines:
        times, *order = (int(each) for each in line.split())
        if times == 0:
            return profile
        profile[marks_of(order[:-1], options)] += times  # type: ignore[arg-type]
    raise AssertionError("the ballots do not end")


def test_debian_elected_its_leader_of_2003_by_schulze(
    shared_data: Path, expected: dict[str, Any]
) -> None:
    known = expected["debian_2003_dpl"]
    profile = debian(shared_data / "ranked", known["candidates"])
    assert profile.total() == known["ballots"]
    matrix = pairwise(len(known["candidates"]), profile.items())
    assert named(matrix, known["candidates"]) == known["pairwise"]
    winners = schulze_winners(strongest_paths(matrix))
    assert [known["candidates"][x] for x in winners] == known["schulze"]


def test_gnome_elected_2018_by_instant_runoff_and_by_schulze_alike(
    shared_data: Path, expected: dict[str, Any]
) -> None:
    known = expected["gnome_2018"]
    names, profile = known["candidates"], gnome(shared_data / "ranked")
    assert profile.total() == known["ballots"]
    assert named(pairwise(len(names), profile.items()), names) == known["pairwise"]
    by_schulze = outcome_of(asked("schulze", names), profile, [], SEED)
    by_runoff = outcome_of(asked("instant_runoff", names), profile, [], SEED)
    assert [*by_schulze.winners] == known["schulze"]
    assert [*by_runoff.winners] == [known["irv"]]
    rounds = [each["votes"] for each in (by_runoff.workings or {})["rounds"]]
    # Until five are left, two of them tied for the last place: there the other count went by lot.
    assert rounds[0] == known["plurality"]
    assert all(each in known["irv_rounds"] for each in rounds if len(each) >= TIED_AT)
    assert rounds[-1] == known["irv_rounds"][-1]


def test_burlington_2009_had_another_winner_by_each_method(
    shared_data: Path, expected: dict[str, Any]
) -> None:
    known = expected["burlington_2009"]
    names = known["candidates"]
    matrix = [[known["pairwise"][x][y] for y in names] for x in names]
    assert [names[x] for x in schulze_winners(strongest_paths(matrix))] == known["schulze"]
    # all that is known of the ballots: who was first, and who of the other two Montroll's preferred
    first, last = known["irv_rounds"]
    to_kiss, to_wright = (last[name] - first[name] for name in ("Kiss", "Wright"))
    rest = first["Montroll"] - to_kiss - to_wright
    orders = {
        ("Kiss",): first["Kiss"],
        ("Wright",): first["Wright"],
        ("Montroll", "Kiss"): to_kiss,
        ("Montroll", "Wright"): to_wright,
        ("Montroll",): rest,
    }
    profile = Counter({marks_of(order, names): n for order, n in orders.items()})
    found = outcome_of(asked("instant_runoff", names), profile, [], SEED)
    assert [*found.winners] == [known["irv"]]
    assert [each["votes"] for each in (found.workings or {})["rounds"]] == known["irv_rounds"]
