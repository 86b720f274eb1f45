"""The system user that a private PostgreSQL runs as, because it refuses to run as root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ops.machine import SetupError, write_private

NOT_YOURS = "{} belongs to another user. Run this as that user, or with sudo."


@dataclass(frozen=True)
class Owner:
    """Owns the cluster's files and processes; the caller itself unless that is root."""

    uid: int
    gid: int

    @classmethod
    def for_new_data(cls) -> "Owner":
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        try:
            entry = pwd.getpwnam("postgres")
        except KeyError:
            raise SetupError(
                "PostgreSQL does not run as root, and there is no system user `postgres` to run"
                " it as. Run this as an ordinary user, or add that user."
            ) from None
        return cls(entry.pw_uid, entry.pw_gid)

    @classmethod
    def of(cls, folder: Path) -> "Owner":
        """Who owns an existing folder; refused if the caller could not act as that user."""
        status = folder.stat()
        if os.geteuid() not in (0, status.st_uid):
            raise SetupError(NOT_YOURS.format(folder))
        return cls.for_new_data() if status.st_uid == 0 else cls(status.st_uid, status.st_gid)

    def run(
        self, *words: str | Path, timeout: float = 120, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, with none of the caller's variables but those given."""
        other = os.geteuid() != self.uid
        return subprocess.run(
            [str(word) for word in words],
            env={
                "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                "LC_ALL": "C",
                "TZ": "UTC",
                **variables,
            },
            cwd="/",  # the caller's folder may be closed to this user
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            start_new_session=True,  # Ctrl-C at the terminal must not reach the server
            user=self.uid if other else None,
            group=self.gid if other else None,
            extra_groups=() if other else None,
            check=False,
        )

    def reaches(self, folder: Path) -> bool:
        """Whether the user can write there: every folder above must let it through, too."""
        return self.run("test", "-w", folder, "-a", "-x", folder).returncode == 0

    def give(self, path: Path, mode: int) -> None:
        """Make an existing file or folder this user's, with the mode."""
        path.chmod(mode)
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def write(self, path: Path, text: str) -> None:
        """Replace a file that only this user (and root) can read."""
        write_private(path, text)
        self.give(path, 0o600)

    def read(self, path: Path) -> str:
        """A file's text, "" if there is none."""
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except PermissionError:
            raise SetupError(NOT_YOURS.format(path)) from None
