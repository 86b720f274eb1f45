"""System users of a test's own, and acting as one of them."""

from __future__ import annotations

import os
import pwd
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HOLDERS = ("api", "shuffler", "counter", "auditor")


@contextmanager
def users_of_our_own() -> Iterator[str]:
    """A prefix for names of users; whoever was made with it is removed at the end."""
    prefix = f"mvt{secrets.token_hex(3)}-"
    try:
        yield prefix
    finally:
        for holder in HOLDERS:
            subprocess.run(["userdel", prefix + holder], capture_output=True, check=False)
        for holder in HOLDERS:  # userdel keeps a group that has other members
            subprocess.run(["groupdel", prefix + holder], capture_output=True, check=False)


def done_as(user: str, act: Callable[[], object]) -> str:
    """What *act* returns when *user* does it, or the name of what it raises, as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, _said(user, act).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


def _said(user: str, act: Callable[[], object]) -> str:
    known = pwd.getpwnam(user)
    os.umask(0o077)  # the strictest that an operator may have set
    os.initgroups(user, known.pw_gid)
    os.setgid(known.pw_gid)
    os.setuid(known.pw_uid)
    try:
        return str(act())
    except (OSError, LookupError, ValueError) as error:
        return type(error).__name__
