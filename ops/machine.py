"""What every script of this folder needs: where things lie, private files, locks, processes.

Standard library only, because the first scripts run before anything is installed.
"""

import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class SetupError(Exception):
    """A sentence for the person at the terminal: what is wrong, and what to do about it."""


def var_dir() -> Path:
    """The folder of everything that is made while running (`VAR_DIR`, else `var/`)."""
    return Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def write_private(path: Path, text: str) -> None:
    """Replace a file that only its owner may read, at once: nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Wait until no other process of this machine is inside the same block."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def birth(pid: int) -> str | None:
    """When a process was started, or None if there is none: with the id it names the process.

    A process id alone is used again, after a restart of the machine most of all; so the answer
    begins with the name of this boot.
    """
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else f"{this_boot()} {fields[19]}"
    listing = ["ps", "-o", "lstart=", "-p", str(pid)]
    answer = subprocess.run(listing, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def this_boot() -> str:
    """Names the time since the machine was started; "" where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def command(main: Callable[[], int]) -> None:
    """Run a script's `main`; a `SetupError` becomes its sentence and exit code 1."""
    try:
        sys.exit(main())
    except SetupError as error:
        say(f"mvote: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
