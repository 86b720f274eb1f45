"""The files of a keystore: each key in one folder or in two, made once, and gone for good.

Below every root lies a folder for each holder: `NAME.key` is a wrapped key, `.gone/NAME` the mark
that a key of that name was destroyed. The mark is made before the files go and stays for ever, in
both roots: so a copy that was away meanwhile cannot bring a destroyed key back.

Nobody but its owner gets at what is made here. Only where somebody has set up a folder with the
setgid bit (docs/keys.md) has its group the same rights on folders made in it as on itself, and may
read the keys if it may also leave some there: so holders under different system users can hand keys
over to each other. Who may leave something there may leave a link, too: none is followed.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mvote.ballotbox.durably import (
    MODE,
    is_left_over,
    make_folder,
    opened,
    read_if_there,
    share,
    sync_folder,
    write_once,
    write_over,
)

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*(/[a-zA-Z0-9][a-zA-Z0-9_.-]*)*")
GONE = ".gone"
LOCK = ".lock"
PUBLIC = "wrapping.pub"


class KeystoreAway(OSError):
    """A copy of the keystore cannot be reached; nothing may be made or journalled meanwhile."""


@dataclass(frozen=True)
class KeyFiles:
    """The files below *roots*: the keystore itself first, then its copies."""

    roots: tuple[Path, ...]

    @property
    def here(self) -> tuple[Path, ...]:
        """The roots that can be reached. A copy is never made by us: its disk may be away."""
        return (self.roots[0], *(root for root in self.roots[1:] if root.is_dir()))

    def need_all(self) -> None:
        """Raise KeystoreAway unless every root can be reached."""
        for root in self.roots:
            if root not in self.here:
                raise KeystoreAway(f"the copy of the keystore is not there: {root}")

    @contextmanager
    def alone(self, holder: str) -> Iterator[None]:
        """One process of *holder* at a time makes, mends, wraps anew or destroys its keys.

        Nobody else can open the lock: whoever breaks into one holder holds up no other. So who
        hands a key over is not alone, and may meet any of that.
        """
        folder = self.roots[0] / holder
        make_folder(folder)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.fchmod(descriptor, 0o600)  # others could open those of earlier versions
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    # the caller of what follows is alone, but for reading and handing over

    def read(self, root: Path, holder: str, name: str) -> bytes | None:
        """The wrapped key as it lies below *root*, if it does."""
        return read_if_there(_key_path(root, holder, name))

    def lacking(self, holder: str, name: str) -> list[Path]:
        """The roots within reach that have no such file."""
        return [root for root in self.here if not _is_there(_key_path(root, holder, name))]

    def create(self, holder: str, name: str, wrapped: bytes) -> None:
        """Keep a new key in every root, the copies first. Raises FileExistsError, KeystoreAway."""
        self.need_all()
        if self.is_destroyed(holder, name) or self.lacking(holder, name) != list(self.here):
            raise FileExistsError(name)
        first, *others = reversed(self.roots)
        self._create(first, holder, name, wrapped)  # of two at a time one fails here
        for root in others:
            with suppress(FileExistsError):  # its holder has seen the first, and mended this
                self._create(root, holder, name, wrapped)

    def _create(self, root: Path, holder: str, name: str, wrapped: bytes) -> None:
        path = _in_folder(root / holder, _key_path(root, holder, name))
        write_once(path, wrapped, rights=_rights_on_keys(path.parent))

    def replace(self, root: Path, holder: str, name: str, wrapped: bytes) -> None:
        """Put *wrapped* in the place of whatever lies there."""
        path = _in_folder(root / holder, _key_path(root, holder, name))
        write_over(path, wrapped, rights=_rights_on_keys(path.parent))

    def is_destroyed(self, holder: str, name: str) -> bool:
        """Whether a mark says so, in any root."""
        return any(_is_there(_mark_path(root, holder, name)) for root in self.roots)

    def destroy(self, holder: str, name: str) -> bool:
        """Mark the key as gone, then remove its files and what a killed process left of them.

        Does what it can and raises KeystoreAway while a copy is out of reach. Whether a file was
        there.
        """
        for root in self.here:
            with suppress(FileExistsError):
                path = _in_folder(root / holder, _mark_path(root, holder, name))
                write_once(path, b"")
        removed = [self._remove(root, holder, name) for root in self.here]
        self.need_all()
        return any(removed)

    def _remove(self, root: Path, holder: str, name: str) -> bool:
        path = _key_path(root, holder, name)
        if not path.parent.is_dir():
            return False
        there = path.exists()
        for left in (*path.parent.glob(f".{path.name}.*"), path):
            left.unlink(missing_ok=True)
        sync_folder(path.parent)
        if path.parent != root / holder and not any(path.parent.iterdir()):
            path.parent.rmdir()  # or there would be ever more folders to look into
        return there

    def is_held(self, holder: str, name: str) -> bool:
        """Whether any root still has the file. Raises KeystoreAway if one cannot be asked."""
        self.need_all()
        return len(self.lacking(holder, name)) < len(self.roots)

    def names(self, holder: str, prefix: str) -> set[str]:
        """The names of all files in any root that begin with *prefix*, destroyed or not."""
        return {
            name
            for root in self.here
            for name in _names_below(root / holder, prefix)
            if name.startswith(prefix)
        }

    def destroyed_of(self, holder: str, names: Iterable[str]) -> set[str]:
        """Those of *names* that a mark says were destroyed."""
        folders = [os.fspath(root / holder / GONE) for root in self.here]
        folders = [folder for folder in folders if os.path.isdir(folder)]  # noqa: PTH112
        return {
            name
            for name in names
            if any(os.path.exists(f"{folder}/{name}") for folder in folders)  # noqa: PTH110
        }

    def remove_drafts(self, holder: str) -> None:
        """Remove what killed processes have left half written."""
        for root in self.here:
            for folder, _, files in os.walk(root / holder):
                for file in (Path(folder) / each for each in files):
                    with suppress(FileNotFoundError):  # it has just become a key
                        if is_left_over(file):
                            file.unlink()

    def public(self, root: Path, holder: str) -> bytes | None:
        """The wrapping key that *holder* has published below *root*."""
        return read_if_there(root / holder / PUBLIC)

    def publish(self, root: Path, holder: str, public: bytes) -> None:
        """Make *public* the holder's wrapping key below *root*."""
        path = _in_folder(root / holder, root / holder / PUBLIC)
        write_over(path, public, rights=_rights_of_group(path.parent) & stat.S_IRGRP)


def _key_path(root: Path, holder: str, name: str) -> Path:
    return root / holder / f"{_checked(name)}.key"


def _mark_path(root: Path, holder: str, name: str) -> Path:
    return root / holder / GONE / _checked(name)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"not a name of a key: {name!r}")
    return name


def _names_below(folder: Path, prefix: str) -> Iterator[str]:
    # Text, not Path: every round of a worker looks at every key there is.
    base = os.fspath(folder)
    for found, below, files in os.walk(os.path.join(base, prefix.rpartition("/")[0])):  # noqa: PTH118
        below[:] = [each for each in below if not each.startswith(".")]
        inner = found[len(base) :].strip("/")
        for file in files:
            if file.endswith(".key") and not file.startswith("."):
                name = file.removesuffix(".key")
                yield f"{inner}/{name}" if inner else name


def _in_folder(holders: Path, path: Path) -> Path:
    """*path*, whose folder is there, and all below the *holders* folder shared as that one is."""
    make_folder(path.parent)
    inner = path.parent.relative_to(holders).parts
    for depth in range(len(inner)):
        folder = holders.joinpath(*inner[: depth + 1])
        with opened(folder, os.O_NOFOLLOW) as descriptor:  # a link may lead anywhere
            share(descriptor, _rights_of_group(folder.parent))
    return path


def _rights_of_group(folder: Path) -> int:
    """What the group of a shared *folder* may do in it: mode bits, none if it is not shared."""
    mode = int(folder.stat()[MODE])
    return mode & stat.S_IRWXG if mode & stat.S_ISGID else 0


def _rights_on_keys(folder: Path) -> int:
    """What the group may do with keys in *folder*: read them where it may leave some."""
    rights = _rights_of_group(folder)
    return rights & stat.S_IRGRP if rights & stat.S_IWGRP else 0


def _is_there(path: Path) -> bool:
    """Whether the file is there. Raises PermissionError where nobody can tell."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
