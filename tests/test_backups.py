"""Backups of the private cluster: encrypted, without keys, and good for going back in time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from api.app import create_app
from api.db import db
from mvote.ballotbox.merkle import leaf_hash, root_of
from mvote.ballotbox.shuffling import Batch, close_poll, shuffle
from mvote.ballotbox.slot import cast_ballots
from mvote.ballotbox.stock import fill_stock
from ops import server
from ops.backup import backup
from ops.bench.counting import sealed_rows
from ops.bench.polls import open_a_poll
from ops.bench.stage import Installation, staged
from ops.cluster import ensure_cluster, stop_cluster
from ops.machine import SetupError
from ops.place import Cluster, find
from ops.repository import Repository, backup_key, key_file, program
from ops.restore import restore
from ops.roles import connect
from tests.support.waiting import wait_until

NAME = "pg-backups"
BALLOTS = 40
KEY_BYTES = 32


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation on a cluster of its own, which is backed up, stopped and restored."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAR_DIR", str(tmp_path_factory.mktemp("var")))
        for name in ("BACKUP_DIR", "BACKUP_KEY_FILE", "BACKUPS_KEPT"):
            patch.delenv(name, raising=False)
        with staged(NAME) as stage, stage.installation("mvote") as installation:
            yield installation
            ensure_cluster(NAME)


@pytest.fixture(scope="module")
def first_backup(here: Installation) -> Repository:
    """The backups of the cluster: one was made."""
    return backup(NAME)


@pytest.fixture
def repository(first_backup: Repository) -> Repository:
    """The backups of the cluster, which runs."""
    ensure_cluster(NAME)
    return first_backup


def instant(here: Installation) -> dt.datetime:
    """The present instant of the database, in a second that no backup was finished in."""
    with psycopg.connect(here.admin_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_sleep_until(date_trunc('second', clock_timestamp()) + '1 second')"
        )
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row
    found = row[0]
    assert isinstance(found, dt.datetime)
    return found


def closed_poll(here: Installation) -> uuid.UUID:
    """A poll with ballots, closed and in the log."""
    app = create_app(here.settings)
    with here.acting_as("counter") as session:
        fill_stock(session, here.keystore("counter"), wanted=2)
    poll_id = open_a_poll(here, app)
    with app.app_context():
        for rows in sealed_rows(here, poll_id, BALLOTS):
            with here.acting_as("api") as session:
                assert set(cast_ballots(session, poll_id, rows)) == {"recorded"}
        db.engine.dispose()
    with psycopg.connect(here.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE poll SET closes_at = clock_timestamp() WHERE id = %s", [poll_id])
    with here.acting_as("shuffler") as session:
        assert close_poll(session, poll_id)
    with here.acting_as("shuffler") as session:
        batch = shuffle(session, here.keystore("shuffler"), poll_id)
        assert batch == Batch(ballots=BALLOTS, waiting=0)
    return poll_id


def root(here: Installation, poll_id: uuid.UUID) -> bytes:
    """The root over the entries of the log as they are."""
    query = "SELECT kind, data FROM log_entry WHERE poll_id = %s ORDER BY idx"
    with psycopg.connect(here.admin_url) as connection:
        entries = connection.execute(query, [poll_id]).fetchall()
    return root_of([leaf_hash(bytes([kind]) + bytes(data)) for kind, data in entries])


def test_a_restore_to_an_instant_gives_the_log_the_root_that_it_had_then(
    here: Installation, repository: Repository
) -> None:
    poll_id = closed_poll(here)
    published, at = root(here, poll_id), instant(here)
    with psycopg.connect(here.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE log_entry SET data = sha256(data) WHERE kind = 0")
    assert root(here, poll_id) != published
    stop_cluster(NAME)
    aside = restore(NAME, to=at)
    ensure_cluster(NAME)
    assert root(here, poll_id) == published
    assert aside
    assert (aside / "PG_VERSION").exists()


def test_a_restore_without_an_instant_brings_everything_that_was_archived(
    here: Installation, repository: Repository
) -> None:
    poll_id = closed_poll(here)
    published = root(here, poll_id)
    stop_cluster(NAME)
    restore(NAME)
    ensure_cluster(NAME)
    assert root(here, poll_id) == published


def test_a_restored_server_lets_in_with_the_password_and_not_without(
    here: Installation, repository: Repository
) -> None:
    stop_cluster(NAME)
    restore(NAME)
    url = ensure_cluster(NAME)
    assert asked(url, "SELECT 1") == 1
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(f"postgresql://postgres@/postgres?host={find(NAME).socket_dir}")


def test_a_running_server_is_not_restored_over(here: Installation, repository: Repository) -> None:
    with pytest.raises(SetupError, match="make stop"):
        restore(NAME)
    assert server.running(find(NAME))


@pytest.mark.parametrize(
    ("hours", "words"), [(-1000, "no backup is older"), (1000, "nothing was archived from after")]
)
def test_a_restore_that_is_not_possible_leaves_the_data_as_they_were(
    here: Installation, repository: Repository, hours: int, words: str
) -> None:
    at = instant(here) + dt.timedelta(hours=hours)
    stop_cluster(NAME)
    inode = find(NAME).data.stat().st_ino
    with pytest.raises(SetupError, match=words):
        restore(NAME, to=at)
    assert find(NAME).data.stat().st_ino == inode
    assert asked(ensure_cluster(NAME), "SELECT 1") == 1


def test_no_key_and_no_word_of_the_database_can_be_read_in_the_backup(
    here: Installation, repository: Repository
) -> None:
    """Encrypted, it shows nothing; decrypted, it holds the database's words, but no key."""
    closed_poll(here)
    backup(NAME)
    keys, words = key_bytes(here), b"quarantined_envelope"
    assert not holds(repository.folder, [words, *keys, backup_key().encode()])
    opened = decrypted(repository)
    assert holds(opened, [words])
    assert not holds(opened, [*keys, backup_key().encode()])
    assert {p.name for p in opened.rglob("*")}.isdisjoint({key_file().name, "keys"})
    planted = opened / "planted"
    planted.write_bytes(b"..." + keys[0].hex().encode())
    assert holds(opened, keys)  # the search would have found it


def key_bytes(here: Installation) -> list[bytes]:
    """Every key of every holder as it is and as it lies wrapped; and what unwraps them."""
    plain = [
        here.keystore(holder).get(name)
        for holder in ("api", "shuffler", "counter")
        for name in here.keystore(holder).names("")
    ]
    files = [path.read_bytes() for path in here.settings.keystore.rglob("*") if path.is_file()]
    masters = [value.encode() for value in here.settings.master_keys.values()]
    assert len(plain) >= 10
    return [each for each in (*plain, *files, *masters) if len(each) >= KEY_BYTES]


def holds(folder: Path, needles: list[bytes]) -> bool:
    """Whether a file below *folder* holds one of the needles, in bytes or in hex."""
    wanted = [*needles, *(needle.hex().encode() for needle in needles)]
    contents = (path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return any(needle in content for content in contents for needle in wanted)


def decrypted(repository: Repository) -> Path:
    """What the newest backup holds, laid out in a folder."""
    [*_, stanza] = repository.stanzas()
    owner, folder = repository.cluster.owner, repository.cluster.home / "opened"
    folder.mkdir(mode=0o700)
    owner.give(folder, 0o700)
    repository.run(stanza.name, "restore", f"--pg1-path={folder}", "--archive-mode=off")
    return folder


def test_the_key_is_made_once_lies_outside_and_only_its_owner_reads_it(
    here: Installation, repository: Repository
) -> None:
    assert backup_key() == backup_key()
    assert key_file().stat().st_mode & 0o777 == 0o600
    assert repository.folder not in key_file().parents
    assert find(NAME).data not in key_file().parents
    assert repository.config.stat().st_mode & 0o777 == 0o600


def test_without_its_key_a_backup_is_not_restored(
    here: Installation, repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stop_cluster(NAME)
    monkeypatch.setenv("BACKUP_KEY_FILE", str(tmp_path / "another.key"))
    with pytest.raises(SetupError, match="cannot be read"):
        restore(NAME)
    monkeypatch.delenv("BACKUP_KEY_FILE")
    ensure_cluster(NAME)


def test_as_many_full_backups_are_kept_as_configured(
    here: Installation, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKUPS_KEPT", "1")
    backup(NAME)
    [stanza] = repository.stanzas()
    assert len(stanza.backups) == 1


@pytest.mark.parametrize("kept", ["0", "-1", "many"])
def test_a_number_of_backups_that_is_none_is_refused(
    here: Installation, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    monkeypatch.setenv("BACKUPS_KEPT", kept)
    with pytest.raises(SetupError, match="BACKUPS_KEPT"):
        backup(NAME)


def test_before_the_first_backup_the_log_goes_nowhere_and_the_server_is_not_restarted_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    with staged("pg-first") as stage:
        cluster = find("pg-first")
        before = server.running(cluster)
        assert asked(stage.admin_url, "SHOW archive_command") == "true"
        backup("pg-first")
        assert server.running(cluster) == before
        assert str(program()) in str(asked(stage.admin_url, "SHOW archive_command"))
        assert ensure_cluster("pg-first") == stage.admin_url
        assert server.running(cluster) == before


def asked(url: str, question: str) -> object:
    with connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def test_an_archive_that_cannot_be_written_fills_no_disk_and_stops_no_writing(
    here: Installation, repository: Repository
) -> None:
    """Beyond the limit the oldest part of the log is let go; the next full backup heals the gap."""
    cluster = repository.cluster
    config = cluster.owner.read(repository.config)
    cluster.owner.write(repository.config, with_little_room(config, cluster))
    url = ensure_cluster(NAME)
    with connect(url) as connection:
        for _ in range(4):  # of 16 MiB each
            connection.execute("SELECT pg_logical_emit_message(false, 'x', 'y')")
            connection.execute("SELECT pg_switch_wal()")
        wait_until(lambda: len(waiting_segments(cluster)) == 2)
    backup(NAME)
    assert "nowhere" not in cluster.owner.read(repository.config)


def with_little_room(config: str, cluster: Cluster) -> str:
    """The configuration with an archive that is not there, and no patience with it."""
    lost = f"repo1-path={cluster.home}/nowhere"
    lines = [lost if line.startswith("repo1-path") else line for line in config.splitlines()]
    return "\n".join(lines).replace("queue-max=4GiB", "queue-max=32MB") + "\n"


def waiting_segments(cluster: Cluster) -> list[str]:
    return [each.name for each in (cluster.data / "pg_wal/archive_status").glob("*.ready")]
