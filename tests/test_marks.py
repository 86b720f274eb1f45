"""What texts of polls are compared by, in each of their languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvote.budget.bigrams import bigrams
from mvote.polls.marks import likeness, marks_of, words

SMALLEST, LARGEST = -(2**31), 2**31 - 1
Text = dict[str, str]


def alike(one: Text | None, other: Text | None) -> float | None:
    return likeness(marks_of(one), marks_of(other))


def test_korean_is_compared_by_pairs_and_all_else_by_words() -> None:
    marks = marks_of({"ko": "반려견 놀이터", "en": "A dog park"})
    assert marks == (bigrams("반려견 놀이터"), words("dog park"))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ({"ko": "Dog park"}, {"en": "Dog park"}),
        ({"en": "반려견 놀이터"}, {"ko": "반려견 놀이터"}),
        ({"ko": "Parc à chiens", "en": "Dog park"}, {"ko": "Parc à chiens"}),
    ],
    ids=["plain string in English", "Korean as English", "the first of two"],
)
def test_what_a_text_calls_its_language_does_not_count(
    text: dict[str, str], same: dict[str, str]
) -> None:
    assert marks_of(text) == marks_of(same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Should we build dog parks?", "build a DOG PARK"),
        ("Ｄｏｇ park", "dog-park"),
        ("Buses at night", "night buses"),
    ],
)
def test_function_words_order_case_width_and_plurals_do_not_count(one: str, other: str) -> None:
    assert words(one) == words(other) != []


def test_two_questions_about_other_things_share_only_what_they_say() -> None:
    library, street = "Should we open the library at night?", "Should we close the street at night?"
    assert alike({"en": library}, {"en": street}) == pytest.approx(1 / 3)


def test_the_language_in_which_texts_are_nearer_counts() -> None:
    poll = {"ko": "강아지 운동장을 지을까요?", "en": "Shall we build a dog park?"}
    assert alike({"ko": "반려견 놀이터", "en": "Build a dog park"}, poll) == 1
    assert alike({"ko": "반려견 놀이터"}, poll) == 0
    assert alike({"ko": "반려견 놀이터"}, {"en": "A dog park"}) is None
    assert alike(None, poll) is None


@given(st.text(max_size=80))
def test_marks_are_integers_of_the_database_each_once_ascending(text: str) -> None:
    for numbers in marks_of({"ko": text}):
        assert numbers == sorted(set(numbers))
        assert all(SMALLEST <= number <= LARGEST for number in numbers)
