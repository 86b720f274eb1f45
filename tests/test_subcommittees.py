"""Subcommittees over HTTP: preferences, the division, and seats that follow the committee's."""

from __future__ import annotations

from collections import Counter
from typing import Any

import psycopg
import pytest
from psycopg.errors import Error as DatabaseError
from sqlalchemy.orm import Session

from mvote.budget.subcommittees.dividing import divide
from tests.support.committees import Hall, person_of, seats_in
from tests.support.hostile import no_trace
from tests.support.places import add_area, box, polygon
from tests.support.proposals import as_owner, refused
from tests.support.world import Person


@pytest.fixture
def plenary(hall: Hall) -> str:
    """A committee whose seats are given by appointment."""
    return str(hall.form(draw=None, name="총회").get_json()["id"])


def appointed(hall: Hall, committee: str, count: int) -> list[Person]:
    """So many members with a vote."""
    people = [hall.citizen() for _ in range(count)]
    for person in people:
        answer = hall.call(
            "POST", f"committees/{committee}/seats", hall.officer, citizen_id=str(person.id),
            kind="citizen", has_vote=True,
        )  # fmt: skip
        assert answer.status_code == 201, answer.get_data(as_text=True)
    return people


def subcommittee(hall: Hall, **covers: Any) -> str:
    """A subcommittee without members yet."""
    answer = hall.form(draw=None, kind="subcommittee", name="분과위원회", **covers)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["id"])


def test_no_committee_is_formed_for_areas_that_are_not_there(hall: Hall, owner: Session) -> None:
    add_area(owner, "11110", polygon(box(126.9, 37.5, 127.0, 37.6)))
    covers = ["11110", "99999", "11110", "88888"]
    with no_trace(hall.world):
        answer = hall.form(draw=None, kind="subcommittee", area_codes=covers)
    assert refused(answer) == (422, "invalid-request")
    wrong = [each["pointer"] for each in answer.get_json()["errors"]]
    assert wrong == ["/area_codes/1", "/area_codes/3"]


def prefer(hall: Hall, plenary: str, who: Person, *places: str) -> tuple[int, str]:
    answer = hall.call(
        "PUT", f"committees/{plenary}/preferences/me", who, subcommittees=list(places)
    )
    return answer.status_code, answer.get_json().get("code", "")


def divide_it(hall: Hall, plenary: str, who: Person | None = None) -> Any:
    return hall.call("POST", f"committees/{plenary}/divisions", who or hall.officer)


def test_members_sit_where_they_prefer_as_far_as_there_is_room_and_anyone_repeats_it(
    hall: Hall, plenary: str
) -> None:
    people, places = appointed(hall, plenary, 5), [subcommittee(hall) for _ in range(2)]
    for person in people[:2]:
        assert prefer(hall, plenary, person, places[1]) == (200, "")
    answer = divide_it(hall, plenary)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    said = answer.get_json()
    numbers = {each["number"]: each["subcommittee"] for each in said["members"]}
    assert (numbers[1], numbers[2]) == (places[1], places[1])
    assert sorted(Counter(numbers.values()).values()) == [2, 3]
    members = {each["pseudonym"]: each["wishes"] for each in said["members"]}
    again = divide(members, said["subcommittees"], seed=bytes.fromhex(said["seed"]))
    assert again == {each["pseudonym"]: each["subcommittee"] for each in said["members"]}
    listed = hall.call("GET", f"committees/{plenary}/divisions").get_json()["items"]
    assert listed == [said]
    for place in places:
        assert len(seats_in(hall, place)) == Counter(numbers.values())[place]


def test_headings_named_in_the_application_and_districts_decide_where_nothing_is_asked_for(
    hall: Hall, owner: Session
) -> None:
    add_area(owner, "11110", polygon(box(126.9, 37.5, 127.0, 37.6)))
    people = [hall.citizen(gender) for gender in ("female", "male")]
    committee = hall.formed()
    for person, heading in zip(people, ("f1", "f2"), strict=True):
        assert hall.apply(committee, person, preferences=[heading]).status_code == 201
    hall.let_days_pass(committee, 13)
    assert hall.draw(committee).status_code == 201
    other, home = subcommittee(hall, headings=["f2"]), subcommittee(hall, area_codes=["11110"])
    said = divide_it(hall, committee).get_json()["members"]
    for each in said:
        person = person_of(hall, committee, each["pseudonym"], people)
        assert each["wishes"][2] == [home]
        assert each["subcommittee"] == (other if person == people[1] else home)


def test_whoever_moved_up_is_divided_later_and_everybody_else_stays(
    hall: Hall, plenary: str
) -> None:
    appointed(hall, plenary, 3)
    places = [subcommittee(hall) for _ in range(2)]
    first = {each["number"]: each["subcommittee"]
             for each in divide_it(hall, plenary).get_json()["members"]}  # fmt: skip
    with no_trace(hall.world):
        assert refused(divide_it(hall, plenary)) == (409, "nothing-to-divide")
    appointed(hall, plenary, 1)
    second = divide_it(hall, plenary).get_json()
    assert (second["n"], [each["kept"] for each in second["members"]]) == (
        2, [True, True, True, False],
    )  # fmt: skip
    now = {each["number"]: each["subcommittee"] for each in second["members"]}
    assert {number: now[number] for number in first} == first
    assert sorted(Counter(now.values()).values()) == [2, 2]
    assert set(now.values()) == set(places)


def test_who_leaves_the_committee_leaves_its_subcommittee(hall: Hall, plenary: str) -> None:
    people, place = appointed(hall, plenary, 2), subcommittee(hall)
    divide_it(hall, plenary)
    assert len(seats_in(hall, place)) == 2
    leaving = f"committees/{plenary}/seats/me"
    assert hall.call("DELETE", leaving, people[0]).status_code == 204
    assert [each["number"] for each in seats_in(hall, place)] == [2]
    assert hall.world.client.delete("/v1/me", headers=people[1].headers).status_code == 204
    assert seats_in(hall, place) == []


def test_preferences_are_a_members_who_is_not_divided_yet_and_name_subcommittees(
    hall: Hall, plenary: str
) -> None:
    [person], place = appointed(hall, plenary, 1), subcommittee(hall)
    stranger = hall.citizen()
    with no_trace(hall.world):
        assert prefer(hall, plenary, stranger, place) == (403, "not-allowed")
        assert prefer(hall, plenary, person, plenary) == (422, "invalid-request")
        assert prefer(hall, plenary, person, place, place) == (422, "invalid-request")
    assert prefer(hall, plenary, person, place) == (200, "")
    divide_it(hall, plenary)
    with no_trace(hall.world):
        assert prefer(hall, plenary, person, place) == (409, "impossible-transition")


def test_only_the_department_divides_and_only_a_whole_committee(hall: Hall, plenary: str) -> None:
    [person], place = appointed(hall, plenary, 1), subcommittee(hall)
    stranger = hall.world.officer()
    with no_trace(hall.world):
        assert refused(divide_it(hall, plenary, person)) == (403, "not-allowed")
        assert refused(divide_it(hall, plenary, stranger)) == (403, "not-allowed")
        assert refused(divide_it(hall, place)) == (409, "impossible-transition")


def test_a_committee_without_subcommittees_is_not_divided(hall: Hall, plenary: str) -> None:
    appointed(hall, plenary, 1)
    with no_trace(hall.world):
        assert refused(divide_it(hall, plenary)) == (409, "nothing-to-divide")


@pytest.mark.parametrize("change", ["UPDATE division SET content = 'x'", "DELETE FROM division"])
def test_a_division_never_changes(hall: Hall, plenary: str, change: str) -> None:
    appointed(hall, plenary, 1)
    subcommittee(hall)
    assert divide_it(hall, plenary).status_code == 201
    with pytest.raises(DatabaseError), as_owner(hall.world) as connection:
        connection.execute(change)


def test_the_seat_in_a_subcommittee_follows_even_where_the_database_alone_acts(
    hall: Hall, plenary: str
) -> None:
    appointed(hall, plenary, 1)
    place = subcommittee(hall)
    divide_it(hall, plenary)
    with psycopg.connect(hall.world.admin_url) as connection:
        connection.execute("SET ROLE mvote_api")
        connection.execute(
            "UPDATE seat SET state = 'vacant', vacated_at = now() WHERE committee_id = %s",
            [plenary],
        )
    assert seats_in(hall, place) == []
