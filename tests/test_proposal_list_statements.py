"""A list of proposals asks the database as often for a hundred as for two."""

from __future__ import annotations

from api.db import db
from tests.support.balloting import Balloting, field
from tests.support.places import Statements
from tests.support.world import World


def asked_for(year: Balloting) -> int:
    """How many statements a list of all takes."""
    path = f"/v1/cycles/{year.cycle['id']}/proposals?limit=100"
    with year.world.app.app_context():
        engine = db.engine
    with Statements(engine) as statements:
        answer = year.world.client.get(path)
    assert statements.heard
    assert len(answer.get_json()["items"]) == len(year.references)
    return len(statements.heard)


def test_how_many_were_sent_back_or_struck_makes_no_difference(world: World) -> None:
    year = Balloting(world, 2015)
    for state in ("returned", "struck"):
        year.projects(1, heading=field, state=state)
    few = asked_for(year)
    for state in ("returned", "struck"):
        year.projects(20, heading=field, state=state)
    assert asked_for(year) == few
