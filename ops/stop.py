"""`make stop`: ends the `make run` of this clone, and its private cluster."""

import os
import signal

from ops import environment, note
from ops.children import gone
from ops.cluster import stop_cluster
from ops.machine import SetupError, birth, command, say
from ops.place import exists

PATIENCE = 60  # seconds; two children and a database have to end


def stop_all() -> None:
    """Leave nothing running that this clone has started, and say what was."""
    pid = note.supervisor()
    if pid is not None:
        started = birth(pid)
        try:
            os.kill(pid, signal.SIGTERM)
        except PermissionError:
            raise SetupError(
                f"process {pid} belongs to another user; stop it as that one."
            ) from None
        if not gone(pid, started, PATIENCE):
            raise SetupError(f"process {pid} does not end.")
        say("stopped")
    orphans = note.end_orphans()
    cluster = exists("pg") and stop_cluster("pg")
    if cluster:
        say("stopped the private cluster")
    if pid is None and not orphans and not cluster:
        say("nothing was running")


def main() -> int:
    environment.load()
    stop_all()
    return 0


if __name__ == "__main__":
    command(main)
