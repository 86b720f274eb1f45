"""A file that is sent again: the same one, and nobody finds it gone before their draft names it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.budget.files import PICTURE_TYPES, forget_orphans, keep_file
from tests.support.racing import Beside
from tests.support.waiting import wait_until_blocked
from tests.support.world import World
from tests.test_poll_images import keep_house, make_old, sent

PICTURE = b"the very same bytes"


def test_a_file_that_is_sent_again_waits_as_long_as_a_new_one(world: World) -> None:
    first, second = world.officer(), world.officer()
    picture = sent(world, first)
    make_old(world)
    assert sent(world, second)["url"] == picture["url"]
    keep_house(world)
    assert world.client.get(picture["url"]).status_code == 200
    [(kept_by, is_old)] = world.rows(
        "SELECT kept_by, kept_at < now() - interval '30 days' FROM stored_file"
    )
    assert (kept_by, is_old) == (first.id, True)
    make_old(world)
    keep_house(world)
    assert world.count("stored_file") == 0


@pytest.mark.parametrize("change", ["kept_by = kept_by", "kept_at = now()", "content = 'x'"])
def test_nothing_of_a_file_changes_but_when_it_was_last_sent(
    world: World, owner: Session, change: str
) -> None:
    sent(world, world.officer())
    with pytest.raises(DBAPIError):
        owner.execute(text(f"UPDATE stored_file SET {change}"))  # noqa: S608


def send(world: World) -> Callable[[Session], object]:
    by = world.officer().id
    return lambda session: keep_file(session, content=PICTURE, media_type=PICTURE_TYPES[0], by=by)


@pytest.mark.parametrize("sweeps_first", [True, False])
def test_a_file_that_is_swept_away_while_it_is_sent_again_is_there(
    world: World, sweeps_first: bool
) -> None:
    api, sending = world.engines["api"], send(world)
    with Session(api) as session, transaction(session):
        sending(session)
    make_old(world)
    first, second = (forget_orphans, sending) if sweeps_first else (sending, forget_orphans)
    waits_in = "UPDATE stored_file" if sweeps_first else "forget_orphan_files"

    def beside() -> None:
        with Session(api) as session, transaction(session):
            second(session)

    with Session(api) as session, transaction(session):
        first(session)
        with_them = Beside(beside).__enter__()
        wait_until_blocked(world.admin_url, waits_in)
    with_them.__exit__()
    assert with_them.error is None
    assert world.rows("SELECT content FROM stored_file") == [(PICTURE,)]
