"""Who judges where recusals leave too few, who confirms, who decides an appeal; other motions."""

from __future__ import annotations

import pytest

from tests.support.appeals import (
    FLOOR,
    Appealed,
    appealed_from,
    below_the_floor,
    drawn_plenary,
    found_infeasible,
)
from tests.support.hostile import no_trace
from tests.support.judgments import Court
from tests.support.proposals import refused
from tests.support.world import World

# fallback, reserves


def test_below_the_floor_the_fallback_body_judges_and_what_was_voted_before_is_moot(
    world: World,
) -> None:
    court = Court(world, members=3, quorum=FLOOR, fallback="plenary")
    plenary, people = court.body_of("plenary", 4)
    proposal = court.reviewed()
    court.votes(proposal, no=2)
    court.step_aside(proposal, court.members[2])
    with no_trace(world):
        assert refused(court.vote(proposal, court.members[1])) == (403, "not-allowed")
    court.votes(proposal, people, yes=3)
    judgment = court.closed(proposal, people[0])
    assert (judgment["committee_id"], judgment["entitled"], judgment["no"]) == (plenary, 4, 0)
    assert court.state(proposal) == "approved"
    assert [each["state"] for each in court.judgments(proposal)] == ["closed"]


def test_a_quorum_that_recusals_make_impossible_is_named_with_who_can_help(world: World) -> None:
    court = Court(world, members=3, quorum=FLOOR, fallback="plenary")
    _, [only] = court.body_of("plenary", 1)
    proposal = court.reviewed()
    court.step_aside(proposal, court.members[2])
    with no_trace(world):
        answer = court.vote(proposal, only)
        assert refused(answer) == (409, "quorum-not-reached")
        facts = answer.get_json()
    assert [each["missing"] for each in facts["bodies"]] == [1, 2]
    assert facts["bodies"][0]["recused"] == [court.seat_of(court.members[2])]
    assert facts["reserves_who_can_help"] == []


def test_reserves_are_sworn_in_for_the_item_in_their_order_and_vote_on_it_alone(
    world: World,
) -> None:
    court = Court(world, members=2, quorum=FLOOR, fallback="plenary")
    plenary, people = drawn_plenary(court)
    proposal = court.reviewed()
    called = court.send("POST", f"proposals/{proposal['id']}/judges", court.officer)
    assert called.status_code == 200, called.get_data(as_text=True)
    bench = called.get_json()
    shown = court.send("GET", f"committees/{plenary}", None).get_json()
    [seat] = [each for each in shown["seats"] if each["kind"] == "reserve"]
    assert bench["sworn_in"] == [seat["id"]]
    assert seat["pseudonym"] == shown["reserves"][0]["pseudonym"]
    assert seat["has_vote"] is False
    able = [who for who in people if court.vote(proposal, who).status_code == 200]
    assert len(able) == 3
    in_chair = {court.seat_of(who, plenary): who for who in able}[bench["chair"]]
    judgment = court.closed(proposal, in_chair)
    assert (judgment["entitled"], judgment["yes"], judgment["sworn_in"]) == (3, 3, [seat["id"]])


def test_a_reserve_who_leaves_what_they_were_sworn_in_for_waits_no_longer(world: World) -> None:
    """Else they would be sworn in again with the next item, or move up at once."""
    court, proposal, reserve = below_the_floor(world)
    path = f"committees/{court.committee}/seats/me"
    assert court.send("DELETE", path, reserve).status_code == 204
    called = court.send("POST", f"proposals/{proposal['id']}/judges", court.officer)
    assert called.status_code == 200, called.get_data(as_text=True)
    assert court.vote(proposal, reserve).status_code == 403
    states = [state for (state,) in world.rows("SELECT state FROM committee_reserve ORDER BY 1")]
    assert states == ["declined", "waiting"]
    with no_trace(world):
        assert refused(court.send("DELETE", path, reserve)) == (404, "not-found")


def test_a_reserve_who_moves_up_later_has_one_seat(world: World) -> None:
    court = Court(world, members=2, quorum=FLOOR, fallback="plenary")
    plenary, people = drawn_plenary(court)
    proposal = court.reviewed()
    court.send("POST", f"proposals/{proposal['id']}/judges", court.officer)
    leaving = [who for who in people if court.send(
        "DELETE", f"committees/{plenary}/seats/me", who).status_code == 204]  # fmt: skip
    assert leaving
    seats = court.send("GET", f"committees/{plenary}", None).get_json()["seats"]
    names = [each["pseudonym"] for each in seats if each["state"] == "filled"]
    assert len(names) == len(set(names))


# confirmation


def test_what_the_body_approves_another_confirms_and_scores_are_public_before(
    world: World,
) -> None:
    court = Court(world, confirm="plenary")
    plenary, people = court.body_of("plenary", 5)
    proposal = court.reviewed()
    assert court.opine(proposal, court.members[0]).status_code == 200
    court.votes(proposal, yes=3)
    assert court.closed(proposal)["motion"] == "approve"
    assert court.state(proposal) == "under_review"
    assert len(court.read(proposal)) == 1
    with no_trace(world):
        assert refused(court.vote(proposal, court.members[0])) == (403, "not-allowed")
    court.votes(proposal, people, yes=3)
    judgment = court.closed(proposal, people[0])
    assert (judgment["motion"], judgment["committee_id"]) == ("confirm", plenary)
    assert court.state(proposal) == "approved"


def test_what_is_not_confirmed_is_rejected_and_what_the_body_rejects_needs_no_other(
    world: World,
) -> None:
    court = Court(world, confirm="plenary")
    _, people = court.body_of("plenary", 5)
    one, other = court.reviewed(), court.reviewed()
    court.votes(one, yes=3)
    court.closed(one)
    court.votes(one, people, no=3)
    court.closed(one, people[0])
    court.votes(other, no=3)
    court.closed(other)
    assert (court.state(one), court.state(other)) == ("rejected", "rejected")


def test_an_approval_that_is_annulled_while_it_waits_for_confirmation_is_judged_anew(
    world: World,
) -> None:
    court = Court(world, confirm="plenary", quorum=FLOOR)
    _, people = court.body_of("plenary", 5)
    proposal = court.reviewed()
    court.votes(proposal, yes=3)
    court.closed(proposal)
    court.votes(proposal, people, yes=2)
    for who in court.members[:2]:  # of three one vote is left, which is no quorum
        court.step_aside(proposal, who)
    assert court.state(proposal) == "under_review"
    with no_trace(world):
        assert refused(court.vote(proposal, people[2])) == (403, "not-allowed")
    court.votes(proposal, court.members[2:], yes=2)
    assert court.closed(proposal, court.members[2])["motion"] == "approve"


def test_a_plenary_that_judged_as_fallback_confirms_nothing_again(world: World) -> None:
    court = Court(world, members=2, quorum=FLOOR, fallback="plenary", confirm="plenary")
    _, people = court.body_of("plenary", 3)
    proposal = court.reviewed()
    court.votes(proposal, people, yes=3)
    court.closed(proposal, people[0])
    assert court.state(proposal) == "approved"


# other motions


def test_a_return_says_what_is_missing_and_goes_back_to_its_authors(world: World) -> None:
    court = Court(world)
    proposal = court.reviewed()
    moved = court.move(proposal, court.members[1], "return", missing="견적서")
    assert (moved.status_code, moved.get_json()["motion"]) == (200, "return")
    court.votes(proposal, yes=3)
    assert court.closed(proposal)["carried"] is True
    shown = court.get(proposal)
    assert (shown["state"], shown["returned"]["missing"]) == ("returned", {"ko": "견적서"})


def test_a_return_that_is_not_carried_leaves_the_proposal_to_be_judged(world: World) -> None:
    court = Court(world)
    proposal = court.reviewed()
    court.move(proposal, court.members[1], "return", missing="견적서")
    court.votes(proposal, no=3)
    court.closed(proposal)
    assert court.state(proposal) == "under_review"
    court.votes(proposal, yes=3)
    assert court.closed(proposal)["motion"] == "approve"
    assert court.state(proposal) == "approved"


def test_a_return_is_moved_and_taken_back_while_nobody_has_voted(world: World) -> None:
    court = Court(world)
    proposal = court.reviewed()
    court.move(proposal, court.members[1], "return", missing="견적서")
    assert court.move(proposal, court.members[2], "approve").get_json()["motion"] == "approve"
    court.votes(proposal, yes=3)
    court.closed(proposal)
    assert court.state(proposal) == "approved"


def test_a_motion_does_not_change_once_there_are_votes_and_is_a_members(world: World) -> None:
    court = Court(world)
    proposal, stranger = court.reviewed(), court.author()
    with no_trace(world):
        answer = court.move(proposal, stranger, "return", missing="견적서")
        assert refused(answer) == (403, "not-allowed")
        for wrong in ({"motion": "return"}, {"motion": "approve", "missing": "견적서"}):
            path = f"proposals/{proposal['id']}/motion"
            answer = court.send("PUT", path, court.members[0], wrong)
            assert refused(answer) == (422, "invalid-request")
    court.votes(proposal, yes=1)
    with no_trace(world):
        answer = court.move(proposal, court.members[0], "return", missing="견적서")
        assert refused(answer) == (409, "voting-began")


def test_the_committee_takes_up_what_officers_found_infeasible(world: World) -> None:
    court = Court(world)
    rejected = found_infeasible(court)
    with no_trace(world):
        assert refused(court.vote(rejected, court.members[0])) == (409, "impossible-transition")
    assert court.move(rejected, court.members[1], "call_up").status_code == 200
    court.votes(rejected, yes=3)
    court.closed(rejected)
    assert court.state(rejected) == "under_review"
    court.votes(rejected, yes=3)
    court.closed(rejected)
    assert court.state(rejected) == "approved"


def test_what_is_not_taken_up_stays_rejected(world: World) -> None:
    court = Court(world)
    proposal = found_infeasible(court)
    court.move(proposal, court.members[1], "call_up")
    court.votes(proposal, no=3)
    court.closed(proposal)
    assert court.state(proposal) == "rejected"


# appeals


@pytest.fixture
def appealed(world: World) -> Appealed:
    """A rejection before the body for appeals, two of whom voted on it before."""
    return appealed_from(world)


def test_an_appeal_is_decided_by_people_who_took_no_part(appealed: Appealed) -> None:
    court, proposal, people = appealed
    with no_trace(court.world):
        for who in court.members[:3]:
            assert court.vote(proposal, who).status_code == 403
    court.votes(proposal, people, yes=2)
    judgment = court.closed(proposal, people[0])
    assert (judgment["motion"], judgment["entitled"]) == ("appeal", 3)
    assert court.state(proposal) == "under_review"
    court.votes(proposal, people, yes=2)
    assert court.closed(proposal, people[0])["motion"] == "approve"
    assert court.state(proposal) == "approved"


def test_an_appeal_that_is_dismissed_ends_the_matter_even_when_the_review_is_over(
    appealed: Appealed,
) -> None:
    court, proposal, people = appealed
    court.enter("balloting")
    court.votes(proposal, people, no=2)
    court.closed(proposal, people[0])
    assert (court.state(proposal), court.get(proposal)["due_at"]) == ("rejected", None)
