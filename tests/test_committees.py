"""Committees: what is published of them first, and applications under pseudonyms."""

from __future__ import annotations

import json

import psycopg
import pytest
from psycopg.errors import Error as DatabaseError

from tests.support.committees import EVEN, Hall, quota
from tests.support.hostile import no_trace
from tests.support.proposals import as_owner, refused
from tests.support.world import Person

# forming


def test_the_commitment_and_the_targets_are_public_before_anybody_applies(hall: Hall) -> None:
    committee = hall.show(hall.formed())
    assert committee["draw"]["targets"][0]["document"] == EVEN
    assert len(committee["draw"]["commitment"]) == 64
    assert (committee["draw"]["files"], committee["seats"]) == ([], [])


def test_reserves_have_the_quotas_of_the_members_scaled_where_none_are_given(hall: Hall) -> None:
    shown = hall.show(hall.formed(reserve_quotas=None))
    [women, men] = shown["draw"]["targets"][0]["document"]["reserve_quotas"]
    assert (women["min"], women["max"], men["min"], men["max"]) == (1, 1, 1, 1)


def test_only_the_department_of_the_cycle_forms_its_committees(hall: Hall) -> None:
    stranger, citizen = hall.world.officer(), hall.citizen()
    with no_trace(hall.world):
        assert refused(hall.form(stranger)) == (403, "not-allowed")
        assert refused(hall.form(citizen)) == (403, "not-allowed")


def test_what_was_published_of_a_draw_never_changes(hall: Hall) -> None:
    committee = hall.formed()
    for change in (
        "UPDATE committee SET commitment = sha256('x')",
        "UPDATE committee SET public_value_at = now()",
        "UPDATE committee_targets SET document = '{}'",
        "DELETE FROM committee_targets",
    ):
        with pytest.raises(DatabaseError), as_owner(hall.world) as connection:
            connection.execute(change)
    assert hall.show(committee)["draw"]["targets"][0]["document"] == EVEN


# applying


def test_who_applies_is_known_by_a_pseudonym_that_differs_between_committees(hall: Hall) -> None:
    one, other, person = hall.formed(), hall.formed(), hall.citizen()
    [here], [there] = hall.applied(one, person), hall.applied(other, person)
    assert here != there
    assert hall.applied(one, person) == [here]  # applying anew
    assert hall.show(one)["draw"]["applicants"] == 1


def test_categories_come_from_the_account_and_only_the_rest_is_declared(hall: Hall) -> None:
    committee, person = hall.formed(), hall.citizen("male", birth_year=1980)
    answer = hall.apply(committee, person, declared={"group": ["disabled"]})
    assert answer.get_json()["categories"] == {
        "gender": ["male"], "age": ["older"], "area": ["11", "11110"], "group": ["disabled"],
    }  # fmt: skip
    with no_trace(hall.world):
        lie = hall.apply(committee, person, declared={"gender": ["female"]})
        assert refused(lie) == (422, "invalid-request")


def test_staff_of_public_bodies_and_strangers_to_the_city_do_not_sit(hall: Hall) -> None:
    committee = hall.formed()
    staff, stranger = hall.citizen(public_body_staff=True), hall.world.citizen()
    with no_trace(hall.world):
        for person, rule in ((staff, "excluded"), (stranger, "basis")):
            answer = hall.apply(committee, person)
            assert (*refused(answer), answer.get_json()["rule"]) == (403, "not-eligible", rule)


def test_nobody_applies_or_withdraws_once_applications_are_closed(hall: Hall) -> None:
    committee, person, late = hall.formed(), hall.citizen(), hall.citizen()
    hall.applied(committee, person)
    mine = f"committees/{committee}/applications/me"
    hall.let_days_pass(committee, 11)
    with no_trace(hall.world):
        assert refused(hall.apply(committee, late)) == (409, "applications-closed")
        assert refused(hall.call("DELETE", mine, person)) == (409, "applications-closed")
    for change in (
        "UPDATE application SET categories = '{}'",
        "UPDATE application SET withdrawn_at = now()",
        "DELETE FROM application",
    ):
        with pytest.raises(DatabaseError), as_owner(hall.world) as connection:
            connection.execute(change)


def test_who_withdraws_in_time_is_not_in_the_pool(hall: Hall) -> None:
    committee, person = hall.formed(), hall.citizen()
    hall.applied(committee, person)
    assert hall.call("DELETE", f"committees/{committee}/applications/me", person).status_code == 204
    assert hall.show(committee)["draw"]["applicants"] == 0


def test_an_application_is_shown_to_nobody_else(hall: Hall, people: list[Person]) -> None:
    committee = hall.formed()
    hall.applied(committee, people[0])
    path = f"committees/{committee}/applications/me"
    assert refused(hall.call("GET", path, people[1])) == (404, "not-found")
    assert refused(hall.call("GET", path)) == (401, "token-missing")
    assert str(people[0].id) not in json.dumps(hall.show(committee))


# targets


def test_two_officers_lower_a_quota_in_public_until_the_public_value_is_known(hall: Hall) -> None:
    committee, body = hall.formed(), {"targets": EVEN | {"quotas": []}, "text": "지원자 부족"}
    path = f"committees/{committee}/targets"
    assert hall.call("PUT", path, hall.officer, **body).status_code == 202
    assert len(hall.show(committee)["draw"]["targets"]) == 1
    answer = hall.call("PUT", path, hall.world.officer(), **body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    lowered = answer.get_json()["draw"]["targets"][-1]
    assert (lowered["document"]["quotas"], lowered["text"]) == ([], {"ko": "지원자 부족"})
    hall.let_days_pass(committee, 13)
    again = body | {"targets": EVEN | {"quotas": [], "reserves": 0}}
    with no_trace(hall.world):
        assert refused(hall.call("PUT", path, hall.officer, **again)) == (409, "targets-fixed")


def test_a_quota_is_lowered_and_never_tightened(hall: Hall) -> None:
    path = f"committees/{hall.formed()}/targets"
    for quotas in ([quota("gender", "female", 2, 2)], [quota("group", "disabled", 1)]):
        body = {"targets": EVEN | {"quotas": quotas}, "text": "변경"}
        with no_trace(hall.world):
            assert refused(hall.call("PUT", path, hall.officer, **body)) == (422, "invalid-request")


def test_one_officer_alone_changes_no_targets_even_in_the_database(hall: Hall) -> None:
    committee = hall.formed()
    with psycopg.connect(hall.world.admin_url) as connection:
        connection.execute("SET ROLE mvote_api")
        with pytest.raises(DatabaseError, match="only two officers"):
            connection.execute(
                "INSERT INTO committee_targets VALUES (%s, 1, '{}', '{\"ko\": \"x\"}', now())",
                [committee],
            )
