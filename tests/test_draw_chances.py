"""Equal people have equal chances in a draw, and whoever is next moves up to a vacant seat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pytest

from mvote.budget.drawing import lots
from mvote.budget.drawing.draw import draw, move_up
from mvote.budget.drawing.errors import QuotasImpossible
from mvote.budget.drawing.quotas import Rule
from tests.support.applicants import applicants, counted, of, people, rule_of_2023, seed

SEEDS = 150
CHI_SQUARE_9 = 33.7
"""What the statistic exceeds once in 10,000 times with 9 degrees of freedom. The seeds are fixed,
so this is met or not for good."""
UNEVEN = Rule(seats=8, quotas=(of("f", 4, 4), of("young", 3)), reserves=3)


def chi_square(times: Sequence[int]) -> float:
    mean = sum(times) / len(times)
    return sum((each - mean) ** 2 / mean for each in times)


def test_people_who_count_for_the_same_quotas_have_the_same_chance() -> None:
    pool = people(f_young=10, f_old=10, m_old=10, m_young=10)
    times: Counter[str] = Counter()
    for number in range(SEEDS):
        times.update(draw(UNEVEN, pool, seed=seed(number)).members)
    for cell in ("f_young", "f_old", "m_old", "m_young"):
        assert chi_square([times[f"{cell}-{n}"] for n in range(10)]) < CHI_SQUARE_9, cell


def test_the_test_of_chances_finds_a_list_that_is_not_in_the_order_of_lots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def by_first_bit(names: Iterable[str], seed: bytes) -> list[str]:
        return sorted(names, key=lambda name: (lots.lot(seed, name)[0] // 128, name))

    monkeypatch.setattr("mvote.budget.drawing.draw.in_order", by_first_bit)
    with pytest.raises(AssertionError, match="f_young"):
        test_people_who_count_for_the_same_quotas_have_the_same_chance()


# --- vacant seats


def test_the_first_reserve_with_whom_the_quotas_hold_moves_up() -> None:
    pool = people(f=4, m=4)
    rule = Rule(seats=4, quotas=(of("f", 2, 2),), reserves=4)
    sitting, waiting = ["f-0", "m-0", "m-1"], ["m-2", "m-3", "f-2", "f-3"]
    assert move_up(rule, pool, sitting=sitting, reserves=waiting) == ("f-2",)
    sitting = ["f-0", "m-0"]
    assert move_up(rule, pool, sitting=sitting, reserves=waiting) == ("m-2", "f-2")


def test_nobody_moves_up_while_no_seat_is_vacant() -> None:
    rule = Rule(seats=2, quotas=())
    assert move_up(rule, people(a=4), sitting=["a-0", "a-1"], reserves=["a-2"]) == ()


def test_a_seat_that_no_reserve_can_take_is_refused_with_the_quota() -> None:
    rule = Rule(seats=4, quotas=(of("f", 2, 2),))
    with pytest.raises(QuotasImpossible, match="f: 2 wanted, 1 in the pool"):
        move_up(rule, people(f=4, m=4), sitting=["f-0", "m-0", "m-1"], reserves=["m-2"])


def test_whoever_leaves_the_committee_of_2023_is_replaced_within_the_quotas() -> None:
    pool, rule = applicants(), rule_of_2023()
    drawn = draw(rule, pool, seed=seed(0))
    for leaving in drawn.members[::40]:
        sitting = [name for name in drawn.members if name != leaving]
        [new] = move_up(rule, pool, sitting=sitting, reserves=drawn.reserves)
        after = [*sitting, new]
        assert counted(pool, after, "gender") == {"female": 60, "male": 60}
        assert max(counted(pool, after, "gu").values()) <= 6
