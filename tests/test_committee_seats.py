"""The draw of a committee, which nobody can steer; its seats, and reserves who move up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from psycopg.errors import Error as DatabaseError

from tests.support.code import ROOT
from tests.support.committees import EVEN, SECRET, Hall, person_of, seats_in
from tests.support.hostile import no_trace
from tests.support.proposals import as_owner, refused
from tests.support.world import Person

FILES = ("commitment.json", "outcome.json", "pool.json", "public_value.json", "reveal.json",
         "rule.json")  # fmt: skip


NOT_DRAWN = (
    "INSERT INTO seat (id, committee_id, number, kind, has_vote, is_chair, pseudonym, state,"
    " starts_on, ends_on, filled_at) SELECT gen_random_uuid(), committee_id, 99, kind, true, false,"
    " 'x', 'filled', starts_on, ends_on, now() FROM seat LIMIT 1"
)


# the draw


def test_a_draw_that_the_pool_cannot_meet_is_refused_naming_the_quota(hall: Hall) -> None:
    committee = hall.formed()
    hall.applied(committee, hall.citizen("female"), hall.citizen("female"))
    for days, is_dry in ((0, True), (13, False)):
        hall.let_days_pass(committee, days)
        answer = hall.draw(committee, dry_run=is_dry)
        assert refused(answer) == (409, "quotas-impossible")
        assert "male" in answer.get_json()["detail"]
    assert hall.show(committee)["seats"] == []


def test_a_dry_check_needs_no_seed_and_writes_nothing(hall: Hall, people: list[Person]) -> None:
    committee = hall.formed()
    hall.applied(committee, *people)
    path = f"committees/{committee}/draw"
    with no_trace(hall.world):
        answer = hall.call("POST", path, hall.officer, dry_run=True)
        assert (answer.status_code, answer.get_json()) == (200, {"pool": 6})


def test_the_draw_waits_for_the_public_value(hall: Hall, people: list[Person]) -> None:
    committee = hall.formed()
    hall.applied(committee, *people)
    for days in (0, 11):  # while applications are open, and once they are closed
        hall.let_days_pass(committee, days)
        with no_trace(hall.world):
            assert refused(hall.draw(committee)) == (409, "draw-not-due")


def test_only_the_committed_seed_draws_and_only_by_the_published_targets(
    hall: Hall, people: list[Person]
) -> None:
    committee = hall.formed()
    hall.applied(committee, *people)
    hall.let_days_pass(committee, 13)
    stranger = hall.world.officer()
    with no_trace(hall.world):
        other = hall.draw(committee, seed="00" * 32)
        assert refused(other) == (422, "secret-not-committed")
        easier = hall.draw(committee, targets=EVEN | {"quotas": []})
        assert refused(easier) == (422, "invalid-request")
        assert refused(hall.draw(committee, stranger)) == (403, "not-allowed")


def test_the_database_knows_the_commitment_and_the_clock(hall: Hall) -> None:
    committee = hall.formed()
    insert = "INSERT INTO committee_draw VALUES (%s, %s, 'x', %s, now())"
    for days, secret in ((0, SECRET), (13, b"\x00" * 32)):
        hall.let_days_pass(committee, days)
        with pytest.raises(DatabaseError), as_owner(hall.world) as connection:
            connection.execute(insert, [committee, secret, hall.officer.id])


def test_members_and_reserves_are_drawn_once_and_shown_by_pseudonym(
    hall: Hall, people: list[Person]
) -> None:
    committee = hall.drawn(*people)
    shown = hall.show(committee)
    assert [each["state"] for each in shown["seats"]] == ["filled", "filled"]
    assert [each["position"] for each in shown["reserves"]] == [1, 2]
    with no_trace(hall.world):
        assert refused(hall.draw(committee)) == (409, "already-drawn")
    for change in ("UPDATE committee_draw_file SET content = 'x'", "DELETE FROM committee_draw"):
        with pytest.raises(DatabaseError), as_owner(hall.world) as connection:
            connection.execute(change)


def test_a_stranger_repeats_the_draw_from_the_files_that_were_published(
    hall: Hall, people: list[Person], tmp_path: Path
) -> None:
    committee = hall.formed()
    hall.applied(committee, *people)
    assert refused(hall.call("GET", f"committees/{committee}/draw/pool.json")) == (404, "not-found")
    hall.let_days_pass(committee, 11)
    before = {
        path: hall.world.client.get(path).get_data()
        for path in hall.show(committee)["draw"]["files"]
    }
    hall.let_days_pass(committee, 2)
    shown = hall.draw(committee).get_json()
    assert tuple(path.rpartition("/")[2] for path in shown["draw"]["files"]) == FILES
    for path in shown["draw"]["files"]:
        content = hall.world.client.get(path).get_data()
        assert before.get(path, content) == content
        (tmp_path / path.rpartition("/")[2]).write_bytes(content)
    script = ROOT / "docs" / "examples" / "repeat_draw.py"
    words = [sys.executable, str(script), str(tmp_path)]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    drawn = [each["pseudonym"] for each in shown["seats"] + shown["reserves"]]
    assert run.stdout.split() == drawn


# seats and reserves


def test_the_next_reserve_whom_the_quotas_allow_moves_up_when_a_member_leaves(
    hall: Hall, people: list[Person]
) -> None:
    committee = hall.drawn(*people)
    shown = hall.show(committee)
    gender = {
        each["pseudonym"]: each["categories"]["gender"]
        for each in hall.call("GET", f"committees/{committee}/draw/pool.json").get_json()["persons"]
    }
    leaving = shown["seats"][0]["pseudonym"]
    fitting = [
        each["pseudonym"]
        for each in shown["reserves"]
        if gender[each["pseudonym"]] == gender[leaving]
    ]
    member = person_of(hall, committee, leaving, people)
    assert hall.call("DELETE", f"committees/{committee}/seats/me", member).status_code == 204
    filled = [each["pseudonym"] for each in seats_in(hall, committee)]
    assert leaving not in filled
    assert filled[1:] == fitting[:1]
    assert [each["pseudonym"] for each in seats_in(hall, committee, "vacant")] == [leaving]
    with no_trace(hall.world):
        answer = hall.call("DELETE", f"committees/{committee}/seats/me", member)
        assert refused(answer) == (404, "not-found")


def test_a_seat_is_vacant_once_the_account_is_gone_and_the_draw_stays_repeatable(
    hall: Hall, people: list[Person]
) -> None:
    committee = hall.drawn(*people)
    files = hall.show(committee)["draw"]["files"]
    pool = hall.world.client.get(files[2]).get_data()
    gone = seats_in(hall, committee)[0]["pseudonym"]
    member = person_of(hall, committee, gone, people)
    assert hall.world.client.delete("/v1/me", headers=member.headers).status_code == 204
    assert [each["pseudonym"] for each in seats_in(hall, committee, "vacant")] == [gone]
    assert hall.world.client.get(files[2]).get_data() == pool
    answer = hall.call("POST", f"committees/{committee}/move-up", hall.officer)
    assert answer.status_code == 200


def test_officers_appoint_experts_and_record_the_chair(hall: Hall, people: list[Person]) -> None:
    committee, expert = hall.drawn(*people), hall.citizen()
    seats, path = seats_in(hall, committee), f"committees/{committee}"
    body = {"citizen_id": str(expert.id), "kind": "expert"}
    answer = hall.call("POST", f"{path}/seats", hall.officer, **body)
    assert (answer.status_code, answer.get_json()["seats"][2]["has_vote"]) == (201, False)
    with no_trace(hall.world):
        again = hall.call("POST", f"{path}/seats", hall.officer, **body)
        assert refused(again) == (409, "already-seated")
        drawn = hall.call("POST", f"{path}/seats", hall.officer, **body | {"kind": "citizen"})
        assert refused(drawn) == (409, "impossible-transition")
    for seat in seats:  # the chair changes hands, there is never a second one
        answer = hall.call("PUT", f"{path}/chair", hall.officer, seat_id=seat["id"])
        chairs = [each["id"] for each in answer.get_json()["seats"] if each["is_chair"]]
        assert chairs == [seat["id"]]


def test_an_appointed_seat_has_a_pseudonym_that_leads_to_no_application(
    hall: Hall, people: list[Person]
) -> None:
    """Whom a city appoints is often known: what they told for the quotas must not be."""
    committee = hall.drawn(*people)
    pool = {each["pseudonym"] for each in hall.show(committee)["reserves"]}
    reserve = person_of(hall, committee, min(pool), people)
    body = {"citizen_id": str(reserve.id), "kind": "expert"}
    shown = hall.call("POST", f"committees/{committee}/seats", hall.officer, **body).get_json()
    file = hall.call("GET", f"committees/{committee}/draw/pool.json").get_data(as_text=True)
    assert shown["seats"][2]["pseudonym"] not in file


def test_a_reserve_who_was_appointed_meanwhile_stops_nobody_from_leaving(
    hall: Hall, people: list[Person]
) -> None:
    committee = hall.drawn(*people)
    path = f"committees/{committee}"
    reserves = [person_of(hall, committee, each["pseudonym"], people)
                for each in hall.show(committee)["reserves"]]  # fmt: skip
    members = [person_of(hall, committee, each["pseudonym"], people)
               for each in seats_in(hall, committee)]  # fmt: skip
    genders = {people.index(person) % 2 for person in reserves}  # both may be of one
    leaving = next(person for person in members if people.index(person) % 2 in genders)
    for person in reserves:
        body = {"citizen_id": str(person.id), "kind": "expert"}
        assert hall.call("POST", f"{path}/seats", hall.officer, **body).status_code == 201
    assert hall.call("DELETE", f"{path}/seats/me", leaving).status_code == 204
    kinds = sorted(each["kind"] for each in seats_in(hall, committee))
    assert kinds == ["citizen", "citizen", "expert"]  # the lot's seat takes the other's place


def test_who_was_appointed_before_the_draw_does_not_stop_it(hall: Hall) -> None:
    people = [hall.citizen("female"), hall.citizen("male")]
    committee = hall.formed(reserves=0)
    hall.applied(committee, *people)
    body = {"citizen_id": str(people[0].id), "kind": "expert"}
    hall.call("POST", f"committees/{committee}/seats", hall.officer, **body)
    hall.let_days_pass(committee, 13)
    answer = hall.draw(committee, targets=EVEN | {"reserves": 0})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert [each["kind"] for each in seats_in(hall, committee)] == ["citizen", "citizen"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE seat SET state = 'filled', vacated_at = NULL WHERE state = 'vacant'",
        "UPDATE seat SET pseudonym = 'x'",
        "UPDATE seat SET citizen_id = (SELECT id FROM citizen ORDER BY id DESC LIMIT 1)",
        "DELETE FROM seat",
        "UPDATE committee_reserve SET position = position + 5",
        NOT_DRAWN,
    ],
    ids=["filled again", "other pseudonym", "other person", "deleted", "order", "not drawn"],
)
def test_the_database_lets_nobody_into_a_seat_past_the_lot(
    hall: Hall, people: list[Person], change: str
) -> None:
    committee = hall.drawn(*people)
    leaving = person_of(hall, committee, seats_in(hall, committee)[0]["pseudonym"], people)
    hall.call("DELETE", f"committees/{committee}/seats/me", leaving)
    with pytest.raises(DatabaseError), as_owner(hall.world) as connection:
        connection.execute(change)


def test_the_export_of_an_account_holds_applications_and_seats(
    hall: Hall, people: list[Person]
) -> None:
    committee = hall.drawn(*people)
    member = person_of(hall, committee, seats_in(hall, committee)[0]["pseudonym"], people)
    taken = hall.call("GET", "me/export", member).get_json()
    assert [each["committee_id"] for each in taken["applications"]] == [committee]
    assert [each["kind"] for each in taken["seats"]] == ["citizen"]
