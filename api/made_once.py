"""Files that are dear to make: of those who ask for one, the first makes it, the others wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mvote.errors import Overloaded


class MadeOnce:
    """A folder's files. Each has a name that changes with what is in it, so none is ever stale."""

    def __init__(self, *, pattern: str, most_bytes: int, patience_s: float) -> None:
        self.pattern, self.most_bytes, self.patience_s = pattern, most_bytes, patience_s
        self.turn = threading.Lock()

    def at_hand(self, path: Path, make: Callable[[], None]) -> Path:
        """The file at *path*; *make* writes it there if it is not there yet. Raises Overloaded."""
        if not path.exists():
            with self._my_turn():
                if not path.exists():
                    make()
                    self._forget_the_oldest(path.parent)
        return path

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        """One at a time. Raises Overloaded: who waits for long takes the place of who votes."""
        if not self.turn.acquire(timeout=self.patience_s):
            raise Overloaded
        try:
            yield
        finally:
            self.turn.release()

    def _forget_the_oldest(self, folder: Path) -> None:
        """Keep the newest files, as many as fit; the others can be made again."""
        left = self.most_bytes
        newest_first = sorted(folder.glob(self.pattern), key=lambda path: -path.stat().st_mtime_ns)
        for path in newest_first[1:]:
            left -= path.stat().st_size
            if left < newest_first[0].stat().st_size:
                path.unlink(missing_ok=True)
