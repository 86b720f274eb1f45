"""Opinions: blind until one's own is in, frozen, given again after the discussion, then public."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.errors import Error as DatabaseError
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from tests.support.hostile import both, no_trace
from tests.support.proposals import as_owner, refused
from tests.support.reviews import BENEFIT, NEED, OPINION, Chamber
from tests.support.world import World


@pytest.fixture
def chamber(world: World) -> Chamber:
    return Chamber(world)


# the first round


def test_a_member_hands_in_scores_each_with_its_reason(chamber: Chamber) -> None:
    proposal, member = chamber.reviewed(), chamber.members[0]
    answer = chamber.opine(proposal, member, scores=[BENEFIT, NEED])
    given = answer.get_json()
    assert (answer.status_code, given["round"], given["judged_at"]) == (200, 1, None)
    assert [each["criterion"] for each in given["scores"]] == ["need", "benefit"]
    assert given["scores"][0]["reason"] == {"ko": NEED["reason"]}


def test_nobody_reads_another_opinion_before_their_own_is_in(chamber: Chamber) -> None:
    proposal = chamber.reviewed()
    first, second, third = (chamber.seat_of(each) for each in chamber.members)
    assert chamber.opine(proposal, chamber.members[0]).status_code == 200
    assert chamber.read(proposal, chamber.members[0]) == [(first, 1)]
    for who in (None, chamber.members[1], chamber.officer, chamber.citizen()):
        assert chamber.read(proposal, who) == []
    assert chamber.opine(proposal, chamber.members[1]).status_code == 200
    for who in chamber.members[:2]:
        assert sorted(chamber.read(proposal, who)) == sorted([(first, 1), (second, 1)])
    assert chamber.read(proposal, chamber.members[2]) == []
    assert third not in dict(chamber.read(proposal, chamber.members[0]))


def test_a_first_opinion_is_frozen_at_once_and_may_be_sent_again_as_it_is(
    chamber: Chamber,
) -> None:
    proposal, member = chamber.reviewed(), chamber.members[0]
    said = chamber.opine(proposal, member).get_json()
    with no_trace(chamber.world):
        assert chamber.opine(proposal, member).get_json() == said
        answer = both(
            chamber.world, "PUT", f"/v1/proposals/{proposal['id']}/opinion", 409, "opinion-frozen",
            headers=member.headers, json=OPINION | {"comment": "다른 의견"},
        )  # fmt: skip
        assert "next_step" in answer.get_json()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown criterion": ({"scores": [NEED, BENEFIT, NEED | {"criterion": "charm"}]},
                          "/scores/2/criterion"),
    "scored twice": ({"scores": [NEED, BENEFIT, NEED]}, "/scores/2/criterion"),
    "beyond the scale": ({"scores": [NEED | {"score": 6}, BENEFIT]}, "/scores/0/score"),
    "not scored": ({"scores": [NEED]}, "/scores"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "pointer"), WRONG.values(), ids=WRONG)
def test_scores_that_are_not_the_cycles_are_refused_by_their_place(
    chamber: Chamber, changes: dict[str, Any], pointer: str
) -> None:
    proposal, member = chamber.reviewed(), chamber.members[0]
    with no_trace(chamber.world):
        answer = both(
            chamber.world, "PUT", f"/v1/proposals/{proposal['id']}/opinion", 422,
            "invalid-request", headers=member.headers, json=OPINION | changes,
        )  # fmt: skip
        assert [each["pointer"] for each in answer.get_json()["errors"]] == [pointer]


def test_without_criteria_an_opinion_says_something(world: World) -> None:
    chamber = Chamber(world, members=2, criteria=[])
    proposal, member = chamber.reviewed(), chamber.members[0]
    with no_trace(world):
        answer = chamber.opine(proposal, member, scores=[], comment=None)
        assert refused(answer) == (422, "invalid-request")
    assert chamber.opine(proposal, member, scores=[]).status_code == 200


def test_only_who_sits_in_the_committee_gives_an_opinion_and_only_while_it_reviews(
    chamber: Chamber,
) -> None:
    member, stranger = chamber.members[0], chamber.citizen()
    waiting, proposal = chamber.assessed(), chamber.assessed()
    chamber.give_out()
    chamber.put_in(waiting, "assessed")
    path = "/v1/proposals/{}/opinion"
    with no_trace(chamber.world):
        for who, of, status, code in (
            (stranger, proposal, 403, "not-allowed"),
            (chamber.officer, proposal, 403, "not-allowed"),
            (member, waiting, 409, "not-under-review"),
        ):
            both(chamber.world, "PUT", path.format(of["id"]), status, code,
                 headers=who.headers, json=OPINION)  # fmt: skip
    chamber.enter("deciding")
    with no_trace(chamber.world):
        assert refused(chamber.opine(proposal, member)) == (409, "phase-not-open")


# after the discussion


def test_after_the_discussion_there_is_a_second_round_beside_the_first(chamber: Chamber) -> None:
    proposal, chair = chamber.reviewed(), chamber.chair()
    first, second, _ = (chamber.seat_of(each) for each in chamber.members)
    for who in chamber.members[:2]:
        assert chamber.opine(proposal, who).status_code == 200
    assert chamber.discuss(proposal, chair).status_code == 201
    changed = chamber.opine(proposal, chair, comment="생각이 바뀌었습니다.").get_json()
    assert (changed["round"], changed["comment"]) == (2, {"ko": "생각이 바뀌었습니다."})
    items = chamber.opinions(proposal, chair).get_json()["items"]
    mine = {each["round"]: each["comment"]["ko"] for each in items if each["seat_id"] == first}
    assert mine == {1: OPINION["comment"], 2: "생각이 바뀌었습니다."}
    assert (first, 2) not in chamber.read(proposal, chamber.members[1])  # theirs is not in
    assert chamber.opine(proposal, chamber.members[1]).status_code == 200
    assert {(first, 2), (second, 2)} <= set(chamber.read(proposal, chamber.members[1]))
    again = chamber.opine(proposal, chair, comment="다시 바뀌었습니다.").get_json()
    assert (again["round"], again["comment"]) == (2, {"ko": "다시 바뀌었습니다."})


def test_whoever_missed_the_first_round_reads_it_once_their_second_is_in(chamber: Chamber) -> None:
    proposal, chair = chamber.reviewed(), chamber.chair()
    late = chamber.members[2]
    chamber.opine(proposal, chair)
    chamber.discuss(proposal, chair)
    assert chamber.read(proposal, late) == []
    assert chamber.opine(proposal, late).get_json()["round"] == 2
    assert set(chamber.read(proposal, late)) == {
        (chamber.seat_of(chair), 1), (chamber.seat_of(late), 2),
    }  # fmt: skip


def test_the_chair_alone_opens_the_second_round_and_once(chamber: Chamber) -> None:
    proposal, chair = chamber.reviewed(), chamber.chair()
    path = f"/v1/proposals/{proposal['id']}/discussion"
    with no_trace(chamber.world):
        for who in (chamber.members[1], chamber.officer):
            both(chamber.world, "POST", path, 403, "not-allowed", headers=who.headers)
    assert chamber.discuss(proposal, chair).status_code == 201
    with no_trace(chamber.world):
        both(chamber.world, "POST", path, 409, "impossible-transition", headers=chair.headers)


def test_where_the_chair_is_recused_the_lowest_seat_opens_the_second_round(
    chamber: Chamber,
) -> None:
    proposal, chair = chamber.reviewed(), chamber.chair()
    chamber.step_aside(proposal, chair)
    with no_trace(chamber.world):
        assert refused(chamber.discuss(proposal, chair)) == (403, "recused")
        assert refused(chamber.discuss(proposal, chamber.members[2])) == (403, "not-allowed")
    assert chamber.discuss(proposal, chamber.members[1]).status_code == 201


# at the judgment


@pytest.mark.parametrize("state", ["approved", "rejected", "returned"])
def test_at_the_judgment_reasons_and_scores_are_public_by_seat_and_over(
    chamber: Chamber, state: str
) -> None:
    proposal, member = chamber.reviewed(), chamber.members[0]
    chamber.opine(proposal, member)
    chamber.judge(proposal, state)
    answer = chamber.opinions(proposal)
    [item] = answer.get_json()["items"]
    assert (item["seat_id"], item["number"]) == (chamber.seat_of(member), 1)
    assert item["scores"][0]["reason"] == {"ko": NEED["reason"]}
    assert item["judged_at"] is not None
    assert str(member.id) not in answer.get_data(as_text=True)
    with no_trace(chamber.world):
        assert refused(chamber.opine(proposal, chamber.members[1])) == (409, "not-under-review")


def test_what_is_withdrawn_is_never_judged_and_its_opinions_stay_closed(chamber: Chamber) -> None:
    proposal = chamber.reviewed()
    chamber.opine(proposal, chamber.members[0])
    chamber.judge(proposal, "withdrawn")
    assert chamber.read(proposal) == []


def test_many_opinions_come_in_pages(world: World) -> None:
    chamber = Chamber(world, members=5)
    proposal = chamber.reviewed()
    for member in chamber.members:
        assert chamber.opine(proposal, member).status_code == 200
    chamber.judge(proposal)
    path, more = f"proposals/{proposal['id']}/opinions?limit=2", ""
    pages = []
    for _ in range(3):
        page = chamber.send("GET", path + more, None).get_json()
        pages.append([each["number"] for each in page["items"]])
        more = f"&cursor={page['next_cursor']}"
    assert (pages, page["next_cursor"]) == ([[1, 2], [3, 4], [5]], None)
    assert refused(chamber.send("GET", f"{path}&cursor=x", None)) == (422, "invalid-request")


# what the database keeps


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE opinion SET comment = '{\"ko\": \"x\"}'",
        "UPDATE opinion SET round = 2",
        "DELETE FROM opinion",
        "INSERT INTO opinion SELECT review_id, seat_id, 2, scores, comment, at FROM opinion",
        "UPDATE review SET discussed_at = now(); UPDATE review SET discussed_at = NULL",
        "UPDATE review SET judged_at = now(); UPDATE review SET judged_at = NULL",
        "DELETE FROM review",
        "UPDATE review_assignment SET at = now()",
    ],
    ids=["first changed", "moved on", "deleted", "second too early", "not discussed",
         "judged no more", "review deleted", "assignment changed"],
)  # fmt: skip
def test_the_database_freezes_what_was_said(chamber: Chamber, change: str) -> None:
    chamber.opine(chamber.reviewed(), chamber.members[0])
    with pytest.raises(DatabaseError), as_owner(chamber.world) as connection:
        connection.execute(change.encode())


@pytest.mark.parametrize("column", ["scores", "comment"])
def test_the_webs_login_reads_scores_through_the_one_function_alone(
    world: World, column: str
) -> None:
    query = text(f"SELECT {column} FROM opinion")  # noqa: S608
    with (
        Session(world.engines["api"]) as session,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        session.execute(query)
