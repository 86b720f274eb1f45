"""Settings for a gunicorn whose clock can be turned: by the seconds that `CLOCK_FILE` says.

Turned inside Python, which all of ours reads the time through: libfaketime, which turns it for the
whole process, breaks sleeping in Python 3.11.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import time_machine

worker_class = "gevent"
workers = 1
control_socket_disable = True
loglevel = "error"
wsgi_app = "wsgi:app"

_file = Path(os.environ["CLOCK_FILE"])
_turned: dict[str, time_machine.travel] = {}


def pre_request(_worker: object, _request: object) -> None:
    """Before each request, see whether the clock was turned."""
    by = _file.read_text("ascii").strip()
    if by in _turned:
        return
    for before in _turned.values():
        before.stop()
    _turned.clear()
    wrong = time.time() + float(by)
    _turned[by] = time_machine.travel(wrong, tick=True)
    _turned[by].start()
