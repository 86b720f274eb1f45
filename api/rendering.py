"""PDF files are set one at a time, each by a process of its own, without any key of ours, which
ends in time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from api.settings import ROOT
from api.turns import Turns
from mvote.errors import Overloaded

LONGEST_RENDERING_S = 60.0
setting = Turns(1, patience_s=5.0)


def render(program: str, document: bytes, path: Path) -> None:
    """Write the PDF that the *program* of `qr` makes of the *document* (JSON) to *path*, whole or
    not at all. Raises Overloaded."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with draft.open("wb") as output:
            _run(program, document, output)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def rendered(program: str, document: bytes) -> bytes:
    """The PDF itself, for what must not lie in a file. Raises Overloaded."""
    return _run(program, document, subprocess.PIPE)


def _run(program: str, document: bytes, output: IO[bytes] | int) -> bytes:
    with setting.one():
        try:
            done: subprocess.CompletedProcess[bytes] = subprocess.run(
                [sys.executable, "-m", program],
                input=document,
                stdout=output,
                cwd=ROOT,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                timeout=LONGEST_RENDERING_S,
                check=True,
            )
        except subprocess.TimeoutExpired:
            raise Overloaded from None
    return done.stdout or b""
