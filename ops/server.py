"""Making, starting and stopping the PostgreSQL server of a private cluster."""

import hashlib
import json
import locale
import os
import secrets
import shutil
import signal
import socket
import time

from ops.machine import SetupError, birth
from ops.place import ADMIN, SOCKET, Cluster
from ops.postgres import Programs

LONGEST_LOG = 10 * 1024 * 1024  # bytes; a longer one is moved aside at the next start
PATIENCE = 60  # seconds for starting (after a crash: recovery) and for stopping
ACCESS = "local all all scram-sha-256\n"
SETTINGS = """\
# Written anew whenever the server is started.
listen_addresses = ''
unix_socket_directories = '{socket_dir}'
max_connections = 200
shared_buffers = 256MB
work_mem = 8MB
maintenance_work_mem = 128MB
effective_cache_size = 1GB
random_page_cost = 1.1
max_parallel_workers_per_gather = 0
jit = off
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica
archive_mode = on
{archiving}
max_wal_senders = 0
wal_buffers = 16MB
min_wal_size = 256MB
max_wal_size = 2GB
checkpoint_timeout = 15min
timezone = 'UTC'
log_timezone = 'UTC'
password_encryption = 'scram-sha-256'
# No text, value or row of a statement may reach the log. Messages of errors are left to the
# application too: some quote the value that they complain about.
log_statement = none
log_min_messages = log
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off
log_line_prefix = '%m [%p] %u@%d '
"""
NOT_ARCHIVED = "archive_command = 'true'  # until the first `make backup`"


def settings(cluster: Cluster) -> str:
    """The text of the cluster's own configuration file."""
    archiving = cluster.owner.read(cluster.archiving).strip() or NOT_ARCHIVED
    return SETTINGS.format(socket_dir=cluster.socket_dir, archiving=archiving)


def running(cluster: Cluster) -> int | None:
    """The server's process id. A postmaster.pid left by a crash, or copied, does not count.

    The server is ours if it is the process we started on this very folder, or if it is the one
    that answers on our socket.
    """
    first = cluster.owner.read(cluster.data / "postmaster.pid").partition("\n")[0].strip()
    if not first.isdigit() or birth(int(first)) is None:
        return None
    pid, note = int(first), _note(cluster)
    started_here = (birth(pid), cluster.data.stat().st_ino) == (note.get("birth"), note.get("data"))
    return pid if started_here or _answering(cluster) == pid else None


def up_to_date(cluster: Cluster, pid: int, programs: Programs) -> bool:
    """Whether the running server is the installed one and has the present settings."""
    return _note(cluster) == _description(cluster, pid, programs)


def _description(cluster: Cluster, pid: int, programs: Programs) -> dict[str, object]:
    return {
        "birth": birth(pid),
        "data": cluster.data.stat().st_ino,
        "programs": programs.stamp(),
        "settings": hashlib.sha256(settings(cluster).encode()).hexdigest(),
    }


def _note(cluster: Cluster) -> dict[str, object]:
    try:
        content = json.loads(cluster.owner.read(cluster.home / "running.json") or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _answering(cluster: Cluster) -> int | None:
    """The id of the process that listens on the cluster's socket (Linux only)."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(cluster.socket_dir / SOCKET))
        except OSError:
            return None
        peer = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(peer[:4], "little")


def initialise(cluster: Cluster, programs: Programs) -> None:
    """Make the data folder, whole or not at all."""
    owner, draft = cluster.owner, cluster.home / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    owner.write(cluster.home / "password", secrets.token_urlsafe(24))
    made = owner.run(
        programs.bin / "initdb",
        *("--pgdata", draft, "--username", ADMIN, "--pwfile", cluster.home / "password"),
        *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", _utf8_locale()),
        "--data-checksums",
    )
    if made.returncode != 0:
        raise SetupError(f"initdb failed: {made.stderr.strip()}")
    with (draft / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("include 'mvote.conf'\n")
    draft.replace(cluster.data)


def _utf8_locale() -> str:
    before = locale.setlocale(locale.LC_ALL)
    for name in ("C.UTF-8", "en_US.UTF-8"):
        try:
            locale.setlocale(locale.LC_ALL, name)
        except locale.Error:
            continue
        locale.setlocale(locale.LC_ALL, before)
        return name
    raise SetupError("this system has neither the locale C.UTF-8 nor en_US.UTF-8.")


def start(
    cluster: Cluster, programs: Programs, *, access: str = ACCESS, patience: float = PATIENCE
) -> None:
    """Start the server and wait until it takes connections. Call only if it does not run."""
    owner = cluster.owner
    _remove_stale_locks(cluster)
    owner.write(cluster.data / "mvote.conf", settings(cluster))
    owner.write(cluster.data / "pg_hba.conf", access)
    _prepare_socket_dir(cluster)
    if cluster.log.exists() and cluster.log.stat().st_size > LONGEST_LOG:
        cluster.log.replace(cluster.log.with_suffix(".log.1"))
    begun = owner.run(
        programs.bin / "pg_ctl",
        *("start", "--wait", "--timeout", f"{patience:.0f}", "--silent"),
        *("--pgdata", cluster.data, "--log", cluster.log),
        timeout=patience + PATIENCE,
    )
    if begun.returncode != 0:
        last = "\n  ".join(owner.read(cluster.log).splitlines()[-5:])
        raise SetupError(f"PostgreSQL did not start. The end of {cluster.log}:\n  {last}")
    pid = int(owner.read(cluster.data / "postmaster.pid").partition("\n")[0])
    _write_note(cluster, pid, programs)


def reload(cluster: Cluster, pid: int, programs: Programs) -> None:
    """Let a running server take over settings that need no restart."""
    cluster.owner.write(cluster.data / "mvote.conf", settings(cluster))
    os.kill(pid, signal.SIGHUP)
    _write_note(cluster, pid, programs)


def _write_note(cluster: Cluster, pid: int, programs: Programs) -> None:
    description = json.dumps(_description(cluster, pid, programs))
    cluster.owner.write(cluster.home / "running.json", description)


def _remove_stale_locks(cluster: Cluster) -> None:
    """PostgreSQL believes a lock if any process has its number now; we know better."""
    socket_file = cluster.socket_dir / SOCKET
    lock = socket_file.with_name(f"{SOCKET}.lock")
    for path in (cluster.data / "postmaster.pid", socket_file, lock):
        path.unlink(missing_ok=True)


def _prepare_socket_dir(cluster: Cluster) -> None:
    folder = cluster.socket_dir
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in (os.geteuid(), cluster.owner.uid):
        raise SetupError(f"{folder} was made by somebody else: remove it, then try again.")
    cluster.owner.give(folder, 0o700)


def stop(cluster: Cluster, pid: int) -> None:
    """Stop a running server, and end its connections. Needs none of its programs."""
    started = birth(pid)
    for request in (signal.SIGINT, signal.SIGQUIT):  # PostgreSQL's "fast", then "immediate"
        os.kill(pid, request)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if birth(pid) != started:
                (cluster.home / "running.json").unlink(missing_ok=True)
                return
            time.sleep(0.02)
    raise SetupError(f"PostgreSQL (process {pid}) does not stop.")
