"""The processes that a supervisor starts: each with a log file, each ended with its offspring."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.machine import ROOT, birth, this_boot

LONGEST_LOG = 10 * 1024 * 1024  # bytes; a longer one is moved aside at the next start
PATIENCE = 15  # seconds that a process gets to end by itself


@dataclass(frozen=True)
class Child:
    """A running process, the leader of a group of its own: Ctrl-C reaches the supervisor alone."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(
        cls, name: str, words: Sequence[str], log: Path, environment: Mapping[str, str]
    ) -> "Child":
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > LONGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            process = subprocess.Popen(
                words,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def identity(self) -> tuple[int, str | None]:
        return self.process.pid, birth(self.process.pid)

    def obituary(self) -> str:
        """What to say about a process that has ended: how, and its last words."""
        words = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        last = "\n".join(f"    {line}" for line in words)
        return f"{self.name} ended with code {self.process.returncode}.\n{last}\n  ({self.log})"

    def stop(self) -> None:
        """Ask it to end, insist after a while, and leave none of its own processes behind."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def end_leftover(pid: int, started: str) -> bool:
    """End the group of a child whose supervisor was killed; whether there was any of it left.

    The leader may be dead and its group alive. Nobody else can get a group of that number then.
    """
    orphaned = birth(pid) is None and started.startswith(this_boot()) and _group_exists(pid)
    if birth(pid) != started and not orphaned:
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while _group_exists(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(pid, signal.SIGKILL)
    return True


def _group_exists(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def gone(pid: int, started: str | None, patience: float) -> bool:
    """Wait until a process that is not our child has ended; False if it outlasts our patience."""
    deadline = time.monotonic() + patience
    while birth(pid) == started:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class Interrupts:
    """Ctrl-C and SIGTERM as a wish to be looked at between steps, so that no step is torn."""

    def __init__(self) -> None:
        self._wished = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, lambda *_: self._wished.set())

    def __bool__(self) -> bool:
        return self._wished.is_set()

    def pause(self, seconds: float) -> bool:
        """Wait, but no longer than until the wish; whether it was made."""
        return self._wished.wait(seconds)
