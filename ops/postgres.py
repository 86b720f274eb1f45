"""Finding PostgreSQL with PostGIS: `python3 -m ops.postgres` exits 0 if it is installed."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.machine import SetupError, command, say

OLDEST = 15
PLACES = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "usr/pgsql-*/bin",  # the PostgreSQL project's packages for Fedora and its kin
)
WANTED = f"PostgreSQL {OLDEST} or newer (the server), and PostGIS for that same version"


@dataclass(frozen=True)
class Programs:
    """One installed PostgreSQL: its major version and the folder of its programs."""

    major: int
    bin: Path

    @property
    def postgis(self) -> Path:
        share = _output(self.bin / "pg_config", "--sharedir")
        return Path(share or f"/usr/share/postgresql/{self.major}") / "extension/postgis.control"

    def stamp(self) -> str:
        """Changes when a package manager replaces the server or PostGIS under a running one."""
        files = [(self.bin / "postgres").resolve(), self.postgis]
        return " ".join(f"{file.stat().st_ino}:{file.stat().st_mtime_ns}" for file in files)


def _output(program: Path, argument: str) -> str:
    try:
        answer = subprocess.run(
            [program, argument], capture_output=True, text=True, check=False, cwd="/"
        )
    except OSError:
        return ""
    return answer.stdout.strip()


def _folders() -> Iterator[Path]:
    for place in PLACES:
        yield from Path("/").glob(place)
    on_path = shutil.which("pg_ctl")
    if on_path:
        yield Path(on_path).resolve().parent


def _programs_in(folder: Path) -> Programs | None:
    if not all((folder / name).exists() for name in ("postgres", "initdb", "pg_ctl")):
        return None
    version = re.search(r"\b(\d+)", _output(folder / "postgres", "--version"))
    return Programs(int(version[1]), folder) if version else None


def installed() -> list[Programs]:
    """Every usable PostgreSQL that has PostGIS, the newest first."""
    found = {programs for folder in _folders() if (programs := _programs_in(folder))}
    usable = [one for one in found if one.major >= OLDEST and one.postgis.exists()]
    return sorted(usable, key=lambda one: (one.major, str(one.bin)), reverse=True)


def choose(made_by: str, data: Path) -> Programs:
    """The newest PostgreSQL for new data (`made_by` is ""), else the version that made them."""
    usable = [one for one in installed() if made_by in ("", str(one.major))]
    if usable:
        return usable[0]
    if made_by:
        raise SetupError(
            f"the data in {data} were made by PostgreSQL {made_by}, which (or whose PostGIS) is"
            " no longer installed. Install it again, or start afresh with `make clean`."
        )
    raise SetupError(f"needed and not found: {WANTED}.")


def main() -> int:
    newest = next(iter(installed()), None)
    say(f"PostgreSQL {newest.major} in {newest.bin}" if newest else f"not found: {WANTED}")
    return 0 if newest else 1


if __name__ == "__main__":
    command(main)
