"""Ranked lists in one recorded vote: what they approve, what members pull out, what recusals do."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.errors import Error as DatabaseError

from tests.support.hostile import no_trace
from tests.support.judgments import Court
from tests.support.proposals import as_owner, refused
from tests.support.world import Person, World

LISTS: dict[str, Any] = {"decide": {"mode": "shortlist", "max_projects": 2}}


@pytest.fixture
def court(world: World) -> Court:
    """Five members who decide by lists of two."""
    return Court(world, quorum={"more_than": "1/2", "floor": 2}, **LISTS)


def put(
    court: Court, ranked: list[dict[str, Any]], not_chosen: list[dict[str, Any]] | None = None,
    who: Person | None = None, committee: str | None = None,
) -> Any:  # fmt: skip
    body = {"ranked": [each["id"] for each in ranked],
            "not_chosen": [each["id"] for each in not_chosen or ()]}  # fmt: skip
    path = f"committees/{committee or court.committee}/shortlists"
    return court.send("POST", path, who or court.members[0], body)


def listed(court: Court, *ranked: dict[str, Any], **more: Any) -> str:
    """The id of the list."""
    answer = put(court, list(ranked), **more)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["id"])


def vote(court: Court, shortlist: str, who: Person, how: str = "yes") -> Any:
    return court.send("PUT", f"shortlists/{shortlist}/vote", who, {"vote": how, "reason": "검토"})


def pull(court: Court, shortlist: str, who: Person, proposal: dict[str, Any]) -> Any:
    path = f"shortlists/{shortlist}/pull-outs"
    return court.send("POST", path, who, {"proposal_id": proposal["id"]})


def close(court: Court, shortlist: str, who: Person | None = None) -> Any:
    return court.send("POST", f"shortlists/{shortlist}/judgment", who or court.members[0])


def decided(court: Court, shortlist: str, *how: str) -> dict[str, Any]:
    """The list, closed after members voted like this."""
    for who, each in zip(court.members, how, strict=False):
        answer = vote(court, shortlist, who, each)
        assert answer.status_code == 200, answer.get_data(as_text=True)
    answer = close(court, shortlist)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.get_json())


def states(court: Court, *proposals: dict[str, Any]) -> list[str]:
    return [court.state(each) for each in proposals]


def test_one_vote_approves_what_is_ranked_and_rejects_what_was_not_chosen(court: Court) -> None:
    first, second, third = (court.reviewed() for _ in range(3))
    shortlist = listed(court, first, second, not_chosen=[third])
    assert decided(court, shortlist, "yes", "yes", "yes", "no")["carried"] is True
    assert states(court, first, second, third) == ["approved", "approved", "rejected"]
    [judgment] = court.judgments(first)
    assert (judgment["shortlist_id"], judgment["yes"], judgment["no"]) == (shortlist, 3, 1)
    assert [each["vote"] for each in judgment["votes"]] == ["yes", "yes", "yes", "no"]
    assert court.judgments(third)[0]["motion"] == "reject"


def test_whatever_a_member_pulls_out_is_judged_alone(court: Court) -> None:
    first, second = court.reviewed(), court.reviewed()
    shortlist = listed(court, first, second)
    with no_trace(court.world):
        early = court.vote(second, court.members[1])
        assert refused(early) == (409, "on-shortlist")
        assert early.get_json()["shortlist_id"] == shortlist
    assert pull(court, shortlist, court.members[1], second).status_code == 200
    assert court.vote(second, court.members[1], "no").status_code == 200
    decided(court, shortlist, "yes", "yes", "yes")
    assert states(court, first, second) == ["approved", "under_review"]
    court.votes(second, no=3)
    court.closed(second)
    assert court.state(second) == "rejected"


def test_a_list_that_is_not_carried_decides_nothing(court: Court) -> None:
    first, second = court.reviewed(), court.reviewed()
    shortlist = listed(court, first, not_chosen=[second])
    assert decided(court, shortlist, "yes", "no", "no")["carried"] is False
    assert states(court, first, second) == ["under_review", "under_review"]
    again = listed(court, second, not_chosen=[first])
    decided(court, again, "yes", "yes", "yes")
    assert states(court, first, second) == ["rejected", "approved"]


def test_a_vote_on_the_list_counts_for_no_project_that_its_member_is_recused_from(
    court: Court,
) -> None:
    first, second = court.reviewed(), court.reviewed()
    court.step_aside(second, court.members[0])
    shortlist = listed(court, first, second)
    assert decided(court, shortlist, "yes", "yes", "yes", "no", "no")["carried"] is True
    # of the second, two of four said yes: the list does not approve it, it is judged alone
    assert states(court, first, second) == ["approved", "under_review"]


def test_a_recusal_found_later_recounts_each_project_of_the_list(court: Court) -> None:
    first, second = court.reviewed(), court.reviewed()
    decided(court, listed(court, first, second), "yes", "yes", "yes", "no", "no")
    court.step_aside(first, court.members[0])
    assert states(court, first, second) == ["rejected", "approved"]
    assert court.judgments(first)[0]["recounts"][0]["carried"] is False


def test_without_a_quorum_the_list_stays_open(court: Court) -> None:
    shortlist = listed(court, court.reviewed())
    vote(court, shortlist, court.members[0])
    with no_trace(court.world):
        answer = close(court, shortlist)
        assert refused(answer) == (409, "quorum-not-reached")
        assert answer.get_json()["needed"] == 3


def test_a_list_is_put_and_closed_from_the_chair_and_voted_on_by_members(court: Court) -> None:
    proposal = court.reviewed()
    stranger = court.author()
    with no_trace(court.world):
        for who in (court.members[1], stranger, court.officer):
            assert refused(put(court, [proposal], who=who)) == (403, "not-allowed")
    shortlist = listed(court, proposal)
    with no_trace(court.world):
        assert refused(vote(court, shortlist, stranger)) == (403, "not-allowed")
        assert refused(pull(court, shortlist, stranger, proposal)) == (403, "not-allowed")
        assert refused(close(court, shortlist, court.members[1])) == (403, "not-allowed")


def test_a_list_names_what_the_committee_judges_now_each_once_and_not_too_many(
    court: Court,
) -> None:
    proposals = [court.reviewed() for _ in range(3)]
    court.enter("proposing")
    submitted = court.submitted(court.author(), heading="f1")
    court.enter("reviewing")
    with no_trace(court.world):
        for wrong in (proposals, [proposals[0], proposals[0]], [submitted]):
            assert refused(put(court, wrong)) == (422, "invalid-request")
        both = put(court, proposals[:1], proposals[:1])
        assert refused(both) == (422, "invalid-request")


def test_another_list_takes_its_place_until_somebody_has_voted(court: Court) -> None:
    first, second = court.reviewed(), court.reviewed()
    old = listed(court, first)
    new = listed(court, second)
    path = f"committees/{court.committee}/shortlists"
    shown = court.send("GET", path, None).get_json()["items"]
    assert [(each["id"], each["state"]) for each in shown] == [(old, "abandoned"), (new, "open")]
    with no_trace(court.world):
        assert refused(vote(court, old, court.members[0])) == (409, "impossible-transition")
    vote(court, new, court.members[1])
    with no_trace(court.world):
        assert refused(put(court, [first])) == (409, "voting-began")


def test_nobody_pulls_out_what_is_not_on_the_list_or_what_they_are_recused_from(
    court: Court,
) -> None:
    proposal, other = court.reviewed(), court.reviewed()
    court.step_aside(proposal, court.members[1])
    shortlist = listed(court, proposal)
    with no_trace(court.world):
        assert refused(pull(court, shortlist, court.members[1], proposal)) == (403, "recused")
        assert refused(pull(court, shortlist, court.members[2], other)) == (422, "invalid-request")


def test_where_each_project_is_judged_there_is_no_list(world: World) -> None:
    court = Court(world, decide={"mode": "each"})
    proposal = court.reviewed()
    with no_trace(world):
        assert refused(put(court, [proposal])) == (409, "impossible-transition")


def test_the_plenary_confirms_by_a_list_from_which_any_member_may_pull(world: World) -> None:
    floor = {"more_than": "1/2", "floor": 2}
    court = Court(world, confirm="plenary", quorum=floor, **LISTS)
    plenary, people = court.body_of("plenary", 3)
    proposals = [court.reviewed() for _ in range(2)]
    decided(court, listed(court, *proposals), "yes", "yes", "yes")
    assert states(court, *proposals) == ["under_review", "under_review"]
    answer = put(court, proposals, who=people[0], committee=plenary)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    shortlist = answer.get_json()
    assert shortlist["motion"] == "confirm"
    assert pull(court, shortlist["id"], people[2], proposals[1]).status_code == 200
    for who in people:
        vote(court, shortlist["id"], who)
    assert close(court, shortlist["id"], people[0]).status_code == 200
    assert states(court, *proposals) == ["approved", "under_review"]
    court.votes(proposals[1], people, no=2)
    assert court.closed(proposals[1], people[0])["motion"] == "confirm"
    assert court.state(proposals[1]) == "rejected"


def test_opinions_come_before_a_list_is_decided(world: World) -> None:
    court = Court(world, opinions_min=1, **LISTS)
    proposal = court.reviewed()
    shortlist = listed(court, proposal)
    for who in court.members[:3]:
        vote(court, shortlist, who)
    with no_trace(world):
        answer = close(court, shortlist)
        assert refused(answer) == (409, "opinions-missing")
        assert answer.get_json()["proposal_id"] == proposal["id"]
    court.opine(proposal, court.members[0])
    assert close(court, shortlist).status_code == 200
    assert court.state(proposal) == "approved"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE shortlist SET ranked = not_chosen",
        "DELETE FROM shortlist",
        "UPDATE shortlist_vote SET vote = 'no'",
        "DELETE FROM shortlist_pulled_out",
        (
            "INSERT INTO shortlist_pulled_out SELECT id, ranked[1], proposed_by, NULL, now()"
            " FROM shortlist"
        ),
    ],
)
def test_what_was_decided_by_a_list_never_changes(court: Court, change: str) -> None:
    first, second = court.reviewed(), court.reviewed()
    shortlist = listed(court, first, second)
    pull(court, shortlist, court.members[1], second)
    decided(court, shortlist, "yes", "yes", "yes")
    with pytest.raises(DatabaseError), as_owner(court.world) as connection:
        connection.execute(change)
