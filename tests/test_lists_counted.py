"""What is public of a list that was voted on, and of judgments, in pages."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.errors import Error as DatabaseError

from tests.support.judgments import WHY, Court
from tests.support.proposals import as_owner
from tests.support.world import World


@pytest.fixture
def court(world: World) -> Court:
    """Five members who decide by lists."""
    return Court(
        world, decide={"mode": "shortlist"}, quorum={"more_than": "1/2", "floor": 2}
    )  # fmt: skip


def _voted(court: Court) -> tuple[str, dict[str, Any]]:
    """A list with two votes for it and two against."""
    proposal = court.reviewed()
    path = f"committees/{court.committee}/shortlists"
    body = {"ranked": [proposal["id"]]}
    shortlist = str(court.send("POST", path, court.members[0], body).get_json()["id"])
    for who, vote in zip(court.members, ("yes", "yes", "no", "no"), strict=False):
        said = {"vote": vote, "reason": WHY["ko"]}
        assert court.send("PUT", f"shortlists/{shortlist}/vote", who, said).status_code == 200
    return shortlist, proposal


def _lists(court: Court, query: str = "") -> dict[str, Any]:
    path = f"committees/{court.committee}/shortlists{query}"
    return dict(court.send("GET", path, None).get_json())


def test_a_list_is_counted_in_public_once_it_is_closed_also_where_it_is_not_carried(
    court: Court,
) -> None:
    shortlist, _ = _voted(court)
    [still_open] = _lists(court)["items"]
    assert (still_open["votes"], still_open["yes"], still_open["entitled"]) == ([], None, None)
    closed = court.send("POST", f"shortlists/{shortlist}/judgment", court.members[0]).get_json()
    numbers = [closed[each] for each in ("entitled", "yes", "no", "abstain", "carried")]
    assert numbers == [5, 2, 2, 0, False]
    assert [(each["vote"], each["reason"]) for each in closed["votes"]] == [
        (vote, WHY) for vote in ("yes", "yes", "no", "no")
    ]
    assert _lists(court)["items"] == [closed]


@pytest.mark.parametrize("wrong", ["yes = 3, no = 1", "carried = true"])
def test_the_database_counts_a_list_itself(court: Court, wrong: str) -> None:
    _voted(court)
    close = (
        "UPDATE shortlist SET state = 'closed', closed_at = now(), closed_by = proposed_by,"
        " roll = (SELECT array_agg(id) FROM seat), abstain = 0, RIGHT"
    )
    given = dict(each.split(" = ") for each in ("yes = 2", "no = 2", "carried = false"))
    given |= dict(each.split(" = ") for each in wrong.split(", "))
    values = ", ".join(f"{name} = {value}" for name, value in given.items())
    with pytest.raises(DatabaseError, match="recorded votes"), as_owner(court.world) as connection:
        connection.execute(close.replace("RIGHT", values).encode())


def test_lists_and_judgments_come_in_pages(court: Court) -> None:
    proposal = court.reviewed()
    for _ in range(3):
        court.move(proposal, court.members[1], "return", missing="견적서")
        court.votes(proposal, no=3)
        court.closed(proposal)
    path = f"proposals/{proposal['id']}/judgments?limit=2"
    first = court.send("GET", path, None).get_json()
    second = court.send("GET", f"{path}&cursor={first['next_cursor']}", None).get_json()
    assert [len(each["items"]) for each in (first, second)] == [2, 1]
    assert second["next_cursor"] is None
    closed = [each["closed_at"] for each in first["items"] + second["items"]]
    assert closed == sorted(closed)
    assert _lists(court, "?limit=1")["next_cursor"] is None
    divisions = f"committees/{court.committee}/divisions?limit=1"
    assert court.send("GET", divisions, None).get_json() == {"items": [], "next_cursor": None}
