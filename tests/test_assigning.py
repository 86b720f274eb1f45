"""Proposals are given to reviewers by lot, evenly, and never to the recused."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.budget.assigning import NotEnoughReviewers, assign

SEED = bytes(32)
REVIEWERS = [f"r{number}" for number in range(5)]
PROPOSALS = [f"P-{number}" for number in range(8)]
RECUSED = st.sets(st.tuples(st.sampled_from(REVIEWERS), st.sampled_from(PROPOSALS)))
SEEDS = st.binary(min_size=32, max_size=32)
Assigned = Mapping[str, Iterable[str]]


def loads(assigned: Assigned) -> Counter[str]:
    work = Counter(dict.fromkeys(REVIEWERS, 0))
    work.update(reviewer for reviewers in assigned.values() for reviewer in reviewers)
    return work


@settings(max_examples=300, deadline=None)
@given(RECUSED, SEEDS, st.integers(1, 3))
def test_each_proposal_has_just_its_reviewers_and_none_is_recused(
    recused: set[tuple[str, str]], seed: bytes, needed: int
) -> None:
    recused = but_enough(recused, needed)
    assigned = assign(PROPOSALS, REVIEWERS, needed=needed, recused=recused, seed=seed)
    assert set(assigned) == set(PROPOSALS)
    for proposal, reviewers in assigned.items():
        assert len(set(reviewers)) == len(reviewers) == needed
        assert not {(reviewer, proposal) for reviewer in reviewers} & recused


def but_enough(recused: set[tuple[str, str]], needed: int) -> set[tuple[str, str]]:
    """As many of the recusals as leave each proposal so many reviewers."""
    by_proposal = (sorted(each for each in recused if each[1] == name) for name in PROPOSALS)
    return {each for of_one in by_proposal for each in of_one[: len(REVIEWERS) - needed]}


@settings(deadline=None)
@given(SEEDS, st.integers(1, 5))
def test_without_recusals_nobody_has_two_more_than_another(seed: bytes, needed: int) -> None:
    work = loads(assign(PROPOSALS, REVIEWERS, needed=needed, recused=[], seed=seed))
    assert max(work.values()) - min(work.values()) <= 1


def most_at_least(recused: set[tuple[str, str]], needed: int) -> int:
    """The lowest possible load of whoever has most. What the reviewers outside a group cannot do is
    left to the group, where somebody has the average or more; some group shows the truth (Hall)."""
    best = 0
    for mask in range(1, 1 << len(REVIEWERS)):
        group = {name for number, name in enumerate(REVIEWERS) if mask >> number & 1}
        others = [
            sum((name, proposal) not in recused for name in REVIEWERS if name not in group)
            for proposal in PROPOSALS
        ]
        must = sum(max(0, needed - able) for able in others)
        best = max(best, -(-must // len(group)))
    return best


@settings(max_examples=300, deadline=None)
@given(RECUSED, SEEDS, st.integers(1, 3))
def test_recusals_leave_whoever_has_most_with_as_little_as_possible(
    recused: set[tuple[str, str]], seed: bytes, needed: int
) -> None:
    recused = but_enough(recused, needed)
    assigned = assign(PROPOSALS, REVIEWERS, needed=needed, recused=recused, seed=seed)
    assert max(loads(assigned).values()) == most_at_least(recused, needed)


def evened_out() -> bool:
    """Only a-x, b-y, c-z is even; who has a and b can hand nothing to z but through y."""
    proposals, reviewers = ["a", "b", "c"], ["x", "y", "z"]
    recused = [("y", "a"), ("z", "a"), ("z", "b"), ("x", "c")]
    return all(
        assign(proposals, reviewers, needed=1, recused=recused, seed=bytes([number] * 32))
        == {"a": ("x",), "b": ("y",), "c": ("z",)}
        for number in range(50)
    )


def test_proposals_are_handed_on_along_chains() -> None:
    assert evened_out()


def test_without_handing_on_somebody_would_have_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mvote.budget.assigning._Work.even_out", lambda _: None)
    assert not evened_out()


def test_the_order_in_which_names_come_plays_no_part_and_another_seed_does() -> None:
    expected = assign(PROPOSALS, REVIEWERS, needed=2, recused=[("r0", "P-1")], seed=SEED)
    dice = random.Random(4)
    mixed = assign(
        dice.sample(PROPOSALS, 8), dice.sample(REVIEWERS, 5), needed=2,
        recused=[("r0", "P-1")], seed=SEED,
    )  # fmt: skip
    assert mixed == expected
    assert assign(PROPOSALS, REVIEWERS, needed=2, recused=[], seed=b"1" * 32) != expected


def test_each_reviewer_gets_each_proposal_about_as_often() -> None:
    times: Counter[tuple[str, str]] = Counter()
    for number in range(1_000):
        seed = number.to_bytes(32, "big")
        for proposal, reviewers in assign(
            PROPOSALS, REVIEWERS, needed=2, recused=[], seed=seed
        ).items():
            times.update((reviewer, proposal) for reviewer in reviewers)
    assert len(times) == 40
    assert all(320 <= each <= 480 for each in times.values())  # 400 expected, σ = 15


def test_all_proposals_that_lack_reviewers_are_named_with_who_is_left() -> None:
    recused = [(reviewer, proposal) for reviewer in REVIEWERS[1:] for proposal in ("P-1", "P-3")]
    with pytest.raises(NotEnoughReviewers) as refused:
        assign(PROPOSALS, REVIEWERS, needed=2, recused=recused, seed=SEED)
    assert refused.value.facts["proposals"] == [
        {"proposal": proposal, "needed": 2, "not_recused": ["r0"]} for proposal in ("P-1", "P-3")
    ]


def test_what_was_assigned_stays_but_for_a_recusal_found_later() -> None:
    before = assign(PROPOSALS, REVIEWERS, needed=2, recused=[], seed=SEED)
    recused = (before["P-0"][0], "P-0")
    after = assign(PROPOSALS, REVIEWERS, needed=2, recused=[recused], seed=SEED, kept=before)
    assert recused[0] not in after["P-0"]
    assert before["P-0"][1] in after["P-0"]
    assert all(after[each] == before[each] for each in PROPOSALS if each != "P-0")


def test_whoever_came_later_gets_their_part_of_what_is_new() -> None:
    before = assign(PROPOSALS[:6], REVIEWERS[:4], needed=2, recused=[], seed=SEED)
    after = assign(PROPOSALS, REVIEWERS, needed=2, recused=[], seed=SEED, kept=before)
    assert all(after[proposal] == before[proposal] for proposal in before)
    assert loads(after)["r4"] == 2
