"""Who may vote, and where: one evaluator, which says why not and what to do next."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvote.people.voters import Voter, VoterAttribute
from mvote.polls.definition import Eligibility, FrozenPoll
from mvote.polls.eligibility import reasons_not_to_vote
from tests.support.ballots import frozen
from tests.support.world import CITY_HALL, GWANGHWAMUN, Person, World, position

CIRCLE = {"rule": "area", "area": {"center": GWANGHWAMUN, "radius_m": 500}}
NORTH_M = 1 / 111_000


def _refused(world: World, poll: dict[str, Any], voter: Person, **more: Any) -> str:
    """The code of the refusal, after seeing that the answer beforehand said the same."""
    asked = world.client.post(
        f"/v1/polls/{poll['id']}/eligibility", json=more, headers=voter.headers
    ).get_json()
    answer = world.cast(poll, voter, **more)
    assert answer.status_code == 403
    assert not asked["may_vote"]
    assert asked["reasons"][0]["code"] == answer.get_json()["code"]
    assert asked["reasons"][0]["next_step"]
    assert world.count("participation") == world.count("envelope") == 0
    return str(answer.get_json()["code"])


def _voter(**attributes: tuple[Any, bool]) -> Voter:
    return Voter(
        uuid.uuid4(),
        bytes(32),
        {
            name: VoterAttribute(value, [value] if name.endswith("_area") else [], verified)
            for name, (value, verified) in attributes.items()
        },
    )


def _poll(rules: Eligibility) -> FrozenPoll:
    poll = object.__new__(FrozenPoll)
    object.__setattr__(poll, "eligibility", rules)
    object.__setattr__(poll, "year", 2026)
    return poll


def _rules_broken(rules: Eligibility, voter: Voter) -> list[str]:
    found = reasons_not_to_vote(_poll(rules), voter, [], knows_password=True)
    return [reason.facts["rule"] for reason in found]


@pytest.mark.parametrize(
    ("rules", "attributes", "broken"),
    [
        (Eligibility(), {}, []),
        (Eligibility(min_age=60), {"birth_year": (1966, False)}, []),
        (Eligibility(min_age=60), {"birth_year": (1967, False)}, ["min_age"]),
        (Eligibility(min_age=60), {}, ["min_age"]),
        (Eligibility(max_age=18), {"birth_year": (2008, False)}, []),
        (Eligibility(max_age=18), {"birth_year": (2007, False)}, ["max_age"]),
        (Eligibility(min_age=0), {"birth_year": (2026, False)}, []),
        (Eligibility(genders=("female",)), {"gender": ("male", False)}, ["genders"]),
        (Eligibility(occupations=("teacher",)), {"occupation": ("teacher", False)}, []),
        (Eligibility(areas=("11110",)), {"home_area": ("11140", True)}, ["areas"]),
        (Eligibility(areas=("11110",)), {"work_area": ("11110", True)}, ["areas"]),
        (
            Eligibility(areas=("11110",), area_basis=("home", "work")),
            {"work_area": ("11110", False)},
            [],
        ),
        (Eligibility(verified_only=True), {"gender": ("male", False)}, ["verified_only"]),
        (Eligibility(verified_only=True), {"gender": ("male", True)}, []),
        (
            Eligibility(verified_only=True, min_age=20),
            {"birth_year": (1990, False), "gender": ("male", True)},
            ["verified_only"],
        ),
        (
            Eligibility(verified_only=True, areas=("1",), area_basis=("home", "work")),
            {"home_area": ("1", False), "work_area": ("1", True)},
            [],
        ),
    ],
)
def test_each_rule_names_itself_when_it_is_not_met(
    rules: Eligibility, attributes: dict[str, Any], broken: list[str]
) -> None:
    assert _rules_broken(rules, _voter(**attributes)) == broken


@given(st.integers(1900, 2026), st.integers(0, 130), st.integers(0, 130))
def test_a_voter_meets_both_age_rules_exactly_when_the_age_lies_between(
    born: int, least: int, most: int
) -> None:
    broken = _rules_broken(
        Eligibility(min_age=least, max_age=most), _voter(birth_year=(born, False))
    )
    assert (broken == []) == (least <= 2026 - born <= most)


def test_a_voter_who_does_not_belong_is_refused_with_the_rule(world: World) -> None:
    poll = world.open_poll(eligibility={"min_age": 60})
    assert _refused(world, poll, world.citizen(birth_year=1999)) == "not-eligible"
    assert world.cast(poll, world.citizen(birth_year=1950)).status_code == 201


@pytest.mark.parametrize(
    ("metres_north", "accuracy_m", "age_s", "code"),
    [
        (600, 20, 0, "outside-area"),
        (600, 150, 0, "position-too-coarse"),
        (510, 40, 0, "position-ambiguous"),
        (0, 101, 0, "position-too-coarse"),
        (0, 10, 61, "position-stale"),
        (0, 10, -60, "position-stale"),
    ],
)
def test_a_position_that_proves_nothing_is_refused_with_its_reason(
    world: World, metres_north: float, accuracy_m: float, age_s: float, code: str
) -> None:
    poll = world.open_poll(presence=CIRCLE)
    lat = GWANGHWAMUN["lat"] + metres_north * NORTH_M
    here = position(lat, GWANGHWAMUN["lon"], accuracy_m, age_s)
    assert _refused(world, poll, world.citizen(), position=here) == code


def test_without_any_proof_presence_is_required(world: World) -> None:
    poll = world.open_poll(presence=CIRCLE)
    assert _refused(world, poll, world.citizen()) == "presence-required"


def test_a_replay_is_answered_before_a_refusal_for_where_the_voter_now_is(world: World) -> None:
    poll, voter = world.open_poll(presence=CIRCLE), world.citizen()
    key = "0123456789abcdefghijkl"
    first = world.cast(poll, voter, key=key, position=position(**GWANGHWAMUN))
    away = world.cast(poll, voter, key=key, position=position(**CITY_HALL))
    assert (first.status_code, away.status_code) == (201, 201)
    assert first.get_data() == away.get_data()
    other = world.cast(poll, voter, position=position(**CITY_HALL))
    assert other.get_json()["code"] == "already-voted"


def test_who_may_vote_is_told_so_and_who_has_voted_is_told_that(world: World) -> None:
    poll, voter = world.open_poll(), world.citizen()
    path = f"/v1/polls/{poll['id']}/eligibility"
    before = world.client.post(path, json={}, headers=voter.headers).get_json()
    assert before == {"may_vote": True, "reasons": []}
    world.cast(poll, voter)
    after = world.client.post(path, json={}, headers=voter.headers).get_json()
    assert [reason["code"] for reason in after["reasons"]] == ["already-voted"]


def test_no_position_is_kept_anywhere_after_a_cast(world: World) -> None:
    poll, voter = world.open_poll(presence=CIRCLE), world.citizen()
    assert frozen(world, poll).presence == "area"
    assert world.cast(poll, voter, position=position(**GWANGHWAMUN)).status_code == 201
    columns = world.rows(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND (column_name LIKE '%%position%%' OR column_name IN ('lat', 'lon'))"
    )
    places = {"site", "geofence", "proposal_place"}  # of things, not of people
    assert {name for (name,) in columns} <= places | {"committee_reserve"}  # whose is an order
