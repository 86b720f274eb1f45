"""A PostgreSQL cluster of the clone's own: `python3 -m ops.cluster [--name pg] ACTION`.

Reached by a Unix socket only, and by password only. As root it runs as the system user `postgres`,
else as whoever calls. Tests have one of their own (`--name pg-test`). Standard library only.
"""

import argparse
import contextlib
import fcntl
import shutil
import time
from collections.abc import Iterator

from ops import server
from ops.machine import command, only_one, say, var_dir
from ops.place import Cluster, find
from ops.postgres import choose


def ensure_cluster(name: str = "pg") -> str:
    """Bring the cluster up, whatever its state was; return the superuser's URL.

    Safe to call from many processes at once. Raises SetupError with a sentence for the user.
    """
    with _alone(name) as cluster:
        programs = choose(cluster.made_by, cluster.data)
        pid = server.running(cluster)
        if pid and not server.up_to_date(cluster, pid, programs):
            say(f"PostgreSQL ({name}) runs with old programs or settings: restarting it")
            server.stop(cluster, pid)
            pid = None
        if not cluster.made_by:
            server.initialise(cluster, programs)
        if not pid:
            server.start(cluster, programs)
        return cluster.url


def stop_cluster(name: str = "pg") -> bool:
    """Stop the cluster if it runs; whether it did."""
    with _alone(name) as cluster:
        pid = server.running(cluster)
        if pid:
            server.stop(cluster, pid)
        return bool(pid)


def remove_cluster(name: str = "pg") -> None:
    """Stop the cluster and delete its data."""
    with _alone(name) as cluster:
        pid = server.running(cluster)
        if pid:
            server.stop(cluster, pid)
        shutil.rmtree(cluster.socket_dir, ignore_errors=True)
        shutil.rmtree(cluster.home)
        (var_dir() / f"{name}.home").unlink(missing_ok=True)
        if cluster.home.parent != var_dir():
            with contextlib.suppress(OSError):  # another cluster of the clone may be beside it
                cluster.home.parent.rmdir()


@contextlib.contextmanager
def borrowed_cluster(name: str) -> Iterator[tuple[str, bool]]:
    """A cluster that runs as long as anybody borrows it: the superuser's URL, and whether the
    borrower is the first."""
    use = var_dir() / f".{name}.use"
    use.parent.mkdir(parents=True, exist_ok=True)
    with use.open("a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        first = not server.running(find(name))
        try:
            yield ensure_cluster(name), first
        finally:
            with contextlib.suppress(BlockingIOError):  # somebody else still uses it
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stop_cluster(name)


@contextlib.contextmanager
def _alone(name: str) -> Iterator[Cluster]:
    with only_one(var_dir() / f".{name}.lock"):
        yield find(name)


def _report(name: str) -> int:
    with _alone(name) as cluster:
        pid = server.running(cluster)
        say(f"{name}: {f'runs as process {pid}' if pid else 'is stopped'}, in {cluster.home}")
        return 0 if pid else 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m ops.cluster", description=__doc__)
    parser.add_argument("--name", default="pg", help="which of the clone's clusters")
    parser.add_argument("action", choices=["up", "down", "status", "url", "remove"])
    wanted = parser.parse_args()
    if wanted.action == "status":
        return _report(wanted.name)
    if wanted.action == "url":
        print(find(wanted.name).url)
        return 0
    began = time.monotonic()
    actions = {"up": ensure_cluster, "down": stop_cluster, "remove": remove_cluster}
    actions[wanted.action](wanted.name)
    done = {"up": "up", "down": "down", "remove": "removed"}[wanted.action]
    say(f"{wanted.name} is {done} ({time.monotonic() - began:.1f} s)")
    return 0


if __name__ == "__main__":
    command(main)
