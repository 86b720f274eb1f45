"""`make backup`: an encrypted backup of the private cluster, and from then on its log, too.

The server goes on serving. `ARGS='--type diff'` or `incr` copies only what has changed.
"""

from __future__ import annotations

import argparse
import re

from ops import environment, server
from ops.cluster import ensure_cluster, stop_cluster
from ops.machine import SetupError, command, only_one, say, var_dir
from ops.place import Cluster, find
from ops.postgres import Programs, choose
from ops.repository import Repository, key_file, stanza_of

KINDS = ("full", "diff", "incr")


def backup(name: str = "pg", *, kind: str = "full") -> Repository:
    """Back the cluster up; it is started for that if it does not run. Raises SetupError."""
    cluster = find(name)
    if not cluster.made_by:
        raise SetupError("there is no private cluster yet; `make run` makes one.")
    repository = Repository(cluster)
    with only_one(var_dir() / f".{name}.backup"):
        idle = not server.running(cluster)
        ensure_cluster(name)
        try:
            _take(cluster, repository, kind)
        finally:
            if idle:
                stop_cluster(name)
    return repository


def _take(cluster: Cluster, repository: Repository, kind: str) -> None:
    programs = choose(cluster.made_by, cluster.data)
    stanza = stanza_of(system_identifier(cluster, programs))
    with repository.configured(stanza):
        repository.run(stanza, "stanza-create")
        pid = server.running(cluster)
        if repository.archive(stanza) and pid:
            server.reload(cluster, pid, programs)
        repository.run(stanza, "backup", f"--type={kind}")


def system_identifier(cluster: Cluster, programs: Programs) -> int:
    """The number that PostgreSQL gave the cluster when it was made."""
    told = cluster.owner.run(programs.bin / "pg_controldata", cluster.data).stdout
    found = re.search(r"system identifier:\s*(\d+)", told)
    if not found:
        raise SetupError(f"{cluster.data} is no cluster of PostgreSQL.")
    return int(found[1])


def report(repository: Repository) -> str:
    """What there is now, and what the person must know."""
    newest = repository.stanzas()[-1].backups
    lines = [f"  {each.label}  {each.bytes / 2**20:8.1f} MiB" for each in newest]
    return "\n".join([
        f"backups in {repository.folder}:", *lines,
        f"Their key is in {key_file()}: keep it apart from them; without it they are lost.",
        "The keystore is not in them: back it up apart (docs/operations.md).",
    ])  # fmt: skip


def main() -> int:
    environment.load()
    parser = argparse.ArgumentParser(prog="make backup", description=__doc__)
    parser.add_argument("--type", choices=KINDS, default="full", dest="kind")
    wanted = parser.parse_args()
    if environment.given_database():
        raise SetupError("DATABASE_URL is set: whoever administers that server backs it up.")
    say(report(backup(kind=wanted.kind)))
    return 0


if __name__ == "__main__":
    command(main)
