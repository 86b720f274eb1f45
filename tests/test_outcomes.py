"""What a motion makes of an allocation: the plenary may deviate in public, never overspend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvote.budget.allocating.allocation import allocate
from mvote.budget.allocating.model import FUNDED, Contest
from mvote.budget.allocating.moving_up import overspent
from mvote.budget.deciding.outcomes import VERDICTS, Change, Deciding, Outcome, Proposed
from tests.support.contests import contest

WHY = {"ko": "다른 사업과 겹칩니다."}
COSTS = {"a": 40, "b": 30, "c": 50, "d": 20, "e": 10}
VOTES = {"a": 9, "b": 8, "c": 7, "d": 6, "e": 5}
MADE = contest(COSTS, VOTES, 100, floor=6)


def deciding(made: Contest = MADE, **more: Any) -> Deciding:
    """What is decided on if *made* is allocated."""
    allocation = allocate(made)
    order = [
        Proposed(
            reference=each.reference,
            code=allocation.decisions[each.reference].code,
            amount=allocation.decisions[each.reference].amount,
        )
        for each in allocation.order
    ]
    given: dict[str, Any] = {
        "contest": made,
        "order": order,
        "may_deviate": True,
        "reserve_list": True,
    }
    return Deciding(**given | more)


def verdicts(outcomes: dict[str, Outcome]) -> dict[str, tuple[str, int]]:
    return {each.reference: (each.verdict, each.amount) for each in outcomes.values()}


def codes(found: Deciding, *changes: Change) -> list[tuple[str, str | None]]:
    """Where the changes are wrong, and what is."""
    return [(fault.pointer, fault.code) for fault in found.decided(changes)[1]]


def change(reference: str, verdict: Any, **more: Any) -> Change:
    return Change(reference=reference, verdict=verdict, **more)


def test_without_changes_what_is_funded_stays_so_and_what_found_no_room_is_in_reserve() -> None:
    outcomes, faults = deciding().decided([])
    assert faults == []
    assert verdicts(outcomes) == {
        "a": ("funded", 40), "b": ("funded", 30), "c": ("reserve", 0), "d": ("funded", 20),
        "e": ("not_funded", 0),
    }  # fmt: skip
    assert not any(each.deviates for each in outcomes.values())


def test_without_a_reserve_list_what_found_no_room_is_not_funded() -> None:
    outcomes, _ = deciding(reserve_list=False).decided([])
    assert outcomes["c"].verdict == "not_funded"
    assert codes(deciding(reserve_list=False), change("a", "reserve", text=WHY)) == [
        ("/changes/0/decision", "no-reserve-list"),
    ]


def test_a_struck_project_stays_struck() -> None:
    struck = contest(COSTS, VOTES, 100, struck=["a"])
    outcomes, _ = deciding(struck).decided([])
    assert "a" not in outcomes
    assert codes(deciding(struck), change("a", "funded", text=WHY)) == [
        ("/changes/0/reference", "project-struck")
    ]


def test_each_deviation_says_why() -> None:
    assert codes(deciding(), change("b", "not_funded"), change("c", "funded", amount=20)) == [
        ("/changes/0/text", "deviation-without-reason"),
        ("/changes/1/text", "deviation-without-reason"),
    ]
    outcomes, faults = deciding().decided([
        change("b", "not_funded", text=WHY), change("e", "funded", text=WHY),
    ])  # fmt: skip
    assert faults == []
    assert [each.reference for each in outcomes.values() if each.deviates] == ["b", "e"]
    assert outcomes["e"].amount == 10


def test_where_the_cycle_never_deviates_only_what_the_vote_gave_is_confirmed() -> None:
    never = deciding(may_deviate=False)
    assert codes(never, change("b", "not_funded", text=WHY)) == [
        ("/changes/0/decision", "no-deviation")
    ]
    assert codes(never, change("b", "funded", amount=30)) == []


def test_the_plenary_spends_no_more_than_there_is() -> None:
    assert codes(deciding(), change("c", "funded", text=WHY)) == [("/changes", "limit-overspent")]
    freed = change("b", "not_funded", text=WHY)
    assert codes(deciding(), change("c", "funded", amount=40, text=WHY), freed) == []


def test_it_funds_nothing_beside_what_it_excludes() -> None:
    exclusive = deciding(contest(COSTS, VOTES, 200, exclusive=["ab"]))
    assert codes(exclusive, change("b", "funded", text=WHY)) == [
        ("/changes", "excluded-by-another"), ("/changes", "excluded-by-another"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([change("z", "funded")], [("/changes/0/reference", "project-unknown")]),
        (
            [change("a", "funded"), change("a", "funded")],
            [("/changes/1/reference", "project-repeated")],
        ),
        (
            [change("a", "reserve", amount=5, text=WHY)],
            [("/changes/0/amount", "amount-without-funding")],
        ),
        (
            [change("a", "funded", amount=41, text=WHY)],
            [("/changes/0/amount", "more-than-it-costs")],
        ),
    ],
    ids=["unknown", "twice", "amount of nothing", "too much"],
)
def test_what_makes_no_sense_is_named_by_its_place(
    changes: Sequence[Change], expected: list[tuple[str, str]]
) -> None:
    assert codes(deciding(), *changes) == expected


RANKED = contest(COSTS, VOTES, None)


def test_where_nothing_binds_the_vote_ranks_and_the_plenary_decides() -> None:
    outcomes, _ = deciding(RANKED).decided([])
    assert {each.verdict for each in outcomes.values()} == {"reserve"}
    best = [change("a", "funded"), change("b", "funded"), change("c", "funded", amount=45)]
    outcomes, faults = deciding(RANKED).decided(best)
    assert faults == []
    assert verdicts(outcomes)["c"] == ("funded", 45)
    assert not any(each.deviates for each in outcomes.values())


def test_whoever_the_plenary_passes_over_is_told_why() -> None:
    later = [change("a", "funded"), change("c", "funded")]
    assert codes(deciding(RANKED), *later) == [("/changes", "passed-over-without-reason")]
    assert codes(deciding(RANKED), *later, change("b", "not_funded", text=WHY)) == []


CHANGES = st.lists(
    st.builds(
        Change,
        reference=st.sampled_from("abcdef"),
        verdict=st.sampled_from(VERDICTS),
        amount=st.none() | st.integers(1, 60),
        text=st.none() | st.just(WHY),
    ),
    max_size=5,
)


@given(CHANGES, st.booleans(), st.booleans())
def test_what_is_free_of_faults_keeps_every_rule(
    changes: list[Change], may_deviate: bool, reserve_list: bool
) -> None:
    found = deciding(
        replace(MADE, rule=replace(MADE.rule, exclusive=(frozenset("de"),))),
        may_deviate=may_deviate,
        reserve_list=reserve_list,
    )
    outcomes, faults = found.decided(changes)
    if faults:
        return
    proposed = found.proposed()
    amounts = {each.reference: each.amount for each in outcomes.values() if each.amount}
    assert list(outcomes) == list(proposed)
    assert overspent(found.contest, amounts) is None
    assert not {"d", "e"} <= amounts.keys()
    for each in outcomes.values():
        assert (each.verdict == "funded") == (each.amount > 0)
        assert each.amount <= COSTS[each.reference]
        assert each.text or not each.deviates
        assert may_deviate or not each.deviates
        assert reserve_list or each.verdict != "reserve"
        assert each.deviates == (each.verdict != proposed[each.reference].verdict
                                 or each.amount != proposed[each.reference].amount)  # fmt: skip


def test_an_allocation_is_confirmed_as_it_was_proposed() -> None:
    allocation = allocate(MADE)
    outcomes, _ = deciding().decided([])
    funded = {each.reference: each.amount for each in allocation.funded}
    assert {n: each.amount for n, each in outcomes.items() if each.amount} == funded
    assert all(allocation.decisions[each].code in FUNDED for each in funded)
