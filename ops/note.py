"""The note that a running `make run` leaves (`var/run.json`), and the lock that it holds."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ops.children import Child, end_leftover
from ops.machine import SetupError, birth, say, var_dir, write_private


def _file() -> Path:
    return var_dir() / "run.json"


def read() -> dict[str, object]:
    try:
        content = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write(children: Sequence[Child], port: int, *, cluster: bool) -> None:
    """Say who we are, so that `make stop` finds us, and what a later run has to end for us."""
    note = {
        "pid": os.getpid(),
        "birth": birth(os.getpid()),
        "port": port,
        "cluster": cluster,
        "children": [child.identity for child in children],
    }
    write_private(_file(), json.dumps(note))


def supervisor() -> int | None:
    """The process id of the `make run` of this clone that runs now, if one does."""
    note = read()
    pid = note.get("pid")
    return pid if isinstance(pid, int) and birth(pid) == note.get("birth") else None


@contextlib.contextmanager
def the_only_run() -> Iterator[bool]:
    """Refuse to run twice in one clone; clear up after a run that was killed.

    Gives whether such a run has left us its cluster.
    """
    lock = var_dir() / ".run.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            port = read().get("port", "not yet known")
            raise SetupError(f"it runs already (port {port}); `make stop` ends it.") from None
        end_orphans()
        try:
            yield bool(read().get("cluster"))
        finally:
            _file().unlink(missing_ok=True)


def end_orphans() -> bool:
    """End the children of a supervisor that can no longer do it; whether there were any."""
    found = False
    children = read().get("children")
    for child in children if isinstance(children, list) else []:
        match child:
            case [int(pid), str(started)] if end_leftover(pid, started):
                say(f"ended process {pid}, left over from a run that was killed")
                found = True
    return found
