"""Members divided among subcommittees: evenly, by what they want, by lots that anyone repeats."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.budget.drawing.lots import in_order
from mvote.budget.subcommittees.dividing import divide

PLACES = ("f1", "f2", "f3", "f4")
SEED = b"seed"
WISHES = st.lists(st.sampled_from(PLACES), max_size=4, unique=True)
MEMBERS = st.dictionaries(
    st.integers(0, 60).map("m{:02}".format), st.lists(WISHES, min_size=1, max_size=3), max_size=30
)


def sizes(found: dict[str, str]) -> list[int]:
    return [list(found.values()).count(place) for place in PLACES]


@settings(deadline=None)
@given(MEMBERS)
def test_everybody_sits_in_one_and_no_two_differ_by_more_than_one(
    members: dict[str, list[list[str]]],
) -> None:
    found = divide(members, PLACES, seed=SEED)
    assert found.keys() == members.keys()
    assert max(sizes(found)) - min(sizes(found)) <= 1


@settings(deadline=None)
@given(MEMBERS, st.randoms(use_true_random=False))
def test_the_order_in_which_people_and_places_come_plays_no_part(
    members: dict[str, list[list[str]]], dice: random.Random
) -> None:
    names, places = list(members), list(PLACES)
    dice.shuffle(names)
    dice.shuffle(places)
    again = divide({name: members[name] for name in names}, places, seed=SEED)
    assert again == divide(members, PLACES, seed=SEED)


@settings(deadline=None)
@given(MEMBERS)
def test_whoever_got_what_another_would_rather_have_had_the_better_lot(
    members: dict[str, list[list[str]]],
) -> None:
    first = {name: [tiers[0]] for name, tiers in members.items()}
    found, order = divide(first, PLACES, seed=SEED), in_order(first, SEED)
    for name, [wishes] in first.items():
        better = wishes[: wishes.index(found[name])] if found[name] in wishes else wishes
        for other, place in found.items():
            if place in better and place in first[other][0]:
                assert order.index(other) < order.index(name)


@settings(deadline=None)
@given(MEMBERS, WISHES)
def test_nobody_gains_by_wishing_for_anything_else_than_what_they_want(
    members: dict[str, list[list[str]]], lie: list[str]
) -> None:
    ranked = {name: [[*tiers[0], *(p for p in PLACES if p not in tiers[0])]]
              for name, tiers in members.items()}  # fmt: skip
    honest = divide(ranked, PLACES, seed=SEED)
    for name in list(ranked)[:3]:
        [truth] = ranked[name]
        found = divide(ranked | {name: [lie]}, PLACES, seed=SEED)
        assert truth.index(honest[name]) <= truth.index(found[name])


def test_what_members_asked_for_comes_before_anybodys_heading_or_district() -> None:
    asked = {f"a{n}": [["f1"], []] for n in range(2)}
    fitting = {f"b{n}": [[], ["f1"]] for n in range(6)}
    found = divide(asked | fitting, PLACES, seed=SEED)
    assert [found[name] for name in asked] == ["f1", "f1"]


@settings(deadline=None)
@given(MEMBERS, st.integers(0, 30))
def test_who_sits_already_stays_and_only_who_is_new_is_divided(
    members: dict[str, list[list[str]]], many: int
) -> None:
    before = divide({name: members[name] for name in list(members)[:many]}, PLACES, seed=SEED)
    after = divide(members, PLACES, seed=b"other", kept=before)
    assert {name: after[name] for name in before} == before
    assert max(sizes(after)) - min(sizes(after)) <= 1


def test_where_many_left_one_place_newcomers_go_there_first() -> None:
    kept = {"a": "f1", "b": "f1", "c": "f2", "d": "f2"}
    newcomers = {f"n{n}": [["f1"]] for n in range(2)}
    members = dict.fromkeys(kept, ()) | newcomers
    found = divide(members, ("f1", "f2", "f3"), seed=SEED, kept=kept)
    assert [found[name] for name in newcomers] == ["f3", "f3"]


def test_without_subcommittees_nobody_sits_anywhere() -> None:
    assert divide({"a": [["f1"]]}, (), seed=SEED) == {}


def test_another_seed_gives_another_division() -> None:
    members = {f"m{n}": [["f1", "f2", "f3", "f4"]] for n in range(40)}
    assert divide(members, PLACES, seed=b"1") != divide(members, PLACES, seed=b"2")
