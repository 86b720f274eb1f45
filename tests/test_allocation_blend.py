"""Several sources become one score, in exact fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvote.budget.allocating.allocation import allocate
from mvote.budget.allocating.blend import blended, shares_of
from mvote.budget.allocating.errors import AllocationImpossible, SourceMissing
from mvote.budget.allocating.model import Blend, Contest, Normalise, Project, Source, Tally

CITIZENS = {"a": 2710, "b": 4880, "c": 870}
COMMITTEE = {"a": 47, "b": 22, "c": 46}
WAYS: list[Normalise] = ["share_of_votes", "of_max", "share_of_ballots", "of_scale", "rank"]


def two(normalise: Normalise, **changed: Any) -> Contest:
    sources = (Source("citizens", Tally(CITIZENS, 5000)), Source("committee", Tally(COMMITTEE, 60)))
    projects = tuple(Project(each, 10) for each in "abc")
    return Contest(projects, sources, 10, blend=Blend(normalise), **changed)


@pytest.mark.parametrize(
    ("normalise", "first"), [("share_of_votes", "b"), ("of_max", "a"), ("rank", "a")]
)
def test_share_and_maximum_can_choose_different_winners(normalise: Normalise, first: str) -> None:
    allocation = allocate(two(normalise))
    assert [each.reference for each in allocation.funded] == [first]


def test_the_score_is_the_weighted_sum_of_shares() -> None:
    sources = [Source("x", Tally({"a": 1, "b": 3}, 4), 45), Source("y", Tally({"a": 1}, 9), 55)]
    scores = blended(sources, Blend(), ["a", "b"])
    assert scores.scores == {"a": 45 * Fraction(1, 4) + 55, "b": 45 * Fraction(3, 4)}


def test_each_way_to_normalise_is_as_the_ordinance_says() -> None:
    tally, references = Tally({"a": 6, "b": 3, "c": 3}, 10, scale=5), ["a", "b", "c", "d"]
    found = {way: list(shares_of(tally, way, references).values()) for way in WAYS}
    assert found == {
        "share_of_votes": [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4), 0],
        "of_max": [1, Fraction(1, 2), Fraction(1, 2), 0],
        "share_of_ballots": [Fraction(6, 10), Fraction(3, 10), Fraction(3, 10), 0],
        "of_scale": [Fraction(6, 50), Fraction(3, 50), Fraction(3, 50), 0],
        "rank": [1, Fraction(5, 8), Fraction(5, 8), Fraction(1, 4)],
    }


@pytest.mark.parametrize("normalise", WAYS)
def test_a_source_of_zeros_gives_nothing(normalise: Normalise) -> None:
    assert shares_of(Tally({"a": 0}, 0, scale=5), normalise, ["a", "b"]) == {"a": 0, "b": 0}


@pytest.mark.parametrize(
    "tally", [None, Tally({"a": 4}, 4)], ids=["missing", "under the least number of ballots"]
)
def test_a_source_that_is_not_there_blocks_if_the_rule_says_so(tally: Tally | None) -> None:
    sources = [Source("x", Tally({"a": 9}, 9)), Source("y", tally)]
    with pytest.raises(SourceMissing) as caught:
        blended(sources, Blend(min_ballots=5), ["a", "b"])
    assert caught.value.facts == {"sources": ["y"]}


def test_a_missing_weight_is_redistributed_over_those_present() -> None:
    sources = [
        Source("x", Tally({"a": 3, "b": 1}, 4), 45),
        Source("y", Tally({"b": 1}, 4), 45),
        Source("z", None, 10),
    ]
    scores = blended(sources, Blend(missing="redistribute"), ["a", "b"])
    assert scores.weights == {"x": 50, "y": 50}
    assert scores.scores == {"a": Fraction(75, 2), "b": Fraction(125, 2)}
    assert scores.absent == ("z",)


def test_nothing_can_be_redistributed_where_every_source_is_missing() -> None:
    with pytest.raises(SourceMissing):
        blended([Source("x", None)], Blend(missing="redistribute"), ["a"])


def test_sources_that_weigh_nothing_cannot_decide() -> None:
    sources = [Source("x", Tally({"a": 1}, 1), 0), Source("y", None, 10)]
    with pytest.raises(AllocationImpossible):
        blended(sources, Blend(missing="redistribute"), ["a"])


def test_several_sources_without_a_blend_are_refused() -> None:
    sources = [Source(key, Tally({"a": 1}, 1)) for key in "xy"]
    with pytest.raises(AllocationImpossible):
        blended(sources, None, ["a"])


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=9))
def test_shares_of_votes_add_up_to_exactly_one(votes: list[int]) -> None:
    tally = Tally({str(place): v for place, v in enumerate(votes)}, sum(votes))
    total = sum(shares_of(tally, "share_of_votes", list(tally.votes)).values())
    assert total == (1 if any(votes) else 0)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_ranks_add_up_to_the_same_however_many_are_equal(votes: list[int]) -> None:
    tally, m = Tally({str(place): v for place, v in enumerate(votes)}, 9), len(votes)
    total = sum(shares_of(tally, "rank", list(tally.votes)).values())
    assert total == (Fraction(m + 1, 2) if any(votes) else 0)


def test_a_share_in_floating_point_would_make_a_tie_of_what_is_none() -> None:
    """The broken twin: 0.1 + 0.2 > 0.3, though the scores are equal."""
    sources = [
        Source("x", Tally({"a": 1, "b": 3, "c": 6}, 10)),
        Source("y", Tally({"a": 2, "b": 0, "c": 8}, 10)),
    ]
    exact = blended(sources, Blend("share_of_votes"), ["a", "b", "c"]).scores
    assert exact["a"] == exact["b"]
    assert 1 / 10 + 2 / 10 != 3 / 10
