"""`make test`: the tests on a cluster of their own, which is stopped when nobody uses it."""

import os
import subprocess
import sys

from ops.cluster import borrowed_cluster
from ops.machine import ROOT, command
from ops.roles import connect, drop_database

CLUSTER = "pg-test"
OPTIONS = ("--numprocesses", "2", "--dist", "loadfile")
TEMPLATES_KEPT = 3


def drop_leftovers(admin_url: str) -> None:
    """Drop what earlier runs have left, but the newest migrated templates: they save time."""
    query = (
        "SELECT datname FROM pg_database WHERE starts_with(datname, 'mvote') AND datname NOT IN ("
        " SELECT datname FROM pg_database WHERE starts_with(datname, 'mvote_template_')"
        " ORDER BY oid DESC LIMIT %s)"
    )
    with connect(admin_url) as connection:
        names = connection.execute(query, [TEMPLATES_KEPT]).fetchall()
    for (name,) in names:
        drop_database(admin_url, str(name))


def main() -> int:
    # The tests' own configuration decides, not the one of a demo or of a given database.
    outside = {name for name in os.environ if name.endswith("DATABASE_URL")}
    settings = {name: value for name, value in os.environ.items() if name not in outside}
    with borrowed_cluster(CLUSTER) as (admin_url, alone):
        if alone:
            drop_leftovers(admin_url)
        words = [sys.executable, "-m", "pytest", *OPTIONS, *sys.argv[1:]]
        return subprocess.run(words, cwd=ROOT, env=settings, check=False).returncode


if __name__ == "__main__":
    command(main)
