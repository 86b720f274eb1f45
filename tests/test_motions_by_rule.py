"""The majority of a motion: as the cycle's review has it, whole or in part, and by the database."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.budgets import definition_of
from tests.support.deciding import COSTS, Council
from tests.support.world import World


def held_by(world: World, **review: Any) -> Council:
    """A contest that is allocated in a cycle with this review, and a plenary of five."""
    said = definition_of(2015)["review"] | review
    year = Council(world, 2023, budget_limit=80, review=said)
    [contest] = year.definition["contests"]
    contest["ballot"]["limits"] = [{"over": "all", "count": {"min": 1, "max": 5}}]
    year.projects(5, amount=lambda n: COSTS[n])
    year.plenary(5)
    poll = year.open("citizens")
    year.vote(poll, [year.references[:5]] * 5, year.citizens(5))
    year.finish(poll)
    year.allocated()
    return year


@pytest.mark.parametrize(
    ("review", "yes", "state"),
    [
        ({"quorum": {"floor": 3}}, 2, "carried"),
        ({"carried": {}, "quorum": {}}, 2, "carried"),
        ({"carried": {"more_than": "2/3"}}, 2, "lost"),
        ({"carried": {"more_than": "3/5"}}, 2, "carried"),
    ],
    ids=["only the floor", "neither", "two thirds", "three fifths"],
)
def test_what_a_review_leaves_open_is_a_half(
    world: World, review: dict[str, Any], yes: int, state: str
) -> None:
    year = held_by(world, **{"quorum": {"more_than": "1/2", "floor": 1}} | review)
    motion = year.laid()
    for n, member in enumerate(year.members[:3]):
        assert year.say(motion, member, "yes" if n < yes else "no").status_code == 200
    judged = year.judge(motion)
    assert (judged.status_code, judged.get_json()["state"]) == (200, state)


SAID = "UPDATE motion SET state = %s, entitled = %s, yes = %s, no = %s, abstain = 0,"
JUDGED = SAID + " judged_by = laid_by, judged_at = now()"


@pytest.mark.parametrize(
    ("state", "entitled", "yes", "no"),
    [("carried", 5, 1, 2), ("lost", 5, 2, 1), ("carried", 5, 2, 0), ("carried", 6, 2, 1)],
    ids=["carried by a minority", "lost by a majority", "without a quorum", "more than there are"],
)
def test_the_database_itself_counts_the_majority(
    world: World, state: str, entitled: int, yes: int, no: int
) -> None:
    year = held_by(world, quorum={"more_than": "1/2", "floor": 1})
    motion = year.laid()
    for n, member in enumerate(year.members):
        year.say(motion, member, "yes" if n < 3 else "no")
    with (
        psycopg.connect(world.admin_url) as connection,
        pytest.raises(psycopg.errors.RestrictViolation, match="majority"),
    ):
        connection.execute(JUDGED, [state, entitled, yes, no])
