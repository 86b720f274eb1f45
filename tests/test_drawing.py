"""A committee drawn by lot: in whose turn, under which quotas, with which chances."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.budget.drawing import lots
from mvote.budget.drawing.draw import draw
from mvote.budget.drawing.errors import QuotasImpossible, SecretNotCommitted
from mvote.budget.drawing.quotas import Person, Quota, Rule, ratio, scaled, share
from tests.support.applicants import (
    AGES,
    GENDERS,
    GROUPS,
    applicants,
    counted,
    of,
    people,
    rule_of_2023,
    seed,
)

SEED = bytes(range(32))


# --- the lot


def test_the_lot_is_the_hash_of_label_seed_and_pseudonym() -> None:
    by_hand = hashlib.sha256(b"mvote/lot/1" + SEED + "가나-1".encode()).digest()
    assert lots.lot(SEED, "가나-1") == by_hand
    names = ["b", "a", "c"]
    assert lots.in_order(names, SEED) == sorted(names, key=lambda name: lots.lot(SEED, name))


def test_the_seed_needs_the_secret_that_was_committed_to() -> None:
    secret = lots.new_secret()
    commitment = lots.commitment_to(secret)
    assert commitment == hashlib.sha256(secret).digest()
    mixed = lots.seed_of(secret, commitment=commitment, public_value="4 24 27 35 37 45")
    by_hand = hashlib.sha256(b"mvote/seed/1" + secret + b"4 24 27 35 37 45").digest()
    assert mixed == by_hand
    with pytest.raises(SecretNotCommitted):
        lots.seed_of(lots.new_secret(), commitment=commitment, public_value="4 24 27 35 37 45")


def test_a_secret_of_another_length_cannot_borrow_from_the_public_value() -> None:
    secret = lots.new_secret() + b"4"
    commitment = lots.commitment_to(secret)
    with pytest.raises(SecretNotCommitted):
        lots.seed_of(secret, commitment=commitment, public_value=" 24 27")


# --- the quotas in numbers


def test_a_ratio_that_does_not_divide_leaves_each_part_the_choice_of_one() -> None:
    halves = ratio("gender", GENDERS, seats=7)
    assert [(quota.at_least, quota.at_most) for quota in halves] == [(3, 4), (3, 4)]
    thirds = ratio("age", AGES, seats=120)
    assert {(quota.at_least, quota.at_most) for quota in thirds} == {(40, 40)}


def test_a_share_is_rounded_up() -> None:
    [quota] = share("reserved", "group", GROUPS, of="15/100", seats=121)
    assert quota.at_least == 19
    [less] = scaled([quota], seats=121, reserves=60)
    assert (less.at_least, less.at_most) == (9, None)


def test_who_belongs_to_two_groups_counts_once_for_both_together() -> None:
    pool = people(teenager_disabled=1, nobody=3)
    both = Quota(name="both", category="is", values=("teenager", "disabled"), at_least=2)
    with pytest.raises(QuotasImpossible, match="both: 2 wanted, 1 in the pool"):
        draw(Rule(seats=3, quotas=(both,)), pool, seed=SEED)


# --- the draw


def test_without_quotas_the_first_on_the_list_are_taken_and_the_next_are_reserves() -> None:
    pool = people(a=20)
    order = lots.in_order((person.pseudonym for person in pool), SEED)
    drawn = draw(Rule(seats=5, quotas=(), reserves=3), pool, seed=SEED)
    assert drawn.members == tuple(order[:5])
    assert drawn.reserves == tuple(order[5:8])


def test_who_was_passed_over_for_a_seat_comes_first_among_the_reserves() -> None:
    pool = people(f=10, m=10)
    order = lots.in_order((person.pseudonym for person in pool), SEED)
    drawn = draw(Rule(seats=6, quotas=(of("f", 6),), reserves=4), pool, seed=SEED)
    assert drawn.members == tuple(name for name in order if name[0] == "f")[:6]
    assert drawn.reserves == tuple(name for name in order if name not in drawn.members)[:4]


def test_all_who_are_left_become_reserves_if_fewer_are_left_than_wanted() -> None:
    rule = Rule(seats=5, quotas=(), reserves=60)
    assert len(draw(rule, people(a=9), seed=SEED).reserves) == 4
    with pytest.raises(QuotasImpossible, match="reserves: 60 wanted, 9 in the pool"):
        draw(replace(rule, reserve_quotas=(of("a", 2),)), people(a=9), seed=SEED)


def test_the_quotas_of_the_reserves_are_kept_free_while_members_are_drawn() -> None:
    rule = Rule(seats=4, quotas=(), reserves=4, reserve_quotas=(of("f", 2),))
    for number in range(20):
        drawn = draw(rule, people(f=2, m=8), seed=seed(number))
        assert {name for name in drawn.reserves if name[0] == "f"} == {"f-0", "f-1"}


def test_the_draw_of_2023_meets_every_quota() -> None:
    pool, rule = applicants(), rule_of_2023()
    drawn = draw(rule, pool, seed=SEED)
    assert len(drawn.members) == 120
    assert len(drawn.reserves) == 60
    assert not set(drawn.members) & set(drawn.reserves)
    assert counted(pool, drawn.members, "gender") == {"female": 60, "male": 60}
    assert set(counted(pool, drawn.members, "age").values()) == {40}
    assert max(counted(pool, drawn.members, "gu").values()) <= 6
    grouped = [p.pseudonym for p in pool if p.categories["group"]]
    assert len(set(drawn.members) & set(grouped)) >= 18
    assert counted(pool, drawn.reserves, "gender") == {"female": 30, "male": 30}
    assert set(counted(pool, drawn.reserves, "age").values()) == {20}


def test_the_order_in_which_people_applied_plays_no_part() -> None:
    pool, rule = applicants(200), replace(rule_of_2023(), seats=30, reserves=10)
    small = replace(rule, quotas=ratio("gender", GENDERS, seats=30), reserve_quotas=())
    expected = draw(small, pool, seed=SEED)
    for number in range(3):
        mixed = random.Random(number).sample(pool, len(pool))
        assert draw(small, mixed, seed=SEED) == expected


def test_another_seed_draws_others() -> None:
    pool = people(f=30, m=30)
    rule = Rule(seats=10, quotas=(of("f", 5, 5),), reserves=5)
    drawn = {draw(rule, pool, seed=seed(number)) for number in range(20)}
    assert len(drawn) == 20


def test_a_pseudonym_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="same pseudonym"):
        draw(Rule(seats=1, quotas=()), people(a=2) + people(a=1), seed=SEED)


VALUES = ("f", "m", "young", "old", "x")


@st.composite
def small_draws(draws: st.DrawFn) -> tuple[Rule, list[Person]]:
    held = st.sets(st.sampled_from(VALUES)).map(lambda values: tuple(sorted(values)))
    pool = [
        Person(pseudonym=f"p{number}", categories={"is": values})
        for number, values in enumerate(draws(st.lists(held, min_size=1, max_size=7)))
    ]
    seats = draws(st.integers(1, 4))
    reserves = draws(st.integers(0, 2))
    return (
        Rule(
            seats=seats,
            quotas=draws(some_quotas(seats)),
            reserves=reserves,
            reserve_quotas=draws(some_quotas(reserves)),
        ),
        pool,
    )


def some_quotas(places: int) -> st.SearchStrategy[tuple[Quota, ...]]:
    bounds = st.tuples(st.integers(0, places), st.none() | st.integers(0, places))
    quotas = st.dictionaries(st.sampled_from(VALUES), bounds, max_size=3)
    return quotas.map(lambda chosen: tuple(of(name, *bound) for name, bound in chosen.items()))


def fits(rule: Rule, pool: dict[str, Person], names: Iterable[str], *, reserves: bool) -> bool:
    """Do just these people meet the quotas?"""
    quotas = rule.reserve_quotas if reserves else rule.quotas
    numbers = ((sum(quota.counts(pool[name]) for name in names), quota) for quota in quotas)
    return all(q.at_least <= n and (q.at_most is None or n <= q.at_most) for n, q in numbers)


def drawn_by_hand(rule: Rule, people: list[Person]) -> tuple[list[str], list[str]] | None:
    """The letter of the rule: try every way to go on."""
    pool = {person.pseudonym: person for person in people}
    others = rule.reserves if rule.reserve_quotas else max(0, len(pool) - rule.seats)
    reserves = min(rule.reserves, others)
    ways = [
        (set(members), set(waiting))
        for members in itertools.combinations(pool, rule.seats)
        if fits(rule, pool, members, reserves=False)
        for waiting in itertools.combinations([n for n in pool if n not in members], reserves)
        if fits(rule, pool, waiting, reserves=True)
    ]
    if not ways:
        return None
    order = lots.in_order(pool, SEED)
    result: tuple[list[str], list[str]] = ([], [])
    for on in (0, 1):
        for name in order:
            left = [way for way in ways if name in way[on]]
            if left and name not in result[0]:
                result[on].append(name)
                ways = left
    return result


@settings(max_examples=150, deadline=None)
@given(small_draws())
def test_the_draw_is_what_trying_every_way_to_go_on_gives(made: tuple[Rule, list[Person]]) -> None:
    rule, pool = made
    expected = drawn_by_hand(rule, pool)
    if expected is None:
        with pytest.raises(QuotasImpossible):
            draw(rule, pool, seed=SEED)
    else:
        drawn = draw(rule, pool, seed=SEED)
        assert (list(drawn.members), list(drawn.reserves)) == expected
