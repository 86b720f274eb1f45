"""Seats and reserves are those of the published draw, also for who writes past the program."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from psycopg.errors import Error as DatabaseError
from sqlalchemy.orm import Session

from mvote.budget.deliberation import swearing
from mvote.budget.deliberation.voting import call_judges
from mvote.people.citizens import Citizen
from tests.support.appeals import FLOOR, drawn_plenary
from tests.support.committees import EVEN, Hall
from tests.support.hostile import no_trace
from tests.support.judgments import Court
from tests.support.proposals import as_owner, refused
from tests.support.reviews import AROUND
from tests.support.waiting import PATIENCE_SECONDS, is_blocked, wait_until
from tests.support.world import Person, World

SEAT_OF_RESERVE = (
    "INSERT INTO seat (id, committee_id, number, kind, has_vote, is_chair, citizen_id, pseudonym,"
    " state, starts_on, ends_on, filled_at) SELECT gen_random_uuid(), committee_id, 99, 'citizen',"
    " true, false, citizen_id, pseudonym, 'filled', '2026-01-01', '2027-01-01', now()"
    " FROM application JOIN committee_reserve USING (committee_id, pseudonym) LIMIT 1"
)
ANOTHER_RESERVE = (
    "INSERT INTO committee_reserve SELECT committee_id, 3, pseudonym || 'x', 'waiting'"
    " FROM committee_reserve LIMIT 1"
)


@pytest.fixture
def drawn(hall: Hall) -> tuple[Hall, str, list[Person]]:
    """A committee of two with two in reserve, and all who applied."""
    people = [hall.citizen(each) for each in ("female", "male") * 2]
    return hall, hall.drawn(*people), people


@pytest.mark.parametrize("change", [SEAT_OF_RESERVE, ANOTHER_RESERVE], ids=["seat", "reserve"])
def test_no_login_seats_whom_the_lot_did_not_give_a_seat(
    drawn: tuple[Hall, str, list[Person]], change: str
) -> None:
    hall, _, _ = drawn
    with pytest.raises(DatabaseError, match=r"lot|draw"), as_owner(hall.world) as connection:
        connection.execute(change.encode())


def test_a_reserve_who_declines_is_journalled(drawn: tuple[Hall, str, list[Person]]) -> None:
    hall, committee, people = drawn
    leaving = [
        hall.call("DELETE", f"committees/{committee}/seats/me", who).status_code for who in people
    ]
    assert set(leaving) == {204}
    rows = hall.world.rows("SELECT facts FROM journal WHERE kind = 'committee:reserve_declined'")
    declined = {each["pseudonym"] for each in hall.show(committee)["reserves"]
                if each["state"] == "declined"}  # fmt: skip
    assert {facts["pseudonym"] for (facts,) in rows} == declined


def test_two_officers_lower_the_number_of_reserves_and_never_raise_it(hall: Hall) -> None:
    committee, second = hall.formed(), hall.world.officer()
    path = f"committees/{committee}/targets"
    raised = {"targets": EVEN | {"reserves": 3, "reserve_quotas": []}, "text": "예비 위원"}
    with no_trace(hall.world):
        answer = hall.call("PUT", path, hall.officer, **raised)
        assert refused(answer) == (422, "invalid-request")
        assert answer.get_json()["errors"][0]["pointer"] == "/targets/reserves"
    lowered = {"targets": EVEN | {"reserves": 1, "reserve_quotas": []}, "text": "신청자가 적음"}
    assert hall.call("PUT", path, hall.officer, **lowered).status_code == 202
    assert hall.call("PUT", path, second, **lowered).status_code == 200


# two items that need the same reserve at once


def _called_at_once(world: World) -> list[int]:
    """What two calls for judges answer, of which the second comes before the first commits."""
    court = Court(world, members=2, quorum=FLOOR)
    drawn_plenary(court)
    first, second = court.reviewed(), court.reviewed()
    found: list[int] = []

    def call_second() -> None:
        path = f"proposals/{second['id']}/judges"
        found.append(court.send("POST", path, court.officer).status_code)

    with court.session() as session:
        _call(session, court, first)
        session.flush()
        calling = threading.Thread(target=call_second)
        calling.start()
        wait_until(lambda: not calling.is_alive() or is_blocked(world.admin_url, ""))
        session.commit()
        calling.join(PATIENCE_SECONDS)
    return found


def _call(session: Session, court: Court, proposal: dict[str, Any]) -> None:
    officer = session.get_one(Citizen, court.officer.id)
    call_judges(session, proposal_id=uuid.UUID(proposal["id"]), by=officer, around=AROUND)


def test_two_items_swear_the_same_reserve_in_at_once(world: World) -> None:
    assert _called_at_once(world) == [200]
    assert world.count("sworn_in") == 2
    assert world.rows("SELECT count(*) FROM seat WHERE kind = 'reserve'") == [(1,)]


def test_without_the_lock_one_of_them_would_find_the_seat_taken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(swearing, "one_at_a_time", lambda *_: None)
    assert _called_at_once(world) != [200]
    assert world.count("sworn_in") == 1
