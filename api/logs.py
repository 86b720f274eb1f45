"""Structured logs: one JSON object a line, without bodies, positions, numbers, keys or trackers."""

from __future__ import annotations

import datetime as dt
import logging
import sys
import traceback
from typing import Any

import orjson

OURS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A record as one line of JSON; of an exception only its type and where it came from."""

    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).replace(tzinfo=None)
        line: dict[str, Any] = {
            "at": f"{at.isoformat()}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in OURS}
        if record.exc_info and record.exc_info[1]:
            line["exception"] = _without_values(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


def _without_values(error: BaseException) -> dict[str, Any]:
    """Type and places only: the text of an exception may hold what must not be logged."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return {
        "type": type(error).__name__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def configure(level: int = logging.INFO) -> None:
    """Send this project's logs to standard error as JSON lines."""
    # Nothing that these would find out stands in our lines, and each request would pay for it.
    logging._srcfile = None  # noqa: SLF001 - the documented way; where a line was logged from
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger("mvote")
    if not root.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        root.addHandler(handler)
        root.propagate = False
    root.setLevel(level)
