"""Nothing of a source is seen on any route while another is to be counted; none is forgotten."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import transaction
from api.holders import open_keystore
from mvote.ballotbox.counting import Manner, count_poll
from tests.support.governing import twin
from tests.support.proposals import refused
from tests.support.two_sources import Two
from tests.support.waiting import PATIENCE_SECONDS, wait_until, wait_until_blocked
from tests.support.world import World
from verifier.mvote_verify import recount

TELLING = {
    "accounting", "approvals", "blank", "by_age", "by_area", "options_with_votes", "records",
    "records_hash", "selections", "share", "spoilt", "totals", "valid", "votes", "winners",
}  # fmt: skip
"""Members of answers that would tell something of a count."""


@pytest.fixture
def two(world: World) -> Two:
    return Two(world)


@pytest.fixture
def owner(engines: dict[str, Engine]) -> Iterator[Session]:
    with Session(engines["owner"]) as session:
        yield session


def get_routes(world: World) -> Iterator[str]:
    """Every address under /v1 that a poll's or a cycle's id is enough for."""
    for rule in world.app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.arguments in ({"poll_id"}, {"cycle_id"}):
            yield str(rule)


def members_of(document: Any) -> set[str]:
    if isinstance(document, dict):
        return set(document).union(*map(members_of, document.values()))
    if isinstance(document, list):
        return set().union(*map(members_of, document))
    return set()


def seen_of(world: World, two: Two) -> dict[str, set[str]]:
    """What tells something of the count, by route, for the public, a voter and an officer."""
    found: dict[str, set[str]] = {}
    ids = {"poll_id": two.citizens["id"], "cycle_id": two.year.cycle["id"]}
    for route in get_routes(world):
        path = route
        for name, value in ids.items():
            path = path.replace(f"<uuid:{name}>", value)
        for who in (None, two.members[0], two.year.officer):
            with world.client.get(path, headers=who.headers if who else {}) as answer:
                told = members_of(answer.get_json(silent=True)) & TELLING
                if told or (answer.status_code == 200 and answer.mimetype == "application/zip"):
                    found.setdefault(route, set()).update(told)
    return found


INNOCENT = {"/v1/cycles/<uuid:cycle_id>": {"records"}, "/v1/polls/<uuid:poll_id>": {"records"},
            "/v1/polls/<uuid:poll_id>/definition": {"records"},
            "/v1/polls/<uuid:poll_id>/similar": {"records"},
            "/v1/polls/<uuid:poll_id>/turnout": {"by_age", "by_area"}}  # fmt: skip
"""The plan says what will be published (`records`); the turnout that there is none yet (null)."""


def test_no_route_tells_anything_of_a_source_while_another_is_open(world: World, two: Two) -> None:
    for finish in (False, True):
        if finish:
            world.finish(two.citizens)
        assert seen_of(world, two) == INNOCENT
        for path in ("results", "records", "bundle.zip"):
            answer = world.client.get(f"/v1/polls/{two.citizens['id']}/{path}")
            assert refused(answer) == (409, "results-not-available")
            assert "accounting" not in answer.get_json()
        turnout = world.client.get(f"/v1/polls/{two.citizens['id']}/turnout").get_json()
        assert set(turnout["turnout"]) == {"ballots"}
        assert (turnout["by_area"], turnout["by_age"]) == (None, None)


def test_without_the_waiting_the_first_source_would_be_seen_at_once(
    world: World, two: Two, owner: Session
) -> None:
    """The sabotaged twin: a database that believes every contest to be finished."""
    with twin(owner, "contest_unfinished", "SELECT EXISTS", "SELECT false AND EXISTS"):
        world.finish(two.citizens)
    assert two.states() == ["published", "open"]
    assert "/v1/polls/<uuid:poll_id>/results" in seen_of(world, two)


def count_both_at_once(world: World, two: Two, *, waits: bool) -> list[str]:
    """Count both sources, the second while the first is counted but not yet committed."""
    for poll in (two.citizens, two.committee):
        world.close(poll)
    keystore = open_keystore(world.settings, "counter")

    def count(poll: dict[str, Any]) -> None:
        with Session(world.engines["counter"]) as session, transaction(session):
            count_poll(session, keystore, uuid.UUID(poll["id"]), Manner(recount=recount))

    other = threading.Thread(target=count, args=(two.committee,))
    with Session(world.engines["counter"]) as session, transaction(session):
        citizens = uuid.UUID(two.citizens["id"])
        count_poll(session, keystore, citizens, Manner(recount=recount))
        other.start()
        if waits:
            wait_until_blocked(world.admin_url, "finish_counting")
        else:
            wait_until(lambda: not other.is_alive())
    other.join(PATIENCE_SECONDS)
    return two.states()


def test_two_sources_counted_at_the_same_moment_are_released_by_the_later_one(
    world: World, two: Two
) -> None:
    assert count_both_at_once(world, two, waits=True) == ["published", "published"]


def test_without_the_lock_neither_would_see_that_the_other_is_counted(
    world: World, two: Two, owner: Session
) -> None:
    """The sabotaged twin; a later round of the counter puts it right."""
    with twin(owner, "contest_lock", "hashtextextended", "(random() * 1e9)::bigint + 0 *"
              " hashtextextended"):  # fmt: skip
        assert count_both_at_once(world, two, waits=False) == ["counted", "counted"]
    world.run_counter()
    assert two.states() == ["published", "published"]
