"""A recusal found after the judgment annuls that vote, and what was judged is counted again."""

from __future__ import annotations

import random
from typing import Any

import pytest
from psycopg.errors import Error as DatabaseError

from mvote.budget.judging import Ballots, Majority, Vote, judge
from tests.support.judgments import Court
from tests.support.proposals import as_owner, refused
from tests.support.world import World

FLOOR = {"more_than": "1/2", "floor": 2}
RULE = Majority.of(quorum=FLOOR, carried={"more_than": "1/2"})


@pytest.fixture
def court(world: World) -> Court:
    """Five members; two must be left."""
    return Court(world, quorum=FLOOR)


def judged(court: Court, **counts: int) -> dict[str, Any]:
    proposal = court.reviewed()
    court.votes(proposal, (), **counts)
    court.closed(proposal)
    return proposal


def recounted(court: Court, proposal: dict[str, Any]) -> list[tuple[int, int, int, bool]]:
    [judgment] = court.judgments(proposal)
    return [(each["entitled"], each["yes"], each["no"], each["carried"])
            for each in judgment["recounts"]]  # fmt: skip


def test_an_approval_that_rested_on_a_recused_vote_is_a_rejection_that_may_be_appealed(
    court: Court,
) -> None:
    proposal = judged(court, yes=2, no=1)
    assert court.state(proposal) == "approved"
    assert court.step_aside(proposal, court.members[0]).status_code == 201
    assert recounted(court, proposal) == [(4, 1, 1, False)]
    # two of four are no quorum: it is judged anew
    assert court.state(proposal) == "under_review"
    [judgment] = court.judgments(proposal)
    assert [each["counts"] for each in judgment["votes"]] == [False, True, True]
    court.votes(proposal, court.members[1:], yes=3)
    court.closed(proposal, court.members[1])
    assert court.state(proposal) == "approved"


def test_with_a_quorum_left_the_new_count_decides_at_once(court: Court) -> None:
    proposal = judged(court, yes=3, no=2)
    court.step_aside(proposal, court.members[0])
    assert recounted(court, proposal) == [(4, 2, 2, False)]
    shown = court.get(proposal)
    assert (shown["state"], shown["due_at"] is not None) == ("rejected", True)


def test_a_rejection_by_votes_that_do_not_count_is_an_approval(court: Court) -> None:
    proposal = judged(court, yes=2, no=2)
    assert court.state(proposal) == "rejected"
    court.step_aside(proposal, court.members[3])
    assert recounted(court, proposal) == [(4, 2, 1, True)]
    assert court.state(proposal) == "approved"


def test_a_recount_with_the_same_outcome_is_public_and_moves_nothing(court: Court) -> None:
    proposal = judged(court, yes=4, no=1)
    court.step_aside(proposal, court.members[0])
    court.step_aside(proposal, court.members[0])  # once is enough
    assert recounted(court, proposal) == [(4, 3, 1, True)]
    assert court.state(proposal) == "approved"


def test_a_member_who_did_not_vote_leaves_a_smaller_quorum(court: Court) -> None:
    proposal = judged(court, yes=3)
    court.step_aside(proposal, court.members[4])
    assert recounted(court, proposal) == [(4, 3, 0, True)]


def test_what_is_on_the_ballot_stays_there_and_the_recount_is_public(court: Court) -> None:
    proposal = judged(court, yes=3, no=2)
    court.put_in(proposal, "on_ballot")
    court.step_aside(proposal, court.members[0])
    assert recounted(court, proposal) == [(4, 2, 2, False)]
    assert court.state(proposal) == "on_ballot"


def test_an_interest_that_is_detected_later_recounts_as_well(court: Court) -> None:
    proposal = judged(court, yes=3, no=2)
    answer = court.send("PUT", f"proposals/{proposal['id']}/support", court.members[0])
    assert answer.status_code in (200, 204)
    assert recounted(court, proposal) == [(4, 2, 2, False)]
    assert court.state(proposal) == "rejected"


@pytest.mark.parametrize(
    "change", ["UPDATE judgment_recount SET yes = 0", "DELETE FROM judgment_recount"]
)
def test_a_recount_never_changes(court: Court, change: str) -> None:
    court.step_aside(judged(court, yes=4, no=1), court.members[0])
    with pytest.raises(DatabaseError), as_owner(court.world) as connection:
        connection.execute(change)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_comes_in_whatever_order_the_count_is_that_of_the_rule(
    court: Court, seed: int
) -> None:
    """Random votes, changes of mind and recusals, before and after closing, beside a model."""
    dice, proposal = random.Random(seed), court.reviewed()
    seats = {who: court.seat_of(who) for who in court.members}
    votes: dict[str, Vote] = {}
    recused: set[str] = set()
    for _ in range(10):
        who = dice.choice(court.members)
        if dice.random() < 0.15 and len(recused) < 2:
            assert court.step_aside(proposal, who).status_code == 201
            recused.add(seats[who])
            continue
        vote: Vote = dice.choice(["yes", "yes", "no", "abstain"])
        answer = court.vote(proposal, who, vote)
        if seats[who] in recused:
            assert refused(answer) == (403, "recused")
        else:
            votes[seats[who]] = vote
    in_chair = next(who for who in court.members if seats[who] not in recused)
    answer = court.close(proposal, in_chair)
    before = Ballots(
        filled=frozenset(seats.values()), recused=frozenset(recused), votes=dict(votes)
    )
    expected = judge(before, RULE)
    if not expected.quorate:
        assert refused(answer) == (409, "quorum-not-reached")
        return
    said = answer.get_json()
    assert (said["entitled"], said["yes"], said["no"], said["abstain"], said["carried"]) == (
        expected.entitled, expected.yes, expected.no, expected.abstain, expected.carried,
    )  # fmt: skip
    late = next(who for who in reversed(court.members) if seats[who] not in recused)
    court.step_aside(proposal, late)
    after = judge(before.recusing(seats[late]), RULE)
    assert recounted(court, proposal) == [(after.entitled, after.yes, after.no, after.carried)]
    leads = "approved" if after.carried else "rejected"
    assert court.state(proposal) == (leads if after.quorate else "under_review")
