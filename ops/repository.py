"""The backups of the private cluster: pgBackRest, its configuration, its key, what it holds.

The repository is encrypted. Its key lies in a file of its own, outside the repository and the
cluster; the keystore with the polls' keys is no part of either.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import secrets
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from ops.machine import SetupError, var_dir, write_private
from ops.place import ADMIN, Cluster

LONGEST = 6 * 3600  # seconds that a backup or a restore may take
QUEUE_MAX = "4GiB"
UNREADABLE = 99  # pgBackRest's "other" state of a stanza: damaged, or of another key
CONFIG = """\
# Written anew by `make backup` and `make restore`. It holds the key of the backups.
[global]
repo1-path={repository}
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass={key}
repo1-retention-full={kept}
compress-type={compression}
start-fast=y
stop-auto=y
archive-push-queue-max={queue_max}
log-level-console=warn
log-level-file=off
lock-path={home}/backup.lock
spool-path={home}/backup.spool

[{stanza}]
pg1-path={data}
pg1-socket-path={socket_dir}
pg1-user={admin}
"""
ARCHIVING = """\
# The write-ahead log goes to the backups, at the latest a minute after it was written.
archive_command = '{command}'
archive_timeout = 60
"""


@dataclass(frozen=True)
class Backup:
    """One finished backup: its name, and the instants between which it was made."""

    label: str
    kind: str
    began_at: dt.datetime
    ended_at: dt.datetime
    bytes: int


@dataclass(frozen=True)
class Stanza:
    """All backups of one cluster, the oldest first, and the PostgreSQL that made them."""

    name: str
    version: str
    backups: list[Backup]


@dataclass(frozen=True)
class Repository:
    """The place of the backups of a cluster (`BACKUP_DIR`, else beside the cluster)."""

    cluster: Cluster

    @cached_property
    def folder(self) -> Path:
        """Where the backups are, open to the cluster's user alone."""
        beside = self.cluster.home.parent / "backups"
        return Path(os.environ.get("BACKUP_DIR") or beside).resolve()

    @property
    def config(self) -> Path:
        return self.cluster.home / "pgbackrest.conf"

    @contextlib.contextmanager
    def configured(self, stanza: str) -> Iterator[None]:
        """With a configuration for that stanza. It stays, but after a failure the former is back:
        with a wrong key or folder the running server could archive no longer."""
        former = self.cluster.owner.read(self.config)
        try:
            self._configure(stanza)
            yield
        except BaseException:
            if former:
                self.cluster.owner.write(self.config, former)
            raise

    def _configure(self, stanza: str) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.cluster.owner.give(self.folder, 0o700)
        if not self.cluster.owner.reaches(self.folder):
            raise SetupError(f"PostgreSQL's user cannot write to BACKUP_DIR, {self.folder}.")
        spool = self.cluster.home / "backup.spool"  # the usual one belongs to the system's user
        spool.mkdir(mode=0o700, exist_ok=True)
        self.cluster.owner.give(spool, 0o700)
        text = CONFIG.format(
            repository=self.folder,
            key=backup_key(),
            kept=backups_kept(),
            compression="lz4",
            queue_max=QUEUE_MAX,
            home=self.cluster.home,
            stanza=stanza,
            data=self.cluster.data,
            socket_dir=self.cluster.socket_dir,
            admin=ADMIN,
        )
        self.cluster.owner.write(self.config, text)

    def archive(self, stanza: str) -> bool:
        """Have the write-ahead log archived from the next reload on; whether it was not yet."""
        words = ["nice", "-n", "10", *self._words(stanza), "archive-push"]
        command = f"{shlex.join(words).replace('%', '%%')} %p".replace("'", "''")
        text = ARCHIVING.format(command=command)
        changed = self.cluster.owner.read(self.cluster.archiving) != text
        self.cluster.owner.write(self.cluster.archiving, text)
        return changed

    def _words(self, stanza: str) -> list[str]:
        return [str(program()), f"--config={self.config}", f"--stanza={stanza}"]

    def run(self, stanza: str, *words: str) -> CompletedProcess[str]:
        """Let pgBackRest do something as the cluster's user. Raises SetupError with its words."""
        password = self.cluster.owner.read(self.cluster.home / "password").strip()
        done = self.cluster.owner.run(
            *self._words(stanza), *words, timeout=LONGEST, PGPASSWORD=password
        )
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip()
            raise SetupError(f"pgBackRest failed ({' '.join(words)}):\n{said}")
        return done

    def stanzas(self) -> list[Stanza]:
        """What the repository holds, that with the newest backup last."""
        words = [str(program()), f"--config={self.config}", "--output=json", "info"]
        done = self.cluster.owner.run(*words)
        if done.returncode != 0:
            raise SetupError(f"the backups in {self.folder} cannot be read:\n{done.stderr}")
        told = json.loads(done.stdout or "[]", strict=False)
        if any(each["status"]["code"] == UNREADABLE for each in told):
            raise SetupError(f"the backups in {self.folder} cannot be read with {key_file()}.")
        found = [_stanza(each) for each in told]
        return sorted((s for s in found if s.backups), key=lambda s: s.backups[-1].ended_at)


def _stanza(told: dict[str, object]) -> Stanza:
    match told:
        case {"name": str(name), "backup": list(backups), "db": [*_, {"version": str(version)}]}:
            return Stanza(name, version, [_backup(each) for each in backups])
    return Stanza(str(told.get("name")), "", [])


def _backup(told: dict[str, Any]) -> Backup:
    times, size = told["timestamp"], told["info"]["repository"]
    began, ended = (
        dt.datetime.fromtimestamp(int(str(times[k])), dt.UTC) for k in ("start", "stop")
    )
    stored = size["size"] if isinstance(size, dict) and "size" in size else 0
    return Backup(str(told["label"]), str(told["type"]), began, ended, stored)


def program() -> Path:
    """pgBackRest. Raises SetupError where it is not installed."""
    found = shutil.which("pgbackrest")
    if not found:
        raise SetupError("pgbackrest is missing; `apt-get install pgbackrest` installs it.")
    return Path(found)


def key_file() -> Path:
    """Where the key of the backups lies (`BACKUP_KEY_FILE`): never where the backups are."""
    return Path(os.environ.get("BACKUP_KEY_FILE") or var_dir() / "backup.key").resolve()


def backup_key() -> str:
    """The key that encrypts the backups, made at first use."""
    file = key_file()
    if not file.exists():
        write_private(file, secrets.token_urlsafe(48) + "\n")
    key = file.read_text("utf-8").strip()
    if len(key) < 32 or any(letter.isspace() for letter in key):
        raise SetupError(f"{file} holds no key: one line of 32 letters and digits at least.")
    return key


def backups_kept() -> int:
    """How many full backups are kept (`BACKUPS_KEPT`), with all that is needed between them."""
    text = os.environ.get("BACKUPS_KEPT") or "7"
    if not (text.isdigit() and 0 < int(text) < 10_000):
        raise SetupError(f"BACKUPS_KEPT is a number from 1 to 9999, not {text!r}.")
    return int(text)


def stanza_of(system_identifier: int) -> str:
    """The name under which the backups of one cluster lie: a new cluster never mixes with them."""
    return f"mvote-{system_identifier}"
