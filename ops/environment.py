"""The configuration as the scripts see it: the environment over the file `.env`."""

import os
from collections.abc import Mapping
from pathlib import Path

from ops.machine import ROOT, SetupError


def read_env_file(path: Path) -> dict[str, str]:
    """`NAME=value` lines; quotes around a value and lines that begin with # are dropped."""
    if not path.exists():
        return {}
    lines = [line.strip().removeprefix("export ") for line in path.read_text("utf-8").splitlines()]
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {name.strip(): _unquoted(value.strip()) for name, _, value in pairs}


def _unquoted(value: str) -> str:
    for quote in ("'", '"'):
        if len(value) > 1 and value[0] == value[-1] == quote:
            return value[1:-1]
    return value


def load() -> None:
    """Take from `.env` what the environment does not say. Empty values say nothing."""
    for name, value in read_env_file(ROOT / ".env").items():
        if value and not os.environ.get(name):
            os.environ[name] = value


def given_database() -> str | None:
    """The `DATABASE_URL` that the person who runs us has set, if any."""
    return os.environ.get("DATABASE_URL") or None


def port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not (text.isdigit() and 0 < int(text) < 65536):
        raise SetupError(f"PORT is a number from 1 to 65535, not {text!r}.")
    return int(text)


def lines(values: Mapping[str, str]) -> str:
    """The text of an env file."""
    return "".join(f"{name}={value}\n" for name, value in values.items())
