"""`make clean`: removes what set-up and running have made. Keys of a given database stay."""

import os
import shutil
from pathlib import Path

from ops import environment
from ops.cluster import remove_cluster
from ops.machine import ROOT, SetupError, command, say, var_dir
from ops.place import exists
from ops.repository import key_file
from ops.stop import stop_all

CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
CLUSTERS = ("pg", "pg-test")


def why_keys_stay() -> str:
    """Why what opens ballots must not be deleted; "" if it may.

    Without its keys no sealed ballot of a database can ever be counted, and a database that
    somebody else administers is not deleted here.
    """
    if environment.given_database():
        return "DATABASE_URL is set"
    if (var_dir() / "roles.env").exists():
        return "this clone has been used with a given database"
    if key_file().exists():
        return "there are backups"
    return ""


def clean() -> None:
    """Stop everything, then delete; nothing outside the clone but its own clusters."""
    stop_all()
    for name in filter(exists, CLUSTERS):
        remove_cluster(name)
    var, reason = var_dir(), why_keys_stay()
    keystore = Path(os.environ.get("KEYSTORE_DIR") or var / "keys").resolve()
    if var != ROOT / "var":
        say(f"VAR_DIR is {var}: what else is in it is left to you")
    elif reason:
        kept = {keystore, var / "roles.env", key_file(), var / "backups"}
        say(f"{', '.join(str(path) for path in sorted(kept) if path.exists())} stay: {reason}")
        remove_all_but(var, kept)
    else:
        remove_all_but(var, set())
    for folder in (ROOT / ".venv", *(ROOT / name for name in CACHES)):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in ROOT.glob("**/__pycache__"):
        shutil.rmtree(folder, ignore_errors=True)


def remove_all_but(folder: Path, kept: set[Path]) -> None:
    """Delete a folder, but not the paths to keep nor the folders that lead to them."""
    if folder in kept:
        return
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
        return
    try:
        for path in folder.iterdir():
            remove_all_but(path, kept)
        if not any(folder.iterdir()):
            folder.rmdir()
    except PermissionError:
        raise SetupError(f"{folder} belongs to another user; clean as that one.") from None


def main() -> int:
    environment.load()
    clean()
    say("clean")
    return 0


if __name__ == "__main__":
    command(main)
