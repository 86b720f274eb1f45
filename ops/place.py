"""Where the private cluster of a clone lies: in `var/`, or outside if its user cannot go there."""

import contextlib
import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ops.machine import SetupError, only_one, var_dir, write_private
from ops.owner import Owner

ELSEWHERE = Path("/var/lib/mvote")
ADMIN = "postgres"
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 103  # bytes: what macOS allows; Linux has 107


@dataclass(frozen=True)
class Cluster:
    """One cluster. `home` holds its data, socket, password and log, and belongs to `owner`."""

    name: str
    home: Path
    owner: Owner

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @property
    def archiving(self) -> Path:
        """How the write-ahead log is archived: settings, there from the first backup on."""
        return self.home / "archiving.conf"

    @property
    def socket_dir(self) -> Path:
        """Beside the data, or in /tmp when that path would be too long for a socket."""
        beside = self.home / "s"
        if len(os.fsencode(beside / SOCKET)) <= LONGEST_SOCKET_PATH:
            return beside
        return Path(f"/tmp/mvote-{self.owner.uid}-{_short(self.home)}")  # noqa: S108 - made 0700

    @property
    def made_by(self) -> str:
        """The major version of PostgreSQL that made the data, "" before there are any."""
        return self.owner.read(self.data / "PG_VERSION").strip()

    @property
    def url(self) -> str:
        """The superuser's address, for making databases and roles. SetupError before `up`."""
        password = self.owner.read(self.home / "password").strip()
        if not (password and self.made_by):
            raise SetupError(f"there is no cluster `{self.name}` here yet; `make run` makes one.")
        return f"postgresql://{ADMIN}:{password}@/postgres?host={quote(str(self.socket_dir))}"


def _short(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]


def exists(name: str) -> bool:
    """Whether this clone has made a cluster of that name."""
    return any((var_dir() / note).exists() for note in (name, f"{name}.home"))


def find(name: str) -> Cluster:
    """This clone's cluster of that name, made or not; its folder exists from now on."""
    var = var_dir()
    with only_one(var / f".{name}.place"):
        near = var / name
        home = near if near.exists() and Owner.of(near).reaches(near) else _recorded(var, name)
        if home is None:
            home = _new_place(var, name)
        return Cluster(name, home, Owner.of(home))


def _recorded(var: Path, name: str) -> Path | None:
    """A place outside that is still ours: a moved clone keeps its own, a copy does not get it."""
    pointer = var / f"{name}.home"
    if not pointer.exists():
        return None
    home = Path(pointer.read_text(encoding="utf-8").strip())
    if not (home / "clone").exists():
        return None
    original = Path((home / "clone").read_text(encoding="utf-8").strip())
    if original != var and (original / pointer.name).exists():
        return None
    write_private(home / "clone", str(var))
    return home


def _new_place(var: Path, name: str) -> Path:
    owner = Owner.for_new_data()
    near = var / name
    with contextlib.suppress(OSError):  # a mounted folder may refuse a change of owner
        near.mkdir(parents=True, exist_ok=True)
        owner.give(near, 0o700)
        if owner.reaches(near):
            return near
    if os.geteuid() != 0:
        raise SetupError(f"{near} cannot be written by you. Whose is {var}?")
    shutil.rmtree(near, ignore_errors=True)
    return _place_outside(owner, var, name)


def _place_outside(owner: Owner, var: Path, name: str) -> Path:
    far = ELSEWHERE / _short(var) / name
    if far.exists():  # of a clone that was here before and has moved away
        far = ELSEWHERE / f"{_short(var)}-{secrets.token_hex(3)}" / name
    far.mkdir(parents=True)
    for folder in (ELSEWHERE, far.parent):
        folder.chmod(0o755)
    owner.give(far, 0o700)
    if not owner.reaches(far):
        raise SetupError(f"the system user of PostgreSQL cannot write to {far}.")
    write_private(far / "clone", str(var))
    write_private(var / f"{name}.home", str(far))
    return far
