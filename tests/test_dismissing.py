"""No officer alone dismisses a member of a committee."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.support.committees import Hall, seats_in
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.world import Person


def test_two_officers_dismiss_a_member_and_one_alone_does_not(
    hall: Hall, people: list[Person]
) -> None:
    """Else one officer could choose who votes on what lies before the committee."""
    committee = hall.drawn(*people)
    seat, second = seats_in(hall, committee)[0], hall.world.officer()
    vacate = f"committees/{committee}/seats/{seat['id']}/vacate"
    with no_trace(hall.world):  # only the cycle's department begins it
        assert refused(hall.call("POST", vacate, second, reason="이사")) == (403, "not-allowed")
    for _ in range(2):
        assert hall.call("POST", vacate, hall.officer, reason="이사").status_code == 202
        assert seat in seats_in(hall, committee)
    other = hall.call("POST", vacate, second, reason="다른 사유")  # is another request
    assert refused(other) == (403, "not-allowed")
    answer = hall.call("POST", vacate, second, reason="이사")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert [each["id"] for each in seats_in(hall, committee, "vacant")] == [seat["id"]]
    with no_trace(hall.world):
        again = hall.call("POST", vacate, hall.officer, reason="이사")
        assert refused(again) == (409, "impossible-transition")


def test_the_database_itself_dismisses_nobody_without_a_second_officer(
    hall: Hall, people: list[Person]
) -> None:
    committee = hall.drawn(*people)
    seat = seats_in(hall, committee)[0]
    vacate = f"committees/{committee}/seats/{seat['id']}/vacate"
    asked = hall.call("POST", vacate, hall.officer, reason="이사").get_json()
    given = {"seat": seat["id"], "approval": asked["approval_id"], "by": hall.officer.id}
    alone = text("SELECT vacate_seat(:seat, :approval, :by)")
    with Session(hall.world.engines["api"]) as session, pytest.raises(IntegrityError):
        session.execute(alone, given)
    assert seat in seats_in(hall, committee)
