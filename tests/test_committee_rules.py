"""What a committee may not do: judge twice, approve too many, spend too much, lose count."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.errors import Error as DatabaseError

from tests.support.appeals import found_infeasible, taken_up
from tests.support.hostile import no_trace
from tests.support.judgments import Court
from tests.support.proposals import as_owner, refused
from tests.support.world import World


@pytest.fixture
def court(world: World) -> Court:
    """Five members, one in the chair."""
    return Court(world)


# taking up, sending back


def test_what_a_committee_rejected_itself_is_not_taken_up_again_but_appealed(court: Court) -> None:
    proposal, called_up = court.reviewed(), taken_up(court)
    for each in (proposal, called_up):
        court.votes(each, no=3)
        court.closed(each)
        with no_trace(court.world):
            answer = court.move(each, court.members[1], "call_up")
            assert refused(answer) == (409, "impossible-transition")
    with (
        pytest.raises(DatabaseError, match="found infeasible"),
        as_owner(court.world) as connection,
    ):
        connection.execute(
            "INSERT INTO judgment (id, proposal_id, committee_id, motion, revision, state,"
            " opened_at) VALUES (gen_random_uuid(), %s, %s, 'call_up', 1, 'open', now())",
            [proposal["id"], court.committee],
        )


def test_what_waits_for_confirmation_is_sent_back_by_whoever_confirms(world: World) -> None:
    court = Court(world, confirm="plenary")
    _, people = court.body_of("plenary", 5)
    proposal = court.reviewed()
    court.votes(proposal, yes=3)
    court.closed(proposal)
    with no_trace(world):
        answer = court.move(proposal, court.members[1], "return", missing="견적서")
        assert refused(answer) == (403, "not-allowed")
    assert court.move(proposal, people[1], "return", missing="견적서").status_code == 200
    court.votes(proposal, people, yes=3)
    court.closed(proposal, people[0])
    assert court.state(proposal) == "returned"


# money


@pytest.mark.parametrize("amount", [0, 40_000_000_000], ids=["nothing", "too dear"])
def test_what_is_taken_up_is_approved_only_at_a_price_that_the_cycle_allows(
    court: Court, amount: int
) -> None:
    proposal = taken_up(court, assessed_amount=amount, min_useful_amount=None)
    court.votes(proposal, yes=3)
    with no_trace(court.world):
        answer = court.close(proposal)
        assert refused(answer) == (409, "price-not-allowed")
        facts = answer.get_json()
        assert (facts["amount"], facts["most"]) == (amount, 37_500_000_000)
    court.votes(proposal, no=3)
    assert court.closed(proposal)["carried"] is False


def test_no_login_approves_what_is_too_dear(court: Court) -> None:
    proposal = taken_up(court, assessed_amount=40_000_000_000)
    with pytest.raises(DatabaseError, match="price"):
        court.judge(proposal, "approved")


# lists


def test_a_body_approves_no_more_than_its_cycle_allows_in_however_many_lists(world: World) -> None:
    court = Court(
        world, decide={"mode": "shortlist", "max_projects": 2},
        quorum={"more_than": "1/2", "floor": 2},
    )  # fmt: skip
    first, second, third = (court.reviewed() for _ in range(3))
    path = f"committees/{court.committee}/shortlists"

    def put(*ranked: dict[str, Any]) -> Any:
        body = {"ranked": [each["id"] for each in ranked]}
        return court.send("POST", path, court.members[0], body)

    shortlist = put(first, second).get_json()["id"]
    court.send(
        "POST", f"shortlists/{shortlist}/pull-outs", court.members[1],
        {"proposal_id": second["id"]},
    )  # fmt: skip
    court.votes(second, yes=3)
    court.closed(second)  # the place that it gave up on the list
    court.votes(third, yes=3)
    with no_trace(world):
        answer = court.close(third)
        assert refused(answer) == (409, "shortlist-full")
        assert (answer.get_json()["approved"], answer.get_json()["max_projects"]) == (2, 2)
    for who in court.members[:3]:
        court.send("PUT", f"shortlists/{shortlist}/vote", who, {"vote": "yes"})
    assert court.send("POST", f"shortlists/{shortlist}/judgment", court.members[0]).get_json()[
        "carried"
    ]
    with no_trace(world):
        assert refused(put(third)) == (422, "invalid-request")
        assert refused(court.close(third)) == (409, "shortlist-full")


# windows


def test_a_window_of_an_earlier_matter_does_not_hold_up_this_one(court: Court) -> None:
    proposal = court.reviewed()
    with as_owner(court.world) as connection:
        connection.execute(
            "WITH held AS (INSERT INTO meeting (id, committee_id, form, starts_at, ends_at,"
            " called_by, called_at) SELECT gen_random_uuid(), %s, 'online',"
            " now() - interval '9 days', now() - interval '8 days', created_by, now()"
            " FROM committee LIMIT 1 RETURNING id)"
            " INSERT INTO meeting_agenda SELECT id, 1, '{}', %s FROM held",
            [court.committee, proposal["id"]],
        )
        connection.commit()
    court.votes(proposal, yes=3)
    assert court.closed(proposal)["carried"] is True


# what the database counts itself

CLOSE = (
    "UPDATE judgment SET state = 'closed', closed_at = now(), carried = %s, yes = 3, no = 0,"
    " abstain = 0, closed_by = (SELECT id FROM seat LIMIT 1),"
    " roll = (SELECT array_agg(id) FROM (SELECT id FROM seat ORDER BY number LIMIT %s) AS few)"
)

RECOUNT = (
    "INSERT INTO judgment_recount (judgment_id, id, n, entitled, yes, no, abstain, quorate,"
    " carried, at) SELECT id, gen_random_uuid(), VALUES, now() FROM judgment"
)


@pytest.mark.parametrize(
    ("carried", "seats", "why"),
    [(False, 5, "whether it is carried"), (True, 3, "on the roll")],
    ids=["carried", "roll"],
)
def test_nobody_says_otherwise_than_the_count_or_leaves_a_seat_out_of_it(
    court: Court, carried: bool, seats: int, why: str
) -> None:
    proposal = court.reviewed()
    court.votes(proposal, yes=3)
    with pytest.raises(DatabaseError, match=why), as_owner(court.world) as connection:
        connection.execute(CLOSE, [carried, seats])
    with as_owner(court.world) as connection:
        connection.execute(CLOSE, [True, 5])


def test_a_quorum_is_the_databases_to_know(court: Court) -> None:
    proposal = court.reviewed()
    court.votes(proposal, yes=2)
    with pytest.raises(DatabaseError, match="quorum"), as_owner(court.world) as connection:
        connection.execute(CLOSE.replace("yes = 3", "yes = 2").encode(), [False, 5])


@pytest.mark.parametrize(
    "values",
    ["1, 5, 3, 0, 0, true, true", "1, 4, 2, 0, 0, true, false", "2, 4, 2, 0, 0, false, false"],
    ids=["nobody is recused", "another outcome", "another number"],
)
def test_a_recount_is_what_the_recorded_votes_are_without_the_recused(
    court: Court, values: str
) -> None:
    proposal = court.reviewed()
    court.votes(proposal, yes=3)
    court.closed(proposal)
    with as_owner(court.world) as connection:
        connection.execute(
            "INSERT INTO recusal SELECT %s, id, 'household', 'declared', now() FROM seat"
            " WHERE number = 1",
            [proposal["id"]],
        )
        connection.commit()
    with pytest.raises(DatabaseError, match="recount"), as_owner(court.world) as connection:
        connection.execute(RECOUNT.replace("VALUES", values).encode())


def test_a_recount_that_changes_nothing_lets_nobody_move_the_proposal(court: Court) -> None:
    proposal = court.reviewed()
    court.seated()
    court.votes(proposal, yes=4)
    court.closed(proposal)
    court.step_aside(proposal, court.members[4])  # of six, who did not vote
    assert len(court.judgments(proposal)[0]["recounts"]) == 1
    with (
        pytest.raises(DatabaseError, match="where its judgment leads"),
        as_owner(court.world) as connection,
    ):
        connection.execute("UPDATE proposal SET state = 'under_review', due_at = NULL")


def test_what_was_not_rejected_by_officers_alone_is_not_called_up(court: Court) -> None:
    proposal = found_infeasible(court)
    assert court.move(proposal, court.members[1], "call_up").status_code == 200
