"""Files written whole and durably or not at all: a draft takes the name once it is whole."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DRAFT = re.compile(r"\..+\.(\d+)\.[0-9a-f]{8}")
"""With the number of the process that writes it."""
DRAFT_NS = 60 * 10**9
"""Nobody writes a key for so long."""
MODE, OWNER = 0, 4
"""Their places in what `stat` answers."""


def read_if_there(path: Path) -> bytes | None:
    """What *path* holds, None without such a file."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_once(path: Path, content: bytes, *, rights: int = 0) -> None:
    """Write *path* whole and durably, or fail with FileExistsError and leave nothing behind.

    Its owner alone reads it, and the group if it has the *rights* (mode bits) to.
    """
    draft = _draft_of(path, content, 0o600, rights)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()
    sync_folder(path.parent)


def write_over(path: Path, content: bytes, *, mode: int = 0o600, rights: int = 0) -> None:
    """Write *path* whole and durably; readers see what was there before or all of *content*.

    It is made with *mode*, of which the umask takes its part; the *rights* of the group stay.
    """
    draft = _draft_of(path, content, mode, rights)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _draft_of(path: Path, content: bytes, mode: int, rights: int) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            share(descriptor, rights)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink()
        raise
    return draft


def make_folder(folder: Path) -> None:
    """Make *folder* and those above it durably, for nobody but their owner."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    sync_folder(folder.parent)


def share(made: int, rights: int) -> None:
    """Add *rights* of the group to what is ours, also if whoever made it was killed before.

    Not at the making, where the process's umask would take them away.
    """
    known = os.fstat(made)
    mode = int(known[MODE])
    if rights & ~mode and known[OWNER] == os.geteuid():
        os.fchmod(made, stat.S_IMODE(mode) | rights)


def is_left_over(path: Path) -> bool:
    """Whether it is a draft that nobody is writing any more."""
    draft = DRAFT.fullmatch(path.name)
    if not draft:
        return False
    with suppress(PermissionError):  # another user's
        try:
            os.kill(int(draft[1]), 0)
        except ProcessLookupError:
            return True
    return time.time_ns() > path.stat().st_mtime_ns + DRAFT_NS  # another process has got its number


def sync_folder(folder: Path) -> None:
    """Make what was made, renamed or removed in *folder* durable."""
    with opened(folder) as descriptor:
        os.fsync(descriptor)


@contextmanager
def opened(folder: Path, flags: int = 0) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
