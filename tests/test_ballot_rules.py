"""The limits of a project ballot, read by the box and by the verifier: both find the same."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.ballotbox.tallying import count_marks
from mvote.ballotbox.vectors import NoVector, is_spoilt, marks_in, vector_of
from mvote.budget.balloting.paper import hindrances_on_paper, question_of
from mvote.budget.definition import Ballot, Bounds, Contest, Definition, Heading, Kind, Limit
from mvote.budget.definition.contests import Allocation
from mvote.polls.definition import Question, question_in
from mvote.polls.errors import InvalidSelection
from verifier.mvote_verify import Failed, keeps, limits_of, recount
from verifier.mvote_verify import marks_in as verifiers_marks_in

HEADINGS = (
    Heading(key="city"), Heading(key="a", parent="city"), Heading(key="b", parent="city"),
    Heading(key="a1", parent="a"),
)  # fmt: skip
KINDS = ("works", "event")
GROUPS = ("schools", "tram")
OVERS = (
    "all", "each:heading", *(f"heading:{each.key}" for each in HEADINGS),
    *(f"kind:{each}" for each in KINDS), *(f"group:{each}" for each in GROUPS),
)  # fmt: skip


def options() -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.fixed_dictionaries({
        "heading": st.sampled_from(["a", "b", "a1"]),
        "kind": st.sampled_from(KINDS),
        "amount": st.integers(0, 9),
        "groups": st.lists(st.sampled_from(GROUPS), unique=True),
    })  # fmt: skip
    return st.lists(one, min_size=1, max_size=7).map(
        lambda found: [
            {"key": f"p{n}", "reference": f"p{n}", "title": {"ko": f"사업 {n}"}, **each}
            for n, each in enumerate(found)
        ]
    )


def bounds(most: int) -> st.SearchStrategy[Bounds]:
    number = st.none() | st.integers(0, most)
    return st.builds(lambda least, most: Bounds(min=least, max=most), number, number)


LIMITS = st.lists(
    st.builds(
        Limit, over=st.sampled_from(OVERS), count=st.none() | bounds(4),
        cost=st.none() | bounds(30), headings=st.none() | bounds(3),
    ),
    max_size=4,
)  # fmt: skip


def asked(options: list[dict[str, Any]], limits: list[Limit], wrong: Any) -> dict[str, Any]:
    """The question of a contest with these, as it is frozen."""
    ballot = Ballot(limits=tuple(limits), wrong=wrong)
    allocation = Allocation(rule="greedy")
    contest = Contest(
        key="city", headings=("city",), sources=(), ballot=ballot, allocation=allocation
    )
    definition = Definition(
        title={"ko": "예산"}, currency="KRW", budget_year=2027, headings=HEADINGS, phases=(),
        kinds=tuple(Kind(key=each) for each in KINDS), contests=(contest,),
    )  # fmt: skip
    list(hindrances_on_paper(definition, contest, options))  # says what it says, and never fails
    found: dict[str, Any] = question_of(definition, contest, options)
    return found


def read(question: dict[str, Any]) -> Question:
    """As the box keeps it in memory."""
    return question_in(question)


def marks_for(question: dict[str, Any], number: int) -> list[str]:
    """The selections that *number* stands for, bit by bit."""
    return [each["key"] for n, each in enumerate(question["options"]) if number >> n & 1]


@settings(max_examples=300)
@given(options(), LIMITS, st.integers(0, 127))
def test_the_box_refuses_exactly_what_the_verifier_finds_to_break_a_limit(
    options: list[dict[str, Any]], limits: list[Limit], number: int
) -> None:
    document = asked(options, limits, "refuse")
    question, selections = read(document), marks_for(document, number)
    marks = [int(each["key"] in selections) for each in options]
    if keeps(limits_of(document), marks):
        vector = vector_of(question, selections)
        assert (
            list(verifiers_marks_in(document, vector)) == marks == list(marks_in(question, vector))
        )
        return
    with pytest.raises(InvalidSelection) as refusal:
        vector_of(question, selections, accept_spoilt=True)
    assert refusal.value.facts["broken"]
    assert "may_spoil" not in refusal.value.facts


@settings(max_examples=200)
@given(options(), LIMITS, st.lists(st.integers(0, 127), max_size=12))
def test_what_may_be_spoilt_is_counted_alike_by_both_and_adds_up(
    options: list[dict[str, Any]], limits: list[Limit], numbers: list[int]
) -> None:
    document = asked(options, limits, "spoil")
    question = read(document)
    vectors = [
        vector_of(question, marks_for(document, number), accept_spoilt=True) for number in numbers
    ]
    assert len({len(vector) for vector in vectors}) <= 1
    counted, found = (
        count_marks(question, vectors),
        recount({"question": document}, sorted(vectors)),
    )
    assert dict(zip(question.options, counted.totals, strict=True)) == found["totals"]
    assert (counted.blank, counted.spoilt) == (found["blank"], found["spoilt"])
    assert found["valid"] + found["blank"] + found["spoilt"] == len(vectors) == found["records"]
    assert counted.spoilt == sum(is_spoilt(question, marks_in(question, each)) for each in vectors)


def test_a_vector_that_breaks_a_limit_is_no_ballot_where_none_may_be_spoilt() -> None:
    options = [
        {"key": f"p{n}", "reference": f"p{n}", "heading": "a", "amount": 1} for n in range(3)
    ]
    one = [Limit(over="all", count=Bounds(max=1))]
    both = ["p0", "p1"]
    vector = vector_of(read(asked(options, one, "spoil")), both, accept_spoilt=True)
    strict = asked(options, one, "refuse")
    with pytest.raises(NoVector, match="limit"):
        marks_in(read(strict), vector)
    with pytest.raises(Failed, match="breaks a limit"):
        recount({"question": strict}, [vector])


def test_a_share_of_the_projects_is_frozen_as_a_number_rounded_down() -> None:
    options = [
        {"key": f"p{n}", "reference": f"p{n}", "heading": "a", "amount": 1} for n in range(9)
    ]
    share = [Limit(over="all", count=Bounds(share=Fraction(30, 100)))]
    found = asked(options, share, "refuse")
    assert found["limits"] == [{"over": "all", "count": {"min": 2, "max": 2}}]
    assert (found["min_selections"], found["max_selections"]) == (2, 2)
