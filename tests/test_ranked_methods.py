"""Ranked ballots: Borda, instant run-off and Schulze, as pure functions of how often each came."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.ballotbox.methods.outcome import Outcome, outcome_of
from mvote.ballotbox.methods.pairwise import Marks, borda, pairwise
from mvote.ballotbox.methods.runoff import Runoff, instant_runoff
from mvote.ballotbox.methods.schulze import schulze_winners, strongest_paths
from mvote.ballotbox.tallying import count_marks
from mvote.ballotbox.vectors import KINDS, vector_of
from mvote.polls.definition import METHODS, Question
from tests.support.ranking import asked, marks_of, outcome_by_verifier, profiles

SEED = bytes(32)
RANKED = METHODS["ranking"]


def runoff_of(profile: dict[str, int], options: str = "abcd") -> Runoff:
    """Ballots written like `abc`; a lot in the order of the alphabet."""
    ballots = [(marks_of(order, options), n) for order, n in profile.items()]
    return instant_runoff(len(options), ballots, range(len(options)))


def leaving(runoff: Runoff, options: str = "abcd") -> list[tuple[str, str | None]]:
    """Who left in each round, and by what."""
    return [("".join(options[x] for x in each.eliminated), each.by) for each in runoff.rounds[:-1]]


def test_ballots_go_to_their_next_choice_that_remains_and_end_when_there_is_none() -> None:
    runoff = runoff_of({"ab": 4, "bc": 3, "c": 2, "cb": 1}, "abc")
    assert [each.votes for each in runoff.rounds] == [{0: 4, 1: 3, 2: 3}, {0: 4, 1: 4}]
    assert leaving(runoff, "abc") == [("c", "lot")]
    assert runoff.rounds[0].transfers == {2: {1: 1}}
    assert runoff.rounds[1].exhausted == 2
    assert runoff.winners == (0, 1)  # a tie is shown as a tie


def test_more_than_half_of_the_ballots_that_are_left_ends_it_at_once() -> None:
    runoff = runoff_of({"ab": 6, "b": 3, "c": 2})
    assert (len(runoff.rounds), runoff.winners) == (1, (0,))


@pytest.mark.parametrize(
    ("profile", "first"),
    [
        ({"a": 9, "b": 8, "ca": 2, "da": 2}, ("cd", "together")),
        ({"a": 5, "b": 4, "ca": 2, "da": 2}, ("d", "lot")),  # together they may pass b
        ({"a": 5, "b": 4, "c": 3}, ("d", "fewest")),
    ],
)
def test_those_tied_for_the_last_place_leave_together_only_where_that_changes_nothing(
    profile: dict[str, int], first: tuple[str, str]
) -> None:
    assert leaving(runoff_of(profile))[0] == first


def test_a_tie_for_the_last_place_looks_back_to_the_latest_round_that_tells_them_apart() -> None:
    tied = runoff_of({"a": 7, "b": 4, "c": 3, "dc": 1})
    assert leaving(tied) == [("d", "fewest"), ("c", "earlier_round")]
    assert tied.rounds[1].votes == {0: 7, 1: 4, 2: 4}


def test_a_lot_decides_who_leaves_only_where_no_earlier_round_does() -> None:
    ballots = [(marks_of(order, "abc"), n) for order, n in {"a": 3, "b": 2, "c": 2}.items()]
    assert instant_runoff(3, ballots, [0, 1, 2]).rounds[0].eliminated == (2,)
    assert instant_runoff(3, ballots, [2, 0, 1]).rounds[0].eliminated == (1,)


@pytest.mark.parametrize("method", RANKED)
def test_nobody_wins_where_nobody_ranked(method: str) -> None:
    assert outcome_of(asked(method, "abc"), {}, [0, 0, 0], SEED).winners == ()


def test_borda_gives_a_point_for_every_option_that_a_ballot_ranks_behind() -> None:
    question = asked("borda", "abcd")
    vectors = [vector_of(question, list("badc")), vector_of(question, list("b"))]
    assert count_marks(question, vectors).totals == (2, 6, 0, 1)


def test_ranked_ballots_of_the_other_methods_total_their_first_ranks() -> None:
    for method in ("schulze", "instant_runoff"):
        question = asked(method, "abc")
        vectors = [vector_of(question, list(order)) for order in ("ab", "ac", "cb", "")]
        found = count_marks(question, vectors)
        assert (found.totals, found.blank) == ((2, 0, 1), 1)


def test_a_ranking_in_a_circle_is_a_tie_for_schulze() -> None:
    ballots = [(marks_of(order, "abc"), 3) for order in ("abc", "bca", "cab")]
    matrix = pairwise(3, ballots)
    assert schulze_winners(strongest_paths(matrix)) == [0, 1, 2]


@settings(max_examples=300)
@given(profiles())
def test_borda_sums_are_exact_however_they_are_added_up(profile: Counter[Marks]) -> None:
    n = len(next(iter(profile)))
    points = [
        sum(times * (n - marks[x]) for marks, times in profile.items() if marks[x])
        for x in range(n)
    ]
    assert borda(pairwise(n, profile.items())) == points


@settings(max_examples=300)
@given(profiles())
def test_whoever_beats_every_other_option_wins_by_schulze_alone(profile: Counter[Marks]) -> None:
    n = len(next(iter(profile)))
    matrix = pairwise(n, profile.items())
    beats_all = [
        x for x in range(n) if all(matrix[x][y] > matrix[y][x] for y in range(n) if y != x)
    ]
    winners = schulze_winners(strongest_paths(matrix))
    assert winners
    assert not beats_all or winners == beats_all


@pytest.mark.parametrize("method", RANKED)
@settings(max_examples=150)
@given(profile=profiles(), data=st.data())
def test_who_wins_does_not_depend_on_the_order_in_which_options_stand(
    method: str, profile: Counter[Marks], data: st.DataObject
) -> None:
    keys = "abcdef"[: len(next(iter(profile)))]
    order = data.draw(st.permutations(range(len(keys))))
    turned = Counter({tuple(marks[x] for x in order): n for marks, n in profile.items()})
    found = decided(method, keys, profile)
    other = decided(method, "".join(keys[x] for x in order), turned)
    assert set(found.winners) == set(other.winners)


@pytest.mark.parametrize("method", RANKED)
@settings(max_examples=200)
@given(profile=profiles())
def test_the_verifier_comes_to_the_same_winners_by_the_same_workings(
    method: str, profile: Counter[Marks]
) -> None:
    keys = "abcdef"[: len(next(iter(profile)))]
    question = asked(method, keys)
    found = outcome_by_verifier(question, profile, SEED)
    here = decided(method, keys, profile)
    assert (found["winners"], found["workings"]) == ([*here.winners], here.workings)
    assert [*found["totals"].values()] == totals_of(question, profile)


@pytest.mark.parametrize("method", RANKED)
@settings(max_examples=100)
@given(profile=profiles())
def test_rounds_and_matrix_hold_every_ballot(method: str, profile: Counter[Marks]) -> None:
    keys = "abcdef"[: len(next(iter(profile)))]
    workings: dict[str, Any] = decided(method, keys, profile).workings or {}
    ballots = profile.total()
    for each in workings.get("rounds", ()):
        assert sum(each["votes"].values()) + each["exhausted"] == ballots
    matrix = workings.get("pairwise", {})
    for x, y in itertools.permutations(matrix, 2):
        assert matrix[x][y] + matrix[y][x] <= ballots


def decided(method: str, keys: Sequence[str], profile: Counter[Marks]) -> Outcome:
    question = asked(method, keys)
    return outcome_of(question, profile, totals_of(question, profile), SEED)


def totals_of(question: Question, profile: Counter[Marks]) -> list[int]:
    vectors = Counter[bytes]()
    for marks, times in profile.items():
        ranked = sorted((rank, key) for rank, key in zip(marks, question.options, strict=True))
        vectors[vector_of(question, [key for rank, key in ranked if rank])] += times
    assert all(vector[1] == KINDS["ranking"] for vector in vectors)
    return list(count_marks(question, vectors.elements()).totals)
