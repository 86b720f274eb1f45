"""A disk that fills up during casts: PostgreSQL's write-ahead log on a small one of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from ops.bench.serving import serving
from ops.bench.stage import Installation
from ops.cluster import ensure_cluster, stop_cluster
from ops.machine import SetupError
from ops.place import Cluster, find
from ops.torture.load import Load
from ops.torture.report import Line
from ops.torture.scene import Account, Scene, account, free_port

MIB = 2**20
SEGMENT = 16 * MIB
ROOM = 256  # MiB: what the log has grown to, and some; a weight takes what is left
LEFT_IN_SEGMENT = MIB // 2
JOIN = 300.0
REFUSED = 50  # casts, before there is room again


class NotPermitted(SetupError):
    """This machine does not let us mount a small disk."""


@dataclass(frozen=True)
class SmallDisk:
    """A file system of its own, with a weight that fills it."""

    folder: Path

    def fill(self) -> None:
        """Leave no room."""
        with contextlib.suppress(OSError), (self.folder / "weight").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def make_room(self) -> None:
        """Take the weight away."""
        (self.folder / "weight").unlink()


@contextlib.contextmanager
def log_on_a_small_disk(name: str) -> Iterator[SmallDisk]:
    """Move the cluster's write-ahead log to a disk of its own. Raises NotPermitted."""
    cluster = find(name)
    _shrink_log(ensure_cluster(name))
    stop_cluster(name)
    folder = cluster.home / "small"
    log = cluster.data / "pg_wal"
    with _mounted(cluster, folder):
        _move(cluster, log, folder / "pg_wal")
        log.symlink_to(folder / "pg_wal")
        ensure_cluster(name)
        try:
            yield SmallDisk(folder)
        finally:
            stop_cluster(name)
            log.unlink()
            _move(cluster, folder / "pg_wal", log)
    ensure_cluster(name)


def _move(cluster: Cluster, source: Path, target: Path) -> None:
    """From one disk to another; a copy would belong to whoever calls."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    shutil.rmtree(source)
    for path in (target, *target.rglob("*")):
        cluster.owner.give(path, 0o700)


@contextlib.contextmanager
def _mounted(cluster: Cluster, folder: Path) -> Iterator[None]:
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode:
        raise NotPermitted("a small disk cannot be mounted here")
    cluster.owner.give(folder, 0o700)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)
        folder.rmdir()


def _shrink_log(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET min_wal_size = '32MB'")
        connection.execute("ALTER SYSTEM SET wal_recycle = off")
        connection.execute("SELECT pg_reload_conf()")
        for _ in range(2):
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("CHECKPOINT")


def _use_up_the_segments(url: str) -> None:
    """So that the next casts need a new one: a checkpoint may have made some ahead."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT pg_current_wal_lsn() - '0/0', count(*) FROM pg_ls_waldir()"
            " WHERE name > pg_walfile_name(pg_current_wal_lsn()) AND name ~ '^[0-9A-F]{24}$'"
        ).fetchone()
        at, ahead = map(int, row or (0, 0))
        left = SEGMENT - at % SEGMENT + ahead * SEGMENT
        words = "x" * max(left - LEFT_IN_SEGMENT, 0)
        connection.execute("SELECT pg_logical_emit_message(true, 'x', %s)", [words])


@dataclass(frozen=True)
class Full:
    """What happened while there was no room, and after."""

    account: Account
    load: Load


def fill_the_disk(here: Installation, cluster: str, *, ballots: int) -> Full:
    """Cast, fill the disk, go on casting until it is felt; make room; all cast in the end."""
    scene = Scene.set(here)
    casters = scene.casters(ballots)
    with log_on_a_small_disk(cluster) as disk, serving(here, port=free_port()) as web:
        load = Load(web.port, scene.poll_id, scene.app.extensions["tokens"])
        load.begin(casters[: ballots // 10]).result(JOIN)
        disk.fill()
        _use_up_the_segments(here.admin_url)
        done = load.begin(casters[ballots // 10 :])
        load.wait_for_answers("503", REFUSED)
        disk.make_room()
        ensure_cluster(cluster)
        done.result(JOIN)
        scene.close()
        return Full(account(scene, casters, load.given), load)


def lines(full: Full | None) -> list[Line]:
    """What the table says of it."""
    if full is None:
        return [Line("a full disk during a cast", "skipped: no small disk can be mounted")]
    found, load = full.account, full.load
    told = ", ".join(f"{count} × {what}" for what, count in sorted(load.answers.items()))
    return [
        Line("a full disk during casts", f"{found.acknowledged:,} acknowledged ({told})"),
        Line("  lost, double", f"{found.lost}, {found.doubled}", "0, 0", holds=found.holds),
        Line("  other answers", f"{len(load.refusals)}", "0", holds=not load.refusals),
    ]
