"""Where too few sit to decide, nobody is told to wait: the quorum is named, and who can help."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.deciding import Council, held
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.world import World


@pytest.fixture
def year(world: World) -> Council:
    """Votes are counted, the money is allocated; a plenary of five, which is the floor."""
    council = held(world)
    council.allocated()
    return council


def vacate(world: World, year: Council, count: int) -> None:
    """Let the last of the members be gone, past the guards."""
    gone = [each.id for each in year.members[-count:]]
    with psycopg.connect(world.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE seat SET state = 'vacant', citizen_id = NULL, vacated_at = now()"
            " WHERE citizen_id = ANY(%s)",
            [gone],
        )


def test_a_plenary_below_the_floor_is_told_what_is_missing_and_who_can_help(
    world: World, year: Council
) -> None:
    motion = year.laid()
    vacate(world, year, 2)
    for member in year.members[:3]:
        year.say(motion, member)
    with no_trace(world):
        answer = year.judge(motion)
    assert refused(answer) == (409, "quorum-not-reached")
    facts = answer.get_json()
    assert (facts["floor"], "not_voted" in facts) == (5, False)  # there is nobody to wait for
    [body] = facts["bodies"]
    assert (body["filled"], body["missing"], body["recused"]) == (3, 2, [])
    [listed] = year.of_cycle("GET", "motions").get_json()["items"]
    assert body["body"] == listed["committee_id"]
    assert facts["next_step"]


def test_who_has_not_voted_is_waited_for_where_enough_sit(year: Council) -> None:
    motion = year.laid()
    for member in year.members[:2]:
        year.say(motion, member)
    facts = year.judge(motion).get_json()
    assert (facts["entitled"], facts["needed"], len(facts["not_voted"])) == (5, 3, 3)
    assert year.say(motion, year.members[2]).status_code == 200
    assert year.judge(motion).get_json()["state"] == "carried"
