"""Killing a program in the middle of its work on files, at each step of it in turn."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import count

STEPS = ("open", "os.link", "os.rename", "os.remove", "os.mkdir")
KILLED = 99


def dies_at(step: int, act: Callable[[], object]) -> bool:
    """Do *act* in a process that dies before its *step*-th change of a file; whether it did.

    False: the act came to its end, so there are no more steps.
    """
    child = os.fork()
    if child == 0:
        _live_until(step)
        act()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), code
    return code == KILLED


def meets(step: int, act: Callable[[], object], meanwhile: Callable[[], object]) -> bool:
    """Do *act* in a process; *meanwhile* happens before its *step*-th change of a file.

    False: the act came to its end before.
    """
    child = os.fork()
    if child == 0:
        met, code = _interrupt(step, meanwhile), 1
        try:
            act()
            code = KILLED if met else 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), code
    return code == KILLED


def _interrupt(step: int, meanwhile: Callable[[], object]) -> list[str]:
    """Filled once it happened."""
    done, met = count(), list[str]()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and not met and next(done) == step:
            met.append(event)
            meanwhile()

    sys.addaudithook(hook)
    return met


def _live_until(step: int) -> None:
    done = count()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and next(done) == step:
            os._exit(KILLED)

    sys.addaudithook(hook)
