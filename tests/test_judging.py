"""Quorum and majority of a committee, with recusals, in exact numbers."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.budget.judging import (
    Ballots,
    Body,
    Judges,
    Majority,
    QuorumImpossible,
    Vote,
    judge,
    judges_of,
)

HALF = Majority.of(quorum={"more_than": "1/2", "floor": 5}, carried={"more_than": "1/2"})


def seats(many: int, prefix: str = "s") -> frozenset[str]:
    return frozenset(f"{prefix}{number:02}" for number in range(many))


def voted(*, filled: int, yes: int, no: int = 0, abstain: int = 0) -> Ballots:
    names, votes = iter(sorted(seats(filled))), dict[str, Vote]()
    kinds: list[tuple[Vote, int]] = [("yes", yes), ("no", no), ("abstain", abstain)]
    for vote, times in kinds:
        votes |= dict.fromkeys(islice(names, times), vote)
    return Ballots(filled=seats(filled), recused=frozenset(), votes=votes)


def test_nine_of_seventeen_are_a_quorum_and_four_yes_of_nine_are_not_carried() -> None:
    judgment = judge(voted(filled=17, yes=4, no=4, abstain=1), HALF)
    assert (judgment.entitled, judgment.present, judgment.yes) == (17, 9, 4)
    assert judgment.quorate
    assert not judgment.carried


@pytest.mark.parametrize(
    ("filled", "yes", "no", "abstain", "quorate", "carried"),
    [
        (17, 5, 4, 0, True, True),
        (17, 8, 0, 0, False, False),  # 8 of 17 are not more than half
        (16, 8, 0, 0, False, False),  # nor are 8 of 16
        (16, 9, 0, 0, True, True),
        (10, 3, 3, 0, True, False),  # a tie
        (10, 3, 0, 3, True, False),  # an abstention is present and is not a yes
        (5, 3, 0, 0, True, True),
        (4, 4, 0, 0, False, False),  # below the floor, however unanimous
        (0, 0, 0, 0, False, False),
    ],
)
def test_more_than_half_means_more_than_half(
    filled: int, yes: int, no: int, abstain: int, quorate: bool, carried: bool
) -> None:
    judgment = judge(voted(filled=filled, yes=yes, no=no, abstain=abstain), HALF)
    assert (judgment.quorate, judgment.carried) == (quorate, carried)


def test_a_third_is_exact() -> None:
    third = Majority.of(quorum={"more_than": "1/3"}, carried={"more_than": "2/3"})
    assert not judge(voted(filled=9, yes=3), third).quorate
    assert not judge(voted(filled=9, yes=4, no=2), third).carried
    assert judge(voted(filled=9, yes=5, no=2), third).carried


@pytest.mark.parametrize("fraction", ["1", "3/2", "-1/2", "half", "1/0"])
def test_a_majority_that_nobody_can_reach_is_refused(fraction: str) -> None:
    with pytest.raises((ValueError, ZeroDivisionError)):
        Majority.of(quorum={"more_than": fraction}, carried={"more_than": "1/2"})


def test_whoever_is_recused_counts_in_no_quorum() -> None:
    ballots = voted(filled=17, yes=8)
    assert not judge(ballots, HALF).quorate
    assert judge(ballots.recusing("s15", "s16"), HALF).carried  # 8 of 15


def test_a_recusal_found_later_annuls_that_vote_and_recounts() -> None:
    ballots = voted(filled=9, yes=3, no=2)
    assert judge(ballots, HALF).carried
    found = ballots.recusing("s00")
    assert found.annulled == {"s00"}
    after = judge(found, HALF)
    assert (after.entitled, after.yes, after.no, after.carried) == (8, 2, 2, False)
    assert not after.quorate  # 4 of 8


VOTES = st.dictionaries(
    st.sampled_from(sorted(seats(9))), st.sampled_from(["yes", "no", "abstain"])
)
SOME = st.frozensets(st.sampled_from(sorted(seats(9))))


@settings(deadline=None)
@given(VOTES, SOME)
def test_a_recusal_counts_as_if_the_member_had_never_sat(
    votes: dict[str, Vote], recused: frozenset[str]
) -> None:
    without = {seat: vote for seat, vote in votes.items() if seat not in recused}
    never = Ballots(filled=seats(9) - recused, recused=frozenset(), votes=without)
    assert judge(Ballots(filled=seats(9), recused=recused, votes=votes), HALF) == judge(never, HALF)


@settings(deadline=None)
@given(VOTES, st.fractions(0, Fraction(99, 100)), st.fractions(0, Fraction(99, 100)))
def test_one_more_yes_of_those_present_never_loses_what_was_carried(
    votes: dict[str, Vote], quorum: Fraction, carried: Fraction
) -> None:
    rule = Majority(quorum=quorum, carried=carried, floor=5)
    before = judge(Ballots(filled=seats(9), recused=frozenset(), votes=votes), rule)
    for seat in votes:
        changed: dict[str, Vote] = {**votes, seat: "yes"}
        after = judge(Ballots(filled=seats(9), recused=frozenset(), votes=changed), rule)
        assert after.carried or not before.carried


# --- who judges

SUB = Body(key="subcommittee", filled=seats(7))
PLENARY = Body(key="plenary", filled=seats(12, "p"))


def test_the_body_judges_while_enough_of_it_are_not_recused() -> None:
    judges = judges_of(SUB, HALF, recused=seats(2), fallback=PLENARY)
    assert judges == Judges(body="subcommittee", seats=seats(7) - seats(2))


def test_below_the_floor_the_fallback_judges() -> None:
    judges = judges_of(SUB, HALF, recused=seats(3), fallback=PLENARY, reserves=["r1"])
    assert judges == Judges(body="plenary", seats=PLENARY.filled)


def test_then_reserves_are_sworn_in_in_their_order_but_none_that_is_recused() -> None:
    recused = seats(3) | seats(9, "p") | {"r1"}
    judges = judges_of(
        SUB, HALF, recused=recused, fallback=PLENARY, reserves=["r1", "r2", "r3", "r4"]
    )
    assert judges.sworn_in == ("r2", "r3")
    assert judges.body == "plenary"
    assert len(judges.seats) == 5


def test_a_quorum_that_recusals_make_impossible_is_named_with_who_can_help() -> None:
    recused = seats(3) | seats(9, "p")
    with pytest.raises(QuorumImpossible) as refused:
        judges_of(SUB, HALF, recused=recused, fallback=PLENARY, reserves=["r1"])
    assert refused.value.facts == {
        "floor": 5,
        "bodies": [
            {"body": "subcommittee", "filled": 7, "recused": sorted(seats(3)), "missing": 1},
            {"body": "plenary", "filled": 12, "recused": sorted(seats(9, "p")), "missing": 2},
        ],
        "reserves_who_can_help": ["r1"],
    }
