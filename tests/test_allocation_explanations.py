"""The explanation is true: give a project the votes it is missing, and it is funded."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.budget.allocating.allocation import Allocation, allocate
from mvote.budget.allocating.blend import Scores
from mvote.budget.allocating.explaining import Explanation, Missing
from mvote.budget.allocating.greedy import greedy
from mvote.budget.allocating.model import FUNDED, Blend, Contest, Heading, Source, Tally
from mvote.budget.allocating.order import in_order
from tests.support.contests import Election, approval_contest, contest, elections
from tests.test_allocation_greedy import contests, funded, with_more_votes
from tests.test_allocation_headings import trees

COSTS = {"a": 60, "b": 50, "c": 30}
VOTES = {"a": 9, "b": 8, "c": 7}


def explained(allocation: Allocation) -> dict[str, Explanation]:
    return {each.decision.reference: each for each in allocation.explanations}


def test_a_project_is_told_how_many_votes_it_lacked() -> None:
    found = explained(allocate(contest(COSTS, VOTES, 100)))
    assert found["b"].missing == Missing(votes=1)  # as many as a, but at lower cost
    assert (found["b"].rank, found["b"].score, found["b"].votes) == (2, 8, {"citizens": 8})
    assert found["a"].missing is None


def test_a_tie_that_would_be_lost_needs_one_vote_more() -> None:
    found = explained(allocate(contest({"a": 50, "b": 60, "c": 30}, VOTES, 100)))
    assert found["b"].missing == Missing(votes=2)


def test_a_project_below_the_floor_lacks_what_leads_there() -> None:
    assert explained(allocate(contest(COSTS, VOTES, 1000, floor=20)))["c"].missing == Missing(13)


def test_what_can_never_fit_lacks_no_votes() -> None:
    found = explained(allocate(contest(COSTS, VOTES, 55)))
    assert found["a"].decision.left == 55
    assert found["a"].missing is None


def test_a_blend_is_told_the_score_it_lacked() -> None:
    sources = (
        Source("x", Tally({"a": 3, "b": 2, "c": 1}, 6), 50),
        Source("y", Tally({"a": 1, "b": 1}, 2), 50),
    )
    made = replace(contest(COSTS, VOTES, 60), sources=sources, blend=Blend())
    found = explained(allocate(made))
    assert found["b"].shares == {"x": Fraction(1, 3), "y": Fraction(1, 2)}
    assert found["b"].missing == Missing(score=Fraction(25, 3))
    assert found["c"].missing == Missing(score=Fraction(125, 3))


def test_under_equal_shares_the_supporters_money_stands_beside_the_cost() -> None:
    made = approval_contest({"a": 60, "b": 41}, {("a", "b"): 1, ("a",): 1, ("b",): 1}, 90)
    found = explained(allocate(made))
    assert funded(allocate(made)) == ["b"]
    assert found["a"].decision.code == "unaffordable"
    assert found["a"].supporters_money == Fraction(19, 2) + 30


@settings(deadline=None)
@given(contests() | trees())
def test_with_the_missing_votes_a_project_is_funded_and_with_one_less_it_is_not(
    made: Contest,
) -> None:
    for each in allocate(made).explanations:
        reference = each.decision.reference
        if each.missing is None:
            continue
        assert each.missing.votes is not None
        assert reference in funded(allocate(with_more_votes(made, reference, each.missing.votes)))
        fewer = with_more_votes(made, reference, each.missing.votes - 1)
        assert reference not in funded(allocate(fewer))


@settings(deadline=None)
@given(contests() | trees())
def test_who_lacks_no_number_of_votes_is_not_funded_with_all_the_votes(made: Contest) -> None:
    for each in allocate(made).explanations:
        if each.missing is None and each.decision.code not in FUNDED:
            reference = each.decision.reference
            assert reference not in funded(allocate(with_more_votes(made, reference, 1000)))


@settings(deadline=None)
@given(contests(), st.lists(st.integers(0, 5), min_size=8, max_size=8))
def test_with_the_missing_score_a_project_of_a_blend_is_funded(
    made: Contest, votes: list[int]
) -> None:
    tally = Tally(dict(zip("abcdefgh", votes, strict=True)), 40)
    sources = (*made.sources, Source("committee", tally, 2))
    blended = replace(
        made, sources=sources, blend=Blend(), rule=replace(made.rule, floor=Fraction(1, 8))
    )
    allocation = allocate(blended)
    for each in allocation.explanations:
        if each.missing is not None and each.missing.score is not None:
            more = each.missing.score + (Fraction(1, 10**9) if each.missing.more_than else 0)
            assert is_funded_with(allocation, each.decision.reference, more)


def is_funded_with(allocation: Allocation, reference: str, more: Fraction | int) -> bool:
    scores = dict(allocation.scores.scores)
    scores[reference] += more
    order = in_order(allocation.contest, Scores(scores, {}, {}).scores)
    return greedy(allocation.contest, order, scores)[reference].code in FUNDED


@settings(deadline=None)
@given(elections())
def test_who_cannot_be_afforded_has_supporters_without_the_money(
    election: Election,
) -> None:
    for each in allocate(approval_contest(*election)).explanations:
        if each.decision.code == "unaffordable":
            assert each.supporters_money is not None
            assert each.supporters_money < election[0][each.decision.reference]


def test_a_second_pass_is_part_of_the_explanation() -> None:
    headings = [Heading("parks", 50, None, "to_parent"), Heading("roads", 45, None, "to_parent")]
    under = {"a": "parks", "b": "parks", "c": "roads", "d": "roads"}
    costs = {"a": 30, "b": 31, "c": 25, "d": 10}
    votes = {"a": 9, "b": 8, "c": 7, "d": 6}
    found = explained(allocate(contest(costs, votes, 95, headings=headings, under=under)))
    assert found["b"].decision.heading == "budget_limit"
    assert found["b"].missing == Missing(votes=2)
