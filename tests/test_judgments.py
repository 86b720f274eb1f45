"""Judgment by recorded vote: quorum, majority, who votes, who closes, what is public, and when."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.errors import Error as DatabaseError

from tests.support.hostile import no_trace
from tests.support.judgments import WHY, Court
from tests.support.proposals import as_owner, refused
from tests.support.world import World


@pytest.fixture
def court(world: World) -> Court:
    """Five members, one in the chair."""
    return Court(world)


# the count


def test_nine_of_seventeen_are_a_quorum_and_four_yes_reject_the_proposal(world: World) -> None:
    court = Court(world, members=17)
    proposal = court.reviewed()
    court.votes(proposal, yes=4, no=4, abstain=1)
    judgment = court.closed(proposal)
    assert (judgment["entitled"], judgment["present"], judgment["yes"]) == (17, 9, 4)
    assert (judgment["quorate"], judgment["carried"]) == (True, False)
    now = court.get(proposal)
    assert now["state"] == "rejected"
    assert now["due_at"] is not None  # until when its author may appeal


def test_more_than_half_of_those_present_approve_it(court: Court) -> None:
    proposal = court.reviewed()
    court.votes(proposal, yes=2, no=1)
    assert court.closed(proposal)["carried"] is True
    assert court.state(proposal) == "approved"


def test_a_tie_is_not_carried(court: Court) -> None:
    proposal = court.reviewed()
    court.votes(proposal, yes=2, no=2)
    assert court.closed(proposal)["carried"] is False
    assert court.state(proposal) == "rejected"


def test_without_a_quorum_nothing_is_decided_and_who_may_still_vote_is_named(
    court: Court,
) -> None:
    proposal = court.reviewed()
    court.votes(proposal, yes=2)
    with no_trace(court.world):
        answer = court.close(proposal)
        assert refused(answer) == (409, "quorum-not-reached")
        facts = answer.get_json()
        assert (facts["entitled"], facts["present"], facts["needed"]) == (5, 2, 3)
        assert [each["number"] for each in facts["not_voted"]] == [3, 4, 5]
    court.votes(proposal, yes=3)
    assert court.closed(proposal)["carried"] is True


def test_a_vote_may_be_changed_until_the_judgment_is_closed(court: Court) -> None:
    proposal = court.reviewed()
    court.votes(proposal, no=3)
    court.votes(proposal, yes=2)
    assert (court.closed(proposal)["yes"], court.judgments(proposal)[0]["no"]) == (2, 1)
    with no_trace(court.world):
        late = court.vote(proposal, court.members[0])
        assert refused(late) == (409, "impossible-transition")
        again = court.close(proposal)
        assert refused(again) == (409, "impossible-transition")


# what is public


def test_votes_and_reasons_are_nobodys_to_read_before_the_judgment_and_everybodys_after(
    court: Court,
) -> None:
    proposal, member = court.reviewed(), court.members[0]
    own = court.vote(proposal, member, "no").get_json()
    assert (own["vote"], own["reason"]) == ("no", WHY)
    court.votes(proposal, court.members[1:], yes=3)
    [open_one] = court.judgments(proposal)
    assert (open_one["state"], open_one["votes"], open_one["yes"]) == ("open", [], None)
    court.closed(proposal)
    [judgment] = court.judgments(proposal)
    by_seat = {each["number"]: (each["vote"], each["reason"]) for each in judgment["votes"]}
    assert by_seat == {1: ("no", WHY), **dict.fromkeys((2, 3, 4), ("yes", WHY))}
    assert all(each["counts"] for each in judgment["votes"])


def test_members_take_their_own_votes_away_and_nobody_elses(court: Court) -> None:
    proposal, member = court.reviewed(), court.members[0]
    court.votes(proposal, yes=2)
    taken = court.send("GET", "me/export", member).get_json()
    [vote] = taken["judgment_votes"]
    assert (vote["proposal_id"], vote["vote"], vote["reason"]) == (proposal["id"], "yes", WHY)
    assert (taken["shortlist_votes"], taken["preferences"]) == ([], [])


def test_the_journal_says_that_a_seat_voted_and_not_how(court: Court) -> None:
    proposal = court.reviewed()
    court.vote(proposal, court.members[0], "no")
    [(facts,)] = court.world.rows("SELECT facts::text FROM journal WHERE kind = 'judgment:voted'")
    assert '"no"' not in facts


def test_scores_by_seat_are_public_with_the_judgment(court: Court) -> None:
    proposal, member = court.reviewed(), court.members[0]
    assert court.opine(proposal, member).status_code == 200
    assert court.read(proposal) == []
    court.votes(proposal, yes=3)
    court.closed(proposal)
    assert court.read(proposal) == [(court.seat_of(member), 1)]


# who votes and who closes


def test_only_a_seat_with_a_vote_votes(court: Court) -> None:
    proposal, expert = court.reviewed(), court.author()
    body = {"citizen_id": str(expert.id), "kind": "expert"}
    court.send("POST", f"committees/{court.committee}/seats", court.officer, body)
    with no_trace(court.world):
        for who in (expert, court.officer):
            assert refused(court.vote(proposal, who)) == (403, "not-allowed")
        assert refused(court.vote(proposal, court.members[0], "maybe")) == (422, "invalid-request")


def test_whoever_is_recused_neither_votes_nor_counts(court: Court) -> None:
    proposal, recused = court.reviewed(), court.members[4]
    court.seated()
    court.step_aside(proposal, recused)
    with no_trace(court.world):
        assert refused(court.vote(proposal, recused)) == (403, "recused")
    court.votes(proposal, yes=3)
    assert court.closed(proposal)["entitled"] == 5


def test_an_interest_that_comes_up_with_the_vote_is_written_down_and_the_vote_refused(
    court: Court,
) -> None:
    proposal, member = court.reviewed(), court.members[1]
    court.seated()
    path = f"proposals/{proposal['id']}/support"
    assert court.send("PUT", path, member).status_code in (200, 204)
    assert refused(court.vote(proposal, member)) == (403, "recused")
    assert court.recusals(proposal)[court.seat_of(member)][0] == "supporter"


def test_the_chair_closes_and_where_the_chair_is_recused_the_lowest_number_does(
    court: Court,
) -> None:
    proposal, other = court.reviewed(), court.reviewed()
    court.seated()
    for each in (proposal, other):
        court.votes(each, court.members[1:], yes=4)
    with no_trace(court.world):
        for who in (court.members[1], court.officer):
            assert refused(court.close(proposal, who)) == (403, "not-allowed")
    court.closed(proposal)
    court.step_aside(other, court.members[0])
    assert refused(court.close(other)) == (403, "not-allowed")
    assert court.closed(other, court.members[1])["carried"] is True


def test_a_vote_of_a_member_who_has_left_does_not_count(court: Court) -> None:
    proposal = court.reviewed()
    court.seated()
    court.votes(proposal, yes=2, no=3)
    leaving = f"committees/{court.committee}/seats/me"
    for who in court.members[3:]:
        assert court.send("DELETE", leaving, who).status_code == 204
    court.seated()
    judgment = court.closed(proposal)
    assert (judgment["entitled"], judgment["yes"], judgment["no"]) == (5, 2, 1)
    assert [each["counts"] for each in judgment["votes"]] == [True, True, True, False, False]


# when


def test_what_the_review_left_open_is_judged_in_balloting_but_nothing_begins_anew(
    court: Court,
) -> None:
    proposal = court.reviewed()
    court.enter("balloting")
    with no_trace(court.world):
        answer = court.move(proposal, court.members[0], "return", missing="?")
        assert refused(answer) == (409, "phase-not-open")
    for member in court.members[:3]:
        assert court.vote(proposal, member).status_code == 200
    assert court.close(proposal).status_code == 200
    assert court.state(proposal) == "approved"


def test_a_vote_on_sending_it_back_ends_with_the_review(court: Court) -> None:
    """Else the proposal were under review for ever, and no poll of its contest opened."""
    proposal = court.reviewed()
    court.move(proposal, court.members[0], "return", missing="?")
    court.votes(proposal, yes=4)
    court.enter("balloting")
    with no_trace(court.world):  # what was said of another motion approves nothing
        assert refused(court.close(proposal)) == (409, "quorum-not-reached")
    court.votes(proposal, yes=3)
    judgment = court.closed(proposal)
    assert (judgment["motion"], judgment["yes"]) == ("approve", 3)
    assert court.state(proposal) == "approved"


@pytest.mark.parametrize("phase", ["proposing", "deciding"])
def test_judging_has_its_phase(court: Court, phase: Any) -> None:
    proposal = court.reviewed()
    court.enter(phase)
    with no_trace(court.world):
        assert refused(court.vote(proposal, court.members[0])) == (409, "phase-not-open")
        assert refused(court.close(proposal)) == (409, "phase-not-open")


@pytest.mark.parametrize("state", ["assessed", "approved", "withdrawn", "on_ballot", "returned"])
def test_only_what_is_under_review_is_judged(court: Court, state: str) -> None:
    proposal = court.reviewed()
    court.put_in(proposal, state)
    with no_trace(court.world):
        assert refused(court.vote(proposal, court.members[0])) == (409, "impossible-transition")


def test_so_many_opinions_as_the_cycle_wants_come_before_the_judgment(world: World) -> None:
    court = Court(world, opinions_min=2)
    proposal = court.reviewed()
    court.votes(proposal, yes=3)
    for member in court.members[:2]:
        with no_trace(court.world):
            answer = court.close(proposal)
            facts = answer.get_json()
            assert refused(answer) == (409, "opinions-missing")
            assert (facts["needed"], "given" in facts) == (2, False)  # how many are in is secret
        assert court.opine(proposal, member).status_code == 200
    assert court.closed(proposal)["carried"] is True


# what the database keeps


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE judgment SET yes = 5, no = 0",
        "UPDATE judgment SET state = 'open'",
        "UPDATE judgment_vote SET vote = 'yes'",
        "DELETE FROM judgment_vote",
        "DELETE FROM judgment",
        "UPDATE proposal SET state = 'under_review'",
    ],
)
def test_what_was_judged_never_changes(court: Court, change: str) -> None:
    proposal = court.reviewed()
    court.votes(proposal, yes=1, no=3)
    court.closed(proposal)
    with pytest.raises(DatabaseError), as_owner(court.world) as connection:
        connection.execute(change)


@pytest.mark.parametrize("state", ["approved", "rejected", "returned"])
def test_no_login_moves_a_proposal_without_a_judgment(court: Court, state: str) -> None:
    court.reviewed()
    with (
        pytest.raises(DatabaseError, match="where its judgment leads"),
        as_owner(court.world) as connection,
    ):
        connection.execute("UPDATE proposal SET state = %s, due_at = now()", [state])


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("yes = 2", "yes = 3"),
        ("no = 0", "no = 1"),
        ("array_agg(id)", "array_agg(id) || gen_random_uuid()"),
    ],
    ids=["more", "other", "stranger"],
)
def test_the_database_counts_the_recorded_votes_itself(
    court: Court, right: str, wrong: str
) -> None:
    proposal = court.reviewed()
    court.votes(proposal, yes=2)
    close = (
        "UPDATE judgment SET state = 'closed', closed_at = now(), carried = true, yes = 2, no = 0,"
        " abstain = 0, closed_by = (SELECT id FROM seat LIMIT 1),"
        " roll = (SELECT array_agg(id) FROM seat)"
    )
    with pytest.raises(DatabaseError, match="recorded votes"), as_owner(court.world) as connection:
        connection.execute(close.replace(right, wrong))
