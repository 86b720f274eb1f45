"""How the demo's closed poll is counted: twice, as any poll, or not by the demo at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.commands.areas import owner_session
from api.demo import loading
from tests.support.city import City, a_city
from tests.support.database import TestCluster


@pytest.mark.parametrize("again", [True, False], ids=["counted-twice", "left-to-the-worker"])
def test_the_demos_result_is_counted_twice_or_left_to_the_worker(
    cluster: TestCluster, worker_id: str, tmp_path: Path, *, again: bool
) -> None:
    with a_city(cluster, f"ending_{worker_id}", tmp_path) as city:
        if not again:
            city.app.extensions["recount"] = None
        with city.app.app_context():
            loading.load(say=lambda _: None, as_owner=lambda: owner_session(city.settings))
        assert _ended(city) == ([("published", True)] if again else [("closed", None)])


def _ended(city: City) -> list[tuple[object, ...]]:
    """State of the closed poll, and whether its result was counted again; None without one."""
    return city.rows(
        "SELECT state, recounted FROM poll LEFT JOIN result ON poll_id = id WHERE state <> 'open'"
        " AND content #>> '{title,en}' LIKE '%%new public bicycle stations%%'"
    )
