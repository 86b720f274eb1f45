"""Recusal: declared and detected, public at once, and a part in nothing from then on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.errors import Error as DatabaseError
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from tests.support.governing import superuser
from tests.support.hostile import both, no_trace
from tests.support.places import add_area, box, moved, polygon
from tests.support.proposals import as_owner, refused
from tests.support.reviews import OPINION, Chamber
from tests.support.world import Person, World

HERE = {"lat": 37.5700, "lon": 126.9800}
CITY, GU, DONG, NEXT_DONG = "11", "11110", "1111051500", "1111053000"
Interest = Callable[[Chamber, Person, dict[str, Any]], None]


@pytest.fixture
def chamber(world: World) -> Chamber:
    return Chamber(world)


@pytest.fixture
def town_map(owner: Session) -> None:
    """A gu of two dongs; HERE lies in the first."""
    add_area(owner, GU, polygon(box(126.97, 37.56, 126.99, 37.58)), kind="gu")
    for code, west in ((DONG, 126.97), (NEXT_DONG, 126.985)):
        shape = polygon(box(west, 37.56, west + 0.015, 37.58))
        add_area(owner, code, shape, kind="dong", parent_code=GU)


# declared


def test_a_declared_recusal_is_public_at_once_by_one_word(chamber: Chamber) -> None:
    proposal, member = chamber.reviewed(), chamber.members[0]
    answer = chamber.step_aside(proposal, member, "household")
    assert (answer.status_code, answer.get_json()["ground"]) == (201, "household")
    assert chamber.recusals(proposal) == {chamber.seat_of(member): ("household", "declared")}
    assert str(member.id) not in chamber.send(
        "GET", f"proposals/{proposal['id']}/recusals", None
    ).get_data(as_text=True)


def test_the_first_ground_stands_and_a_recusal_is_never_undone(chamber: Chamber) -> None:
    proposal, member = chamber.reviewed(), chamber.members[0]
    chamber.step_aside(proposal, member, "household")
    with no_trace(chamber.world):
        answer = chamber.step_aside(proposal, member, "other")
    assert (answer.status_code, answer.get_json()["ground"]) == (201, "household")
    for change in ("DELETE FROM recusal", "UPDATE recusal SET ground = 'other'"):
        with pytest.raises(DatabaseError), as_owner(chamber.world) as connection:
            connection.execute(change.encode())


def test_only_members_step_aside_and_only_on_a_ground_that_there_is(chamber: Chamber) -> None:
    proposal, stranger = chamber.reviewed(), chamber.citizen()
    path = f"/v1/proposals/{proposal['id']}/recusals"
    with no_trace(chamber.world):
        both(chamber.world, "POST", path, 403, "not-allowed", headers=stranger.headers,
             json={"ground": "household"})  # fmt: skip
        both(chamber.world, "POST", path, 422, "invalid-request",
             headers=chamber.members[0].headers, json={"ground": "mood"})  # fmt: skip


def test_whoever_is_recused_reads_nothing_gives_nothing_and_has_nothing_left(
    chamber: Chamber,
) -> None:
    proposal = chamber.reviewed()
    member, other = chamber.members[:2]
    assert chamber.opine(proposal, other).status_code == 200
    chamber.step_aside(proposal, member)
    with no_trace(chamber.world):
        path = f"/v1/proposals/{proposal['id']}"
        for method, end, more in (("PUT", "opinion", {"json": OPINION}), ("GET", "opinions", {})):
            answer = both(chamber.world, method, f"{path}/{end}", 403, "recused",
                          headers=member.headers, **more)  # fmt: skip
            assert answer.get_json()["ground"] == "household"
    assert chamber.left(member) == []


def test_a_recusal_that_is_found_after_the_opinion_closes_the_others_to_its_writer(
    chamber: Chamber,
) -> None:
    """And its writer's counts no more: nobody is shown it, not even at the judgment."""
    proposal = chamber.reviewed()
    member, other = chamber.members[:2]
    for who in (member, other):
        assert chamber.opine(proposal, who).status_code == 200
    chamber.step_aside(proposal, member)
    assert refused(chamber.opinions(proposal, member)) == (403, "recused")
    assert chamber.read(proposal, other) == [(chamber.seat_of(other), 1)]
    chamber.judge(proposal)
    assert chamber.read(proposal) == [(chamber.seat_of(other), 1)]
    assert chamber.read(proposal, member) == chamber.read(proposal)


# detected


def _wrote_it(chamber: Chamber, member: Person, proposal: dict[str, Any]) -> None:
    """Nothing more to do: the proposal is the member's."""


def _joins(chamber: Chamber, member: Person, proposal: dict[str, Any]) -> None:
    author = chamber.made_by
    body = {"citizen_id": str(member.id)}
    path = f"proposals/{proposal['id']}/co-authors"
    assert chamber.send("POST", path, author, body).status_code == 200
    assert chamber.send("POST", f"{path}/accept", member).status_code == 200


def _supports(chamber: Chamber, member: Person, proposal: dict[str, Any]) -> None:
    path = f"proposals/{proposal['id']}/support"
    assert chamber.send("PUT", path, member).status_code == 200


def _interest(**declared: Any) -> Interest:
    def declare(chamber: Chamber, member: Person, proposal: dict[str, Any]) -> None:
        path = f"committees/{chamber.committee}/seats/me/interests"
        assert chamber.send("PUT", path, member, declared).status_code == 200

    return declare


def _near(metres: float) -> Interest:
    lat, lon = moved(HERE["lat"], HERE["lon"], 90, metres)
    return _interest(points=[{"lat": lat, "lon": lon}])


INTERESTS: dict[str, tuple[str, Interest]] = {
    "author": ("author", _wrote_it),
    "co-author": ("co_author", _joins),
    "supporter": ("supporter", _supports),
    "organisation, written otherwise": ("organisation", _interest(organisations=["ＡＢＣ  모임"])),
    "declared dong": ("dong", _interest(area_codes=[DONG])),
    "point 250 m away": ("nearby", _near(250)),
}


@pytest.mark.parametrize("when", ["before it is given out", "while it is read"])
@pytest.mark.parametrize(("ground", "has"), INTERESTS.values(), ids=INTERESTS)
def test_an_interest_that_the_database_knows_recuses(
    chamber: Chamber, town_map: None, ground: str, has: Interest, when: str
) -> None:
    member = chamber.members[0]
    chamber.made_by = chamber.author()
    author = member if ground == "author" else chamber.made_by
    proposal = chamber.assessed(author, places=[HERE], organisation="abc모임")
    if when == "while it is read":
        chamber.give_out()
    has(chamber, member, proposal)
    chamber.give_out()
    seat = chamber.seat_of(member)
    assert chamber.recusals(proposal) == {seat: (ground, "detected")}
    assert len(chamber.readers(proposal)) == 2
    assert seat not in chamber.readers(proposal)


def test_whoever_lives_in_the_dong_is_recused_and_whoever_lives_in_the_next_is_not(
    world: World, town_map: None
) -> None:
    chamber = Chamber(world, members=0)
    for code in (DONG, NEXT_DONG, GU):
        chamber.members.append(chamber.seated(world.citizen(home_area=code)))
    proposal = chamber.reviewed(places=[HERE])
    assert chamber.recusals(proposal) == {chamber.seat_of(chamber.members[0]): ("dong", "detected")}


def test_what_is_no_interest_recuses_nobody(chamber: Chamber, town_map: None) -> None:
    """Far points, other organisations, an invitation by somebody who wants a reader gone."""
    author, member = chamber.author(), chamber.members[0]
    proposal = chamber.assessed(author, places=[HERE], organisation="abc모임")
    body = {"citizen_id": str(member.id)}
    invited = chamber.send("POST", f"proposals/{proposal['id']}/co-authors", author, body)
    assert invited.status_code == 200
    _near(350)(chamber, member, proposal)
    _interest(organisations=["abc"], area_codes=[NEXT_DONG])(chamber, chamber.members[1], proposal)
    chamber.give_out()
    assert chamber.recusals(proposal) == {}


def test_an_appeal_is_heard_by_people_who_took_no_part(chamber: Chamber) -> None:
    """Who gave an opinion, or assessed it, is recused; who voted on it does not read it."""
    appeals, (judge, silent, voter) = chamber.formed("appeals"), chamber.members
    for who in (judge, silent, voter, chamber.department[0]):
        chamber.seated(who, appeals)
    proposal = chamber.reviewed()
    assert chamber.opine(proposal, judge).status_code == 200
    chamber.judge(proposal, "rejected")
    with psycopg.connect(chamber.world.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")  # as if it were allowed
        connection.execute(
            "INSERT INTO judgment_vote (judgment_id, seat_id, vote, at)"
            " SELECT id, %s, 'no', now() FROM judgment",
            [chamber.seat_of(voter)],
        )
        connection.execute("UPDATE proposal SET state = 'under_review', appealed_at = now()")
    chamber.give_out()
    took_part = {chamber.seat_of(each, appeals) for each in (judge, chamber.department[0])}
    assert chamber.recusals(proposal) == dict.fromkeys(took_part, ("took_part", "detected"))
    readers = chamber.readers(proposal)
    assert chamber.seat_of(silent, appeals) in readers
    assert chamber.seat_of(voter, appeals) not in readers


# interests


def test_interests_are_shown_to_nobody_else(chamber: Chamber) -> None:
    member = chamber.members[0]
    _interest(organisations=["비밀모임"], points=[HERE])(chamber, member, {})
    path = f"committees/{chamber.committee}/seats/me/interests"
    mine = chamber.send("GET", path, member).get_json()
    assert (mine["organisations"], mine["points"]) == (["비밀모임"], [HERE])
    assert chamber.send("GET", path, chamber.members[1]).get_json()["organisations"] == []
    stranger = chamber.citizen()
    with no_trace(chamber.world):
        both(chamber.world, "GET", f"/v1/{path}", 404, "not-found", headers=stranger.headers)
        both(chamber.world, "PUT", f"/v1/{path}", 404, "not-found", headers=stranger.headers,
             json={})  # fmt: skip
    [(journal,)] = chamber.world.rows("SELECT string_agg(facts::text, '') FROM journal")
    assert "비밀모임" not in journal


def test_what_a_member_declared_for_one_committee_holds_for_all_of_the_cycle(
    chamber: Chamber, town_map: None
) -> None:
    """Who sits in a subcommittee applied to the committee, and declared their interests there."""
    plenary, (applied, declared, _) = chamber.formed("plenary"), chamber.members
    for who in (applied, declared):
        chamber.seated(who, plenary)
    interests = {"organisations": [], "points": [HERE], "text": None}
    with superuser(chamber.world) as connection:
        connection.execute(
            "INSERT INTO application VALUES (gen_random_uuid(), %s, %s, 'p', '{}', '{}', %s, '{}',"
            " now(), NULL)", [plenary, applied.id, Jsonb(interests)],
        )  # fmt: skip
    path = f"committees/{plenary}/seats/me/interests"
    assert chamber.send("PUT", path, declared, {"area_codes": [DONG]}).status_code == 200
    proposal = chamber.reviewed(places=[HERE])
    assert chamber.recusals(proposal) == {
        chamber.seat_of(who, committee): (ground, "detected")
        for who, ground in ((applied, "nearby"), (declared, "dong"))
        for committee in (chamber.committee, plenary)
    }


def test_the_export_of_an_account_holds_interests_recusals_and_opinions(
    chamber: Chamber,
) -> None:
    """Also the opinion that nobody else reads since its writer was recused."""
    proposal, member = chamber.reviewed(), chamber.members[0]
    chamber.opine(proposal, member)
    chamber.opine(proposal, chamber.members[1])
    _interest(organisations=["녹색모임"])(chamber, member, proposal)
    chamber.step_aside(proposal, member)
    taken = chamber.send("GET", "me/export", member).get_json()
    assert [each["interests"]["organisations"] for each in taken["interests"]] == [["녹색모임"]]
    assert [each["ground"] for each in taken["recusals"]] == ["household"]
    assert [each["comment"]["ko"] for each in taken["opinions"]] == [OPINION["comment"]]


def test_the_database_recuses_seats_of_the_cycle_alone(chamber: Chamber, world: World) -> None:
    elsewhere = Chamber(world, members=1)
    proposal, seat = chamber.reviewed(), elsewhere.seat_of(elsewhere.members[0])
    with pytest.raises(DatabaseError, match="own cycle"), as_owner(world) as connection:
        connection.execute(
            "INSERT INTO recusal VALUES (%s, %s, 'other', 'declared', now())",
            [proposal["id"], seat],
        )
