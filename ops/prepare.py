"""Everything between an empty database and a ready one, in one process: starting Python is slow.

`python -m ops.prepare [FILE]` migrates, makes keys, loads the demo, and writes ready tokens for
trying out to FILE, as JSON by role. Production gets neither demo nor tokens.
"""

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from alembic.config import main as alembic
from click import ClickException
from flask.cli import ScriptInfo

from ops.guide import SCREEN
from ops.machine import say

ROLES = ("citizen", "officer", "administrator")


def main() -> int:
    step("migrations", lambda: alembic(["--raiseerr", "upgrade", "head"]))
    step("keys", lambda: run_flask("keys", "init"))
    if os.environ.get("MVOTE_ENV") == "production":
        return 0
    step("demo data", lambda: run_flask("demo", "load"))
    if sys.argv[1:]:
        step("tokens", lambda: write_tokens(Path(sys.argv[1])))
    return 0


def step(name: str, work: Callable[[], object]) -> None:
    """One line when it begins to take time, one when it is done."""
    began = time.monotonic()
    work()
    say(f"   {name}: {time.monotonic() - began:.1f} s")


def run_flask(*words: str) -> None:
    """What `flask --app wsgi …` does, without another process."""
    from wsgi import app

    app.cli.main(list(words), obj=ScriptInfo(create_app=lambda: app), standalone_mode=False)


def write_tokens(file: Path) -> None:
    tokens = {role: _said("token", "--role", role) for role in ROLES}
    of_the_demo = json.loads(_said("demo", "tokens"))
    file.write_text(json.dumps(tokens | of_the_demo | _screen()), encoding="utf-8")


def _screen() -> dict[str, str]:
    """The address of the demo's screen; nothing if there is none to show just now."""
    with contextlib.suppress(ClickException):
        return {SCREEN: _said("demo", "screen")}
    return {}


def _said(*words: str) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        run_flask(*words)
    return said.getvalue().strip()


if __name__ == "__main__":
    sys.exit(main())
