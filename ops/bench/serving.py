"""The web server under measurement: started as `make run` does it, on a port of the bench's own."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.bench.processor import children_of
from ops.bench.stage import Installation
from ops.children import Child
from ops.machine import SetupError
from ops.run import is_ready, services

PORT = 18_300
PATIENCE = 30.0
MIB = 1024


@dataclass(frozen=True)
class Server:
    """A web server that is ready, and how long that took from its start."""

    child: Child
    port: int
    ready_s: float

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        """The processes that serve: those without children of their own."""
        family = [self.child.process.pid, *offspring(self.child.process.pid)]
        return [pid for pid in family if not children_of(pid)] if len(family) > 1 else family

    def worker_mib(self) -> float:
        """Memory of the largest worker, shared pages counted in part (PSS), in MiB."""
        return max(_pss_kib(pid) for pid in self.workers()) / MIB


@contextlib.contextmanager
def serving(
    installation: Installation, words: Sequence[str] | None = None, port: int = PORT
) -> Iterator[Server]:
    """A web server on the installation: the one that `make run` starts, or *words* instead."""
    words = words or services(port)["web"]
    _require_free(port)
    log = installation.settings.var / "web.log"
    began = time.monotonic()
    child = Child.start("web", words, log, installation.process_environment())
    try:
        while not is_ready(f"http://127.0.0.1:{port}/readyz"):
            if child.process.poll() is not None:
                raise SetupError(child.obituary())
            if time.monotonic() - began > PATIENCE:
                raise SetupError(f"the web server does not become ready; see {child.log}")
            time.sleep(0.01)
        yield Server(child, port, time.monotonic() - began)
    finally:
        child.stop()


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def offspring(pid: int) -> list[int]:
    """All that the process has started, and those in turn."""
    children = children_of(pid)
    return children + [each for child in children for each in offspring(child)]


def _pss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise SetupError(f"process {pid} tells nothing of its memory.")
