"""`make restore`: bring the private cluster back from its backups, as it was at an instant.

`make restore` restores the newest state that was archived, `make restore
ARGS='--to 2026-11-22T09:30:00Z'` that of an instant. The present data are set aside, not deleted.

Each restore begins a new history, a timeline of PostgreSQL's, 1 being the first. Without
`--timeline` the newest is meant: what was archived after the instant of an earlier restore, and
before that restore, is in the one before.
"""

from __future__ import annotations

import argparse
import datetime as dt
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from ops import environment, note, server
from ops.backup import system_identifier
from ops.machine import SetupError, command, only_one, say, var_dir
from ops.place import ADMIN, Cluster, find
from ops.postgres import choose
from ops.repository import LONGEST, Repository, Stanza, stanza_of
from ops.roles import connect

TRUSTED = f"local postgres {ADMIN} trust\n"
"""Until the password is set; nobody else can enter the folder of the socket."""
ENDED_BEFORE = "recovery ended before configured recovery target was reached"


def restore(
    name: str = "pg", *, to: dt.datetime | None = None, timeline: int | None = None
) -> Path | None:
    """Restore the cluster, and leave it stopped; where its former data are now, if it had any.

    *timeline*: which history is followed, the newest if it is not said.
    If anything fails, the former data are in place again. Raises SetupError.
    """
    cluster = find(name)
    if note.supervisor() or server.running(cluster):
        raise SetupError("the server runs; `make stop` first.")
    repository = Repository(cluster)
    with only_one(var_dir() / f".{name}.backup"), repository.configured("any"):
        stanza = _stanza(repository, to)
        with repository.configured(stanza.name):
            return _replace(cluster, repository, stanza, _target(to, timeline))


def _replace(
    cluster: Cluster, repository: Repository, stanza: Stanza, target: list[str]
) -> Path | None:
    archiving, aside = cluster.owner.read(cluster.archiving), _set_aside(cluster)
    try:
        repository.archive(stanza.name)  # the restored server goes on with these backups
        _restore(cluster, repository, stanza, target)
    except BaseException:
        cluster.owner.write(cluster.archiving, archiving)
        _put_back(cluster, aside)
        raise
    return aside


def _stanza(repository: Repository, to: dt.datetime | None) -> Stanza:
    """The backups of this very cluster; if it has none, those of the cluster last backed up."""
    stanzas = repository.stanzas()
    if not stanzas:
        raise SetupError(f"there is no backup in {repository.folder}.")
    own = [each for each in stanzas if each.name == _own_name(repository.cluster)]
    chosen = (own or stanzas)[-1]
    if not _reaches(chosen, to):
        first = chosen.backups[0].ended_at
        raise SetupError(f"no backup is older: the first was done at {first:%Y-%m-%dT%H:%M:%SZ}.")
    return chosen


def _own_name(cluster: Cluster) -> str:
    if not cluster.made_by:
        return ""
    return stanza_of(system_identifier(cluster, choose(cluster.made_by, cluster.data)))


def _reaches(stanza: Stanza, to: dt.datetime | None) -> bool:
    """Whether a backup was finished before; pgBackRest counts in whole seconds."""
    return to is None or stanza.backups[0].ended_at < to.replace(microsecond=0)


def _set_aside(cluster: Cluster) -> Path | None:
    if not cluster.data.exists():
        return None
    at = dt.datetime.now(dt.UTC)
    aside = cluster.home / f"data.before-{at:%Y%m%dT%H%M%SZ}"
    cluster.data.replace(aside)
    return aside


def _put_back(cluster: Cluster, aside: Path | None) -> None:
    pid = server.running(cluster) if cluster.data.exists() else None
    if pid:
        server.stop(cluster, pid)
    shutil.rmtree(cluster.data, ignore_errors=True)
    if aside:
        aside.replace(cluster.data)


def _restore(cluster: Cluster, repository: Repository, stanza: Stanza, target: list[str]) -> None:
    programs = choose(stanza.version, repository.folder)
    cluster.data.mkdir(mode=0o700)
    cluster.owner.give(cluster.data, 0o700)
    repository.run(stanza.name, "restore", *target)
    said_before = len(cluster.owner.read(cluster.log))
    try:
        server.start(cluster, programs, access=TRUSTED, patience=LONGEST)
        _wait_until(lambda: _recovered(cluster))
    except SetupError as error:
        if ENDED_BEFORE in cluster.owner.read(cluster.log)[said_before:]:
            raise SetupError(
                "nothing was archived from after that instant, so it cannot be told what belongs"
                " to it. Without --to the newest archived state is restored."
            ) from None
        raise error from None
    _set_password(cluster)
    pid = server.running(cluster)
    if pid:
        server.stop(cluster, pid)


def _target(to: dt.datetime | None, timeline: int | None) -> list[str]:
    history = [] if timeline is None else [f"--target-timeline={timeline}"]
    if to is None:
        return history
    utc = to.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")
    return ["--type=time", f"--target={utc}", "--target-action=promote", *history]


def _recovered(cluster: Cluster) -> bool:
    if not server.running(cluster):
        raise SetupError(f"PostgreSQL ended while recovering. Its words are in {cluster.log}.")
    try:
        with connect(_entrance(cluster)) as connection:
            row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
    except psycopg.OperationalError:  # it is about to end
        return False
    return row == (False,)


def _entrance(cluster: Cluster) -> str:
    return f"postgresql://{ADMIN}@/postgres?host={quote(str(cluster.socket_dir))}"


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST
    while not condition():
        if time.monotonic() > deadline:
            raise SetupError("PostgreSQL does not end its recovery.")
        time.sleep(0.1)


def _set_password(cluster: Cluster) -> None:
    """The superuser's password is the one that lies beside the data, on this machine."""
    file = cluster.home / "password"
    password = cluster.owner.read(file).strip() or secrets.token_urlsafe(24)
    cluster.owner.write(file, password)
    with connect(_entrance(cluster)) as connection:
        verifier = connection.pgconn.encrypt_password(
            password.encode(), ADMIN.encode(), b"scram-sha-256"
        ).decode()
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
        connection.execute(statement.format(sql.Identifier(ADMIN), sql.Literal(verifier)))


def instant(text: str) -> dt.datetime:
    """An instant with its offset from UTC. Raises SetupError."""
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        raise SetupError(f"--to is an instant such as 2026-11-22T09:30:00Z, not {text!r}.")
    return value


def main() -> int:
    environment.load()
    parser = argparse.ArgumentParser(prog="make restore", description=__doc__)
    parser.add_argument("--to", help="an instant, such as 2026-11-22T09:30:00Z")
    parser.add_argument("--timeline", type=int, help="a history before the newest one: 1, 2, …")
    wanted = parser.parse_args()
    if environment.given_database():
        raise SetupError("DATABASE_URL is set: whoever administers that server restores it.")
    if wanted.timeline is not None and wanted.timeline < 1:
        raise SetupError("--timeline is a number from 1 on.")
    to = instant(wanted.to) if wanted.to else None
    aside = restore(to=to, timeline=wanted.timeline)
    say("restored; `make run` starts it.")
    if aside:
        say(f"The former data are in {aside}; delete them when all is well.")
    say("Nothing is signed until the log has reached the last witnessed checkpoint again.")
    return 0


if __name__ == "__main__":
    command(main)
