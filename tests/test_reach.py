"""How many a poll would reach: about, by the rules that voting has, and nothing of anyone."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session

from mvote.base import utc_now
from mvote.people.voters import voter_of
from mvote.polls.definition import eligibility_in
from mvote.polls.eligibility import _unmet_rules
from mvote.polls.reaching import OF_CITIZENS, OF_OFFICERS, _counted, shown
from tests.support.hostile import check_problem
from tests.support.world import Person, World

KEY = bytes(range(32))
YEAR = utc_now().year
JONGNO, JUNG = "11110", "11140"


def ask(world: World, poll: Any, by: Person, **body: Any) -> Any:
    path = f"/v1/polls/{poll['id']}/reach"
    return world.client.post(path, json=body, headers=by.headers)


# what is counted


class Frozen:
    """As much of a frozen poll as its rules look at."""

    def __init__(self, rules: dict[str, Any]) -> None:
        self.eligibility, self.year = eligibility_in(rules), YEAR


def some_rules(chance: random.Random) -> dict[str, Any]:
    every: dict[str, Any] = {
        "areas": chance.sample([JONGNO, JUNG], chance.choice([1, 2])),
        "area_basis": chance.sample(["home", "work"], chance.choice([1, 2])),
        "min_age": chance.choice([19, 35]),
        "max_age": chance.choice([40, 70]),
        "genders": chance.choice([["female"], ["male", "other"]]),
        "occupations": ["teacher"],
        "verified_only": True,
        "excluded": ["public_body_staff"],
    }
    return {name: said for name, said in every.items() if chance.random() < 0.4}


def give_area(world: World, citizen_id: uuid.UUID, name: str, code: str) -> None:
    world.rows(
        "INSERT INTO attribute (citizen_id, name, value, lineage, set_at)"
        " VALUES (%s, %s, to_jsonb(%s::text), ARRAY[%s, '11'], now()) RETURNING 1",
        citizen_id, name, code, code,
    )  # fmt: skip


def test_those_are_counted_who_would_meet_the_rules_when_voting(
    world: World, session: Session
) -> None:
    chance = random.Random(20)
    people = []
    for _ in range(40):
        attributes = {
            "birth_year": chance.choice([YEAR - 18, YEAR - 36, YEAR - 60]),
            "gender": chance.choice(["female", "male", "other"]),
            "occupation": chance.choice(["teacher", "nurse"]),
            "public_body_staff": chance.choice([True, False]),
        }
        some = {name: said for name, said in attributes.items() if chance.random() < 0.7}
        people.append(world.citizen(**some).id)
        for name in chance.sample(["home_area", "work_area"], chance.choice([0, 1, 2])):
            give_area(world, people[-1], name, chance.choice([JONGNO, JUNG]))
    spoil = "UPDATE attribute SET verified_by = citizen_id, verified_at = now()"
    rows = world.rows(spoil + " WHERE random() < 0.5 RETURNING 1")
    assert rows
    now = utc_now()
    voters = [voter_of(session, each, opened_at=now) for each in people]
    for _ in range(60):
        rules = some_rules(chance)
        expected = sum(
            not list(_unmet_rules(Frozen(rules), voter))  # type: ignore[arg-type]
            for voter in voters
            if voter
        )
        assert _counted(session, eligibility_in(rules), YEAR, KEY)[0] == expected, rules


def test_the_count_of_a_poll_is_answered_to_tens_and_few_are_not_shown(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer, eligibility={"genders": ["female"]})
    world.citizens(30, gender="female")
    world.citizens(4, gender="male")
    answer = ask(world, poll, officer)
    assert (answer.status_code, answer.get_json()["suppressed"]) == (200, False)
    assert abs(answer.get_json()["reached"] - 30) <= 10
    assert answer.get_json()["reached"] % 10 == 0
    other = ask(world, poll, officer, eligibility={"genders": ["male"]})
    assert other.get_json() == {"reached": None, "suppressed": True}
    assert ask(world, poll, officer).get_json() == answer.get_json()


# what it tells


@pytest.mark.parametrize("count", range(6))
def test_fewer_than_six_are_never_shown_whoever_they_are(count: int) -> None:
    assert {shown(count, who, KEY) for who in range(3_000)} == {None}


def test_where_showing_begins_is_uncertain() -> None:
    """So a target that is shown, and not shown without one person, does not tell of them."""
    start, most = OF_OFFICERS.shown_from, OF_OFFICERS.disturbed_by
    for count in range(start - most, start + most):
        assert {shown(count, who, KEY) for who in range(300)} >= {None, start}


def test_a_citizen_is_told_hundreds_and_of_no_group_that_ten_own_accounts_could_pad() -> None:
    for count in (0, 11, 40, 59):
        assert {shown(count, who, KEY, OF_CITIZENS) for who in range(3_000)} == {None}
    assert {shown(1049, who, KEY, OF_CITIZENS) for who in range(300)} == {1000, 1100}


def test_a_citizens_answer_is_coarser_than_an_officers(world: World) -> None:
    author, officer = world.citizen(), world.officer()
    world.citizens(30)
    assert ask(world, world.draft(author), author).get_json()["reached"] is None
    assert ask(world, world.draft(officer), officer).get_json()["reached"] in (20, 30, 40)


def test_the_same_people_give_the_same_figure_and_others_another() -> None:
    assert len({shown(104, 7, KEY) for _ in range(100)}) == 1
    assert {shown(104, who, KEY) for who in range(100)} == {100, 110}


def guesses(one_more: int) -> list[int]:
    """Figures of targets that hold somebody, less those without: what an attacker would add up."""
    chance = random.Random(one_more)
    differences = []
    for _ in range(20):
        people = chance.randrange(100, 200)
        without, with_them = (
            shown(n, chance.getrandbits(64), KEY) or 0 for n in (people, people + one_more)
        )
        differences.append(with_them - without)
    return differences


def test_the_difference_of_two_targets_does_not_tell_whether_somebody_is_in_it() -> None:
    """One question about each of them: whoever bets on the difference is no better than chance."""
    present = [sum(guesses(1)[n : n + 1]) > 0 for n in range(20)]
    absent = [sum(guesses(0)[n : n + 1]) > 0 for n in range(20)]
    assert abs(sum(present) - sum(absent)) < 8


def test_without_disturbing_a_flip_would_tell() -> None:
    """The sabotaged twin: rounding alone, at the edge, shows one person every time."""

    def rounded(count: int) -> int:
        return (count + 5) // 10 * 10

    assert [rounded(105) - rounded(104) for _ in range(10)] == [10] * 10


# who may ask, and how often


def test_only_a_polls_own_people_ask_and_sixty_times_an_hour(world: World) -> None:
    officer, stranger = world.officer(), world.citizen()
    poll = world.draft(officer)
    check_problem(ask(world, poll, stranger), 404, "not-found", "ko")
    opened = world.open_poll(officer)
    check_problem(ask(world, opened, stranger), 403, "not-allowed", "ko")
    assert {ask(world, poll, officer).status_code for _ in range(60)} == {200}
    refused = ask(world, poll, officer)
    check_problem(refused, 429, "too-many-requests", "ko")
    assert int(refused.headers["Retry-After"]) <= dt.timedelta(hours=1).total_seconds()


def test_a_reach_of_what_makes_no_sense_is_refused(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer)
    wrong = ask(world, poll, officer, eligibility={"min_age": 50, "max_age": 20})
    check_problem(wrong, 422, "invalid-request", "ko")
    missing = {"id": str(uuid.uuid4())}
    check_problem(ask(world, missing, officer), 404, "not-found", "ko")
