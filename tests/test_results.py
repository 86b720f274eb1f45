"""Results: no total before it may be seen, the right total afterwards."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvote.ballotbox.tallying import count_marks, records_hash
from mvote.ballotbox.vectors import NoVector, marks_in, selections_in, vector_of
from mvote.polls.definition import Question
from mvote.polls.errors import InvalidSelection
from tests.support.world import World, question

KEYS = tuple("abcdef")


def _multiple(least: int, most: int) -> Question:
    return Question(
        kind="multiple", options=KEYS, min_selections=least, max_selections=most, method="approval"
    )


def _results(world: World, poll: dict[str, Any], **headers: str) -> Any:
    return world.client.get(f"/v1/polls/{poll['id']}/results", headers=headers)


def test_a_multiple_choice_is_counted_with_its_blank_ballots(world: World) -> None:
    asked = question("a", "b", "c", kind="multiple", min_selections=0, max_selections=2)
    poll = world.open_poll(question=asked, publish_from=2)
    papers = [["a", "b"], ["b"], [], ["c", "b"]]
    for voter, paper in zip(world.citizens(4), papers, strict=True):
        assert world.cast(poll, voter, paper).status_code == 201
    world.finish(poll)
    result = _results(world, poll).get_json()
    assert {o["key"]: o["votes"] for o in result["options"]} == {"a": 1, "b": 3, "c": 1}
    assert result["turnout"] == {"ballots": 4, "blank": 1}
    assert result["options"][1]["share"] == 1.0


def test_before_publication_no_route_and_no_role_shows_an_option_total(world: World) -> None:
    officer = world.officer()
    poll = world.open_poll(officer, publish_from=2)
    voter = world.citizen()
    world.cast(poll, voter)
    people = [{}, voter.headers, officer.headers, world.administrator().headers]
    for is_closed in (False, True):
        if is_closed:
            world.close(poll)
        for headers in people:
            turnout = world.client.get(f"/v1/polls/{poll['id']}/turnout", headers=headers)
            assert list(turnout.get_json()["turnout"]) == ["ballots"]
            for path in ("results", "records"):
                answer = world.client.get(f"/v1/polls/{poll['id']}/{path}", headers=headers)
                assert (answer.status_code, answer.get_json()["code"]) == (
                    409,
                    "results-not-available",
                )
            for path in ("", "/definition"):
                shown = world.client.get(f"/v1/polls/{poll['id']}{path}", headers=headers)
                assert "votes" not in shown.get_data(as_text=True)
    assert world.count("record") == world.count("result") == 0


def test_the_answer_before_publication_says_when_the_result_may_be_there(world: World) -> None:
    poll = world.open_poll()
    assert _results(world, poll).get_json()["available_at"] == poll["closes_at"]


def test_after_an_early_close_the_planned_end_is_no_longer_given(world: World) -> None:
    poll = world.open_poll()
    for officer in (world.officer(), world.officer()):
        world.client.post(f"/v1/polls/{poll['id']}/close", headers=officer.headers)
    answer = _results(world, poll)
    assert (answer.status_code, answer.get_json()["available_at"]) == (409, None)


def test_under_publish_from_only_the_number_of_ballots_is_published(world: World) -> None:
    poll = world.open_poll()  # five, unless the author says otherwise
    for voter in world.citizens(4):
        world.cast(poll, voter)
    world.finish(poll)
    result = _results(world, poll).get_json()
    assert (result["too_few"], result["options"]) == (True, [])
    assert result["turnout"] == {"ballots": 4}
    assert "totals" not in result["statement"]
    assert "records_hash" not in result["statement"]
    records = world.client.get(f"/v1/polls/{poll['id']}/records").get_json()
    assert records["items"] == []


def test_a_single_choice_publishes_its_records_sorted_so_that_they_give_the_totals(
    world: World,
) -> None:
    poll = world.open_poll(publish_from=2)
    for voter, choice in zip(world.citizens(5), ["yes", "no", "yes", "no", "yes"], strict=True):
        world.cast(poll, voter, [choice])
    world.finish(poll)
    path = f"/v1/polls/{poll['id']}/records?limit=2"
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = world.client.get(path + (f"&cursor={cursor}" if cursor else "")).get_json()
        found += [item["selections"][0] for item in page["items"]]
        cursor = page["next_cursor"]
    assert Counter(found) == {"yes": 3, "no": 2}
    assert found in (sorted(found), sorted(found, reverse=True))


def test_a_multiple_choice_frozen_as_full_stays_totals_only_with_fewer_than_50_ballots(
    world: World,
) -> None:
    asked = question("a", "b", kind="multiple")
    poll = world.open_poll(question=asked, publish_from=2, records="full")
    for voter in world.citizens(3):
        world.cast(poll, voter, ["a"])
    world.finish(poll)
    records = world.client.get(f"/v1/polls/{poll['id']}/records").get_json()
    assert records["items"] == []
    assert world.rows("SELECT records_public FROM result") == [(False,)]


def test_a_multiple_choice_frozen_as_full_publishes_its_records_from_50_ballots_on(
    world: World,
) -> None:
    asked = question("a", "b", kind="multiple")
    poll = world.open_poll(question=asked, publish_from=2, records="full")
    for voter in world.citizens(50):
        world.cast(poll, voter, ["a", "b"])
    world.finish(poll)
    records = world.client.get(f"/v1/polls/{poll['id']}/records").get_json()
    assert {tuple(item["selections"]) for item in records["items"]} == {("a", "b")}


def test_records_stay_hidden_while_the_totals_are(world: World) -> None:
    asked = question("a", "b", kind="multiple")
    poll = world.open_poll(question=asked, publish_from=60, records="full")
    for voter in world.citizens(50):
        world.cast(poll, voter, ["a"])
    world.finish(poll)
    assert _results(world, poll).get_json()["too_few"]
    records = world.client.get(f"/v1/polls/{poll['id']}/records").get_json()
    assert records["items"] == []


def test_the_hash_of_the_records_is_published_only_with_the_records(world: World) -> None:
    """Of a few ballots with a few options, every possible list could be tried against it."""
    officer = world.officer()
    for records, is_there in (("full", True), ("totals", False)):
        poll = world.open_poll(officer, publish_from=2, records=records)
        for voter in world.citizens(3):
            world.cast(poll, voter)
        world.finish(poll)
        assert ("records_hash" in _results(world, poll).get_json()["statement"]) is is_there


def test_the_result_as_csv_says_the_same_as_the_result_as_json(world: World) -> None:
    options = [{"key": "yes", "title": "=1+1"}, {"key": "no", "title": "아니요"}]
    asked = {"text": "?", "options": options}
    poll = world.open_poll(question=asked, publish_from=2)
    for voter in world.citizens(2):
        world.cast(poll, voter)
    world.finish(poll)
    answer = _results(world, poll, Accept="text/csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows[1] == ["yes", "'=1+1", "", "2", "1.0"]  # no spreadsheet takes it for a formula
    assert rows[-2:] == [["(ballots)", "", "", "2", ""], ["(blank)", "", "", "0", ""]]


def test_a_result_that_has_not_changed_is_answered_with_304(world: World) -> None:
    poll = world.open_poll(publish_from=2)
    for voter in world.citizens(2):
        world.cast(poll, voter)
    world.finish(poll)
    first = _results(world, poll)
    again = _results(world, poll, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")


def test_the_statement_names_the_definition_and_adds_up(world: World) -> None:
    poll = world.open_poll(publish_from=2)
    for voter in world.citizens(3):
        world.cast(poll, voter)
    world.finish(poll)
    statement = _results(world, poll).get_json()["statement"]
    assert statement["definition_hash"] == poll["definition_hash"]
    assert statement["valid"] + statement["blank"] + statement["spoilt"] == statement["records"]
    assert statement["participations"] == statement["entries"] == statement["records"] == 3


@given(st.lists(st.sets(st.sampled_from(KEYS), max_size=4).map(sorted), max_size=60))
def test_counted_vectors_give_the_totals_of_the_selections_they_were_made_from(
    papers: list[list[str]],
) -> None:
    asked = _multiple(0, 4)
    vectors = sorted(vector_of(asked, paper) for paper in papers)
    tally = count_marks(asked, vectors)
    expected = Counter(key for paper in papers for key in paper)
    assert tally.totals == tuple(expected[key] for key in KEYS)
    assert tally.blank == sum(not paper for paper in papers)
    assert [selections_in(asked, vector_of(asked, paper)) for paper in papers] == papers


@given(st.lists(st.sampled_from([*KEYS, "z", ""]), max_size=8))
def test_a_vector_exists_exactly_for_selections_within_the_limits(paper: list[str]) -> None:
    asked = _multiple(1, 3)
    allowed = set(paper) <= set(KEYS) and len(set(paper)) == len(paper) and 1 <= len(paper) <= 3
    if allowed:
        assert len(vector_of(asked, paper)) == 4 + 2 * len(KEYS)
    else:
        with pytest.raises(InvalidSelection):
            vector_of(asked, paper)


@given(st.binary(max_size=20))
def test_bytes_that_are_no_ballot_of_the_question_are_never_counted(content: bytes) -> None:
    asked = _multiple(1, 3)
    try:
        marks = marks_in(asked, content)
    except NoVector:
        return
    assert 1 <= sum(marks) <= 3


def test_the_hash_of_the_records_tells_apart_what_concatenation_would_not() -> None:
    assert records_hash([b"ab", b"c"]) != records_hash([b"a", b"bc"])
