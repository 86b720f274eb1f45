"""A keystore on two disks, of which a test may damage, lose or bring back either."""

from __future__ import annotations

import os
from pathlib import Path

from mvote.ballotbox.keystore import DirectoryKeystore, Holder

SECRET = bytes(range(32))
NAME = "poll/1/L"


class Disks:
    """Two folders for keys, as if on two disks."""

    def __init__(self, folder: Path) -> None:
        self.first, self.copy = folder / "first", folder / "copy"
        self.copy.mkdir()
        self.masters = {holder: os.urandom(32) for holder in ("api", "shuffler")}

    def keystore(self, holder: Holder = "api") -> DirectoryKeystore:
        keystore = DirectoryKeystore(self.first, holder, self.masters[holder], copy=self.copy)
        keystore.introduce()
        return keystore

    def files(self, name: str = NAME, holder: Holder = "api") -> list[Path]:
        return [root / holder / f"{name}.key" for root in (self.first, self.copy)]

    def left_of(self, name: str = NAME) -> list[Path]:
        """Every file that could hold the key: itself, a draft of it, in any copy."""
        folders = [path.parent for path in self.files(name)]
        return [path for folder in folders for path in folder.glob(f"*{Path(name).name}.key*")]
