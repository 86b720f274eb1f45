"""What nobody may do to a log, not even its owner."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.support.city_log import CityLog
from tests.support.world import World


@pytest.fixture
def city(world: World) -> CityLog:
    return CityLog(world.engines["shuffler"], world.admin_url)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tree_tile SET hashes = sha256('x') || sha256('y') || sha256('z')",
        "UPDATE tree_tile SET hashes = substr(hashes, 1, 32)",
        "DELETE FROM tree_tile",
        "UPDATE checkpoint SET root = sha256('x')",
        "UPDATE checkpoint SET note = 'other' WHERE note IS NOT NULL",
        "DELETE FROM checkpoint",
        "INSERT INTO checkpoint VALUES ('00000000-0000-0000-0000-000000000000', 1, sha256('x'))",
        "INSERT INTO log_entry SELECT poll_id, 7, 5, data FROM log_entry LIMIT 1",
        "INSERT INTO log_entry SELECT poll_id, 2, 3, sha256('x') FROM log_entry LIMIT 1",
        "UPDATE log_entry SET data = data",
        "DELETE FROM log_entry",
    ],
)
def test_not_even_the_owner_rewrites_a_log(city: CityLog, owner: Session, statement: str) -> None:
    city.append(2)
    owner.execute(text("UPDATE checkpoint SET note = 'signed'"))
    owner.commit()
    with pytest.raises(IntegrityError):
        owner.execute(text(statement))
