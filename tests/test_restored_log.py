"""A real backup, restored to an instant: the log is the one published then, and no other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.orm import Session

from api.witnesses import clerk_of
from jobs import shuffler_round
from mvote.ballotbox import log
from mvote.ballotbox.checkpoints import read_checkpoint
from mvote.ballotbox.slot import cast_ballots
from ops.backup import backup
from ops.bench.counting import sealed_rows
from ops.bench.stage import Installation, staged
from ops.cluster import ensure_cluster, stop_cluster
from ops.restore import restore
from ops.torture.scene import Scene

NAME = "pg-restored"
BALLOTS = 20


@pytest.fixture
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation on a cluster of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAR_DIR", str(tmp_path_factory.mktemp("var")))
        for name in ("BACKUP_DIR", "BACKUP_KEY_FILE", "BACKUPS_KEPT"):
            patch.delenv(name, raising=False)
        with staged(NAME) as stage, stage.installation("mvote") as installation:
            yield installation
            ensure_cluster(NAME)


def closed_poll(here: Installation) -> Scene:
    """A poll with ballots; a round of the shuffler closed it and signed what it could."""
    scene = Scene.set(here)
    with scene.app.app_context():
        for rows in sealed_rows(here, scene.poll_id, BALLOTS):
            with here.acting_as("api") as session:
                assert set(cast_ballots(session, scene.poll_id, rows)) == {"recorded"}
    scene.leave()
    scene.end_voting()
    engine, keystore = here.engine("shuffler"), here.keystore("shuffler")
    shuffler_round(engine, keystore, clerk=clerk_of(here.settings, engine, keystore))
    engine.dispose()
    return scene


def note(scene: Scene) -> str | None:
    """The newest checkpoint of the poll, if it is signed."""
    query = "SELECT note FROM checkpoint WHERE poll_id = %s ORDER BY size DESC LIMIT 1"
    with psycopg.connect(scene.here.admin_url) as connection:
        row = connection.execute(query, [scene.poll_id]).fetchone()
    assert row
    return None if row[0] is None else str(row[0])


def next_second(here: Installation) -> dt.datetime:
    """An instant in a second that no backup was finished in."""
    with psycopg.connect(here.admin_url, autocommit=True) as connection:
        connection.execute("SELECT pg_sleep_until(date_trunc('second', now()) + '1 second')")
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row
    assert isinstance(row[0], dt.datetime)
    return row[0]


def test_after_a_restore_the_root_is_that_of_the_checkpoint_and_the_shuffler_signs_nothing(
    here: Installation,
) -> None:
    backup(NAME)
    first = closed_poll(here)
    published, at = note(first), next_second(here)
    assert published
    second = closed_poll(here)
    assert note(second)
    stop_cluster(NAME)
    restore(NAME, to=at)
    ensure_cluster(NAME)
    with here.acting_as("api") as session:
        checkpoint = read_checkpoint(published)
        assert log.root_at(session, first.poll_id, checkpoint.size) == checkpoint.root
        assert _ballots(session, first) == BALLOTS
    assert note(first) == published
    assert second.count("log_entry") == 0
    assert note(closed_poll(here)) is None  # what was signed of the second poll is not there


def test_who_restored_too_early_a_state_gets_a_later_one_from_the_timeline_before(
    here: Installation,
) -> None:
    backup(NAME)
    before, timeline = next_second(here), _timeline(here)
    poll = closed_poll(here)
    later = next_second(here)
    closed_poll(here)  # something that is archived after that instant
    stop_cluster(NAME)
    restore(NAME, to=before)
    ensure_cluster(NAME)
    assert poll.count("log_entry") == 0
    stop_cluster(NAME)
    restore(NAME, to=later, timeline=timeline)
    ensure_cluster(NAME)
    assert poll.count("log_entry") == BALLOTS + 1


def _timeline(here: Installation) -> int:
    with psycopg.connect(here.admin_url) as connection:
        row = connection.execute("SELECT timeline_id FROM pg_control_checkpoint()").fetchone()
    assert row
    return int(row[0])


def _ballots(session: Session, scene: Scene) -> int:
    entries = log.entries_between(session, scene.poll_id, start=0, end=BALLOTS + 1)
    return sum(kind == log.BALLOT_ENTRY for _, kind, _ in entries)
