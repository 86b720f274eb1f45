"""Voting online: within the window, and nothing closed before its end unless all have voted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest

from mvote.base import instant, utc_now
from tests.support.hostile import no_trace
from tests.support.judgments import Court
from tests.support.proposals import refused
from tests.support.world import World

WEEK = dt.timedelta(days=7)


@pytest.fixture
def court(world: World) -> Court:
    """Five members, one in the chair."""
    return Court(world)


def window(court: Court, proposal: dict[str, Any] | None, **changes: Any) -> str:
    """An online window in which the proposal is voted on, for a week from tomorrow."""
    item = {"text": "심사", "proposal_id": proposal["id"] if proposal else None}
    body = {
        "form": "online", "agenda": [item],
        "starts_at": instant(utc_now() + dt.timedelta(days=1)),
        "ends_at": instant(utc_now() + WEEK),
    } | changes  # fmt: skip
    path = f"committees/{court.committee}/meetings"
    answer = court.send("POST", path, court.members[0], body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["id"])


def move_back(court: Court, meeting: str, days: int) -> None:
    with psycopg.connect(court.world.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE proposal SET state_since = state_since - make_interval(days => %(days)s)",
            {"days": days},
        )
        connection.execute(
            "UPDATE meeting SET starts_at = starts_at - make_interval(days => %(days)s),"
            " ends_at = ends_at - make_interval(days => %(days)s) WHERE id = %(id)s",
            {"days": days, "id": meeting},
        )


def test_votes_are_taken_from_the_start_of_the_window_to_its_end(court: Court) -> None:
    proposal, member = court.reviewed(), court.members[1]
    meeting = window(court, proposal)
    with no_trace(court.world):
        early = court.vote(proposal, member)
        assert refused(early) == (409, "voting-window-not-open")
        assert early.get_json()["starts_at"] < early.get_json()["ends_at"]
    move_back(court, meeting, 2)
    assert court.vote(proposal, member).status_code == 200
    move_back(court, meeting, 7)
    with no_trace(court.world):
        assert refused(court.vote(proposal, member)) == (409, "voting-window-not-open")


def test_nothing_is_closed_before_the_end_unless_all_have_voted(court: Court) -> None:
    proposal, other = court.reviewed(), court.reviewed()
    for each in (proposal, other):
        move_back(court, window(court, each), 2)
        court.votes(each, yes=4)
    with no_trace(court.world):
        assert refused(court.close(proposal)) == (409, "voting-window-not-over")
    assert court.vote(proposal, court.members[4], "no").status_code == 200
    assert court.closed(proposal)["present"] == 5
    with psycopg.connect(court.world.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE meeting SET ends_at = now()")
    assert court.closed(other)["present"] == 4


def test_nobody_shortens_a_window_or_breaks_it_off_by_calling_another(court: Court) -> None:
    """Else whoever runs the committee could end the vote at the moment that suits them."""
    proposal = court.reviewed()
    move_back(court, window(court, proposal), 2)
    ends_at = instant(utc_now() + dt.timedelta(days=2))
    move_back(court, window(court, proposal, ends_at=ends_at), 3)  # it is over already
    court.votes(proposal, yes=3)
    window(court, proposal)  # from tomorrow
    assert court.vote(proposal, court.members[3]).status_code == 200
    with no_trace(court.world):
        assert refused(court.close(proposal)) == (409, "voting-window-not-over")


def test_a_window_that_was_called_off_or_is_about_something_else_hinders_nobody(
    court: Court,
) -> None:
    proposal = court.reviewed()
    off = window(court, proposal)
    court.send("POST", f"meetings/{off}/call-off", court.members[0], {"reason": "대면 회의"})
    window(court, None)
    window(court, court.reviewed())
    court.votes(proposal, yes=3)
    assert court.closed(proposal)["carried"] is True


def test_the_judgment_names_the_meeting_at_which_it_was_closed(court: Court) -> None:
    proposal = court.reviewed()
    meeting = window(court, None, form="meeting", place="시청")
    court.votes(proposal, yes=3)
    with no_trace(court.world):
        wrong = court.close(proposal, meeting_id=proposal["id"])
        assert refused(wrong) == (422, "invalid-request")
    answer = court.close(proposal, meeting_id=meeting)
    assert answer.get_json()["meeting_id"] == meeting


def test_a_list_is_voted_on_in_its_window(world: World) -> None:
    court = Court(world, decide={"mode": "shortlist", "max_projects": 2})
    proposal = court.reviewed()
    meeting = window(court, None)
    path = f"committees/{court.committee}/shortlists"
    body = {"ranked": [proposal["id"]], "meeting_id": meeting}
    listed = court.send("POST", path, court.members[0], body).get_json()["id"]
    vote, yes = f"shortlists/{listed}/vote", {"vote": "yes"}
    with no_trace(world):
        early = court.send("PUT", vote, court.members[1], yes)
        assert refused(early) == (409, "voting-window-not-open")
    move_back(court, meeting, 2)
    for who in court.members[:4]:
        assert court.send("PUT", vote, who, yes).status_code == 200
    close = f"shortlists/{listed}/judgment"
    with no_trace(world):
        answer = court.send("POST", close, court.members[0])
        assert refused(answer) == (409, "voting-window-not-over")
    assert court.send("PUT", vote, court.members[4], yes).status_code == 200
    assert court.send("POST", close, court.members[0]).status_code == 200
    assert court.state(proposal) == "approved"
