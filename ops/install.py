"""The virtual environment: `python3 -m ops.install run|dev` makes it and installs what is pinned.

Runs with the system's Python. Nothing is done when a stamp says that nothing has changed.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path
from shutil import which
from sysconfig import get_path

from ops import npm
from ops.machine import ROOT, SetupError, command, only_one, say

VENV = ROOT / ".venv"
STAMP = VENV / "mvote-stamp.json"
SIGN_OF_LIFE = 10  # seconds between two signs that pip is still at work
FILES = {"run": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}
COMPILED = "requirements-compiled.txt"


def can_compile() -> bool:
    """Whether there is a C compiler, and the headers of this Python."""
    return bool(which("cc") or which("gcc")) and Path(get_path("include"), "Python.h").is_file()


def fingerprint(kind: str) -> str:
    """Changes with the pinned requirements of that kind (`run` or `dev`), and with a compiler."""
    names = [*FILES[kind], *([COMPILED] if can_compile() else [])]
    return hashlib.sha256(b"\0".join((ROOT / name).read_bytes() for name in names)).hexdigest()


def _stamp() -> dict[str, str]:
    try:
        content = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _made_for() -> str:
    """A virtual environment works only at the path and with the Python it was made for."""
    return f"{VENV} {'.'.join(map(str, sys.version_info[:2]))}"


def install(kind: str) -> None:
    """Bring `.venv` to the pinned versions, if it is not there already."""
    stamp, python = _stamp(), VENV / "bin" / "python"
    moved = bool(stamp) and stamp.get("made_for") != _made_for()
    if moved or not _works(python):
        if VENV.is_symlink():  # emptying it would empty the folder that it leads to
            raise SetupError(f"{VENV} is a link to another clone's packages; remove the link.")
        say("   making the virtual environment .venv")
        venv.create(VENV, clear=True, symlinks=True, with_pip=True)
        stamp = {}
    if stamp.get(kind) == fingerprint(kind):
        return
    say(f"   installing the pinned packages of {' and '.join(FILES[kind])}")
    _pip(python, *(word for name in FILES[kind] for word in ("--requirement", name)))
    _compile(python)
    done = {**stamp, "run": fingerprint("run"), kind: fingerprint(kind), "made_for": _made_for()}
    STAMP.write_text(json.dumps(done), encoding="utf-8")


def _compile(python: Path) -> None:
    """Install what makes it faster, if it can be made here; all works without."""
    if not can_compile():
        return say(f"   no C compiler with Python's headers: without {COMPILED}, a little slower")
    try:
        _pip(python, "--requirement", COMPILED)
    except SetupError:
        say(f"   going on without {COMPILED}, a little slower")


def _works(python: Path) -> bool:
    """Whether it starts: a Python that was upgraded away leaves a dangling link."""
    if not python.exists():
        return False
    return subprocess.run([python, "-c", "pass"], check=False).returncode == 0


def _pip(python: Path, *arguments: str) -> None:
    options = ("-qq", "--no-input", "--disable-pip-version-check", "--prefer-binary")
    process = subprocess.Popen(
        [python, "-m", "pip", "install", *options, *arguments],
        cwd=ROOT,
        env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},
        stdin=subprocess.DEVNULL,
    )
    began = time.monotonic()
    while process.poll() is None:
        try:
            process.wait(SIGN_OF_LIFE)
        except subprocess.TimeoutExpired:
            say(f"   … {time.monotonic() - began:.0f} s")
    if process.returncode != 0:
        raise SetupError("pip could not install the pinned packages; its words are above.")


def main() -> int:
    kind = sys.argv[1] if sys.argv[1:] else "run"
    if kind not in FILES:
        raise SetupError("say `run` or `dev`.")
    with only_one(ROOT / "var" / ".install.lock"):
        install(kind)
        if kind == "dev":
            npm.install()
    return 0


if __name__ == "__main__":
    command(main)
