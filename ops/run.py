"""`make run`: database, migrations, keys, demo, web server and worker; until Ctrl-C.

Starts in the virtual environment that `ops/setup.sh` has made.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path

from ops import database, environment, guide, note, server
from ops.children import Child, Interrupts
from ops.cluster import stop_cluster
from ops.machine import ROOT, SetupError, command, say, var_dir
from ops.place import find

BEGAN = time.monotonic()
READY_WITHIN = 60  # seconds from starting the web server


def services(port: int, web_workers: int | None = None) -> dict[str, list[str]]:
    """The processes that make up a running mvote, by name."""
    web_workers = web_workers or int(os.environ.get("WEB_WORKERS") or "2")
    return {
        "web": [
            *(sys.executable, "-m", "gunicorn", "--worker-class", "api.worker.Worker"),
            *("--bind", f"127.0.0.1:{port}", "--workers", str(web_workers)),
            *("--timeout", "30", "--graceful-timeout", "20", "--no-control-socket"),
            *("--log-level", "warning", "wsgi:app"),
        ],
        "worker": [sys.executable, "jobs.py"],
    }


def progress(text: str) -> None:
    say(f"[{time.monotonic() - BEGAN:5.1f} s] {text}")


def main() -> int:
    environment.load()
    port, interrupts = environment.port(), Interrupts()
    with note.the_only_run() as inherited, contextlib.ExitStack() as started:
        require_free(port)
        cluster = starts_the_cluster(inherited=inherited)
        if cluster:
            started.callback(stop_cluster, "pg")
        try:
            settings = {**os.environ, **prepare_database(), "PORT": str(port)}
            tokens = prepare(settings, interrupts)
            children = start_services(port, settings, started)
            note.write(children, port, cluster=cluster)
            await_ready(f"http://127.0.0.1:{port}", children, interrupts)
            progress(f"ready\n{guide.text(port, tokens)}")
            watch(children, interrupts)
        except Interrupted:
            progress("stopping")
    progress("stopped")
    return 0


class Interrupted(Exception):
    """The person, or `make stop`, wants us to end."""


def starts_the_cluster(*, inherited: bool) -> bool:
    """Whether the private cluster is ours to stop: not if somebody had started it before us."""
    if environment.given_database():
        return False
    return inherited or not server.running(find("pg"))


def prepare_database() -> dict[str, str]:
    progress("database")
    return database.prepare()


def start_services(
    port: int, settings: dict[str, str], started: contextlib.ExitStack
) -> list[Child]:
    """Start all, each put on `started` to be stopped with it."""
    progress("web server and worker")
    children = []
    for name, words in services(port).items():
        log = var_dir() / "log" / f"{name}.log"
        children.append(Child.start(name, words, log, {**settings, "PYTHONUNBUFFERED": "1"}))
        started.callback(children[-1].stop)
    return children


def require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SetupError(
                f"port {port} cannot be used ({error.strerror}). Choose another one, such as:"
                f" make run PORT={port + 1}"
            ) from None


def prepare(settings: dict[str, str], interrupts: Interrupts) -> dict[str, str]:
    """Run `ops.prepare`, its words on our terminal; the ready-made tokens by role."""
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens.json"
        words = [sys.executable, "-m", "ops.prepare", str(tokens)]
        process = subprocess.Popen(words, cwd=ROOT, env=settings, start_new_session=True)
        while process.poll() is None:
            if interrupts.pause(0.02):
                process.terminate()
                process.wait()
                raise Interrupted
        if process.returncode != 0:
            raise SetupError("the database could not be made ready; the reason is above.")
        return dict(json.loads(tokens.read_text("utf-8"))) if tokens.exists() else {}


def await_ready(address: str, children: list[Child], interrupts: Interrupts) -> None:
    """Wait for `/readyz`, as long as everything that was started lives."""
    deadline = time.monotonic() + READY_WITHIN
    while not is_ready(f"{address}/readyz"):
        check_alive(children)
        if time.monotonic() > deadline:
            logs = children[0].log.parent
            raise SetupError(f"not ready: {said_by(f'{address}/readyz')}. The logs are in {logs}.")
        if interrupts.pause(0.05):
            raise Interrupted


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def said_by(url: str) -> str:
    """What a server answers instead of being ready."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return error.read(1000).decode(errors="replace")
    except OSError as error:
        return str(error)


def check_alive(children: list[Child]) -> None:
    for child in children:
        if child.process.poll() is not None:
            raise SetupError(child.obituary())


def watch(children: list[Child], interrupts: Interrupts) -> None:
    """Until the end is wished for; SetupError if a process ends by itself."""
    while not interrupts.pause(0.2):
        check_alive(children)
    raise Interrupted


if __name__ == "__main__":
    command(main)
