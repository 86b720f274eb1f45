"""Before the database is asked for many: those who are ready come along, and nobody waits long."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import gevent
import pytest

from api.pausing import pause_of_this_process, until_nothing_else_is_ready
from mvote.gathering import let_others_run

NEVER = "never"
WHICH = "from gevent import monkey; monkey.patch_all(); import api.pausing as p; \
print(p.pause_of_this_process().__name__)"


def test_all_who_are_ready_go_first_however_many_turns_they_take() -> None:
    came: list[int] = []

    def comes_after_some_turns(number: int) -> None:
        for _ in range(3):
            gevent.sleep(0)
        came.append(number)

    for number in range(20):
        gevent.spawn(comes_after_some_turns, number)
    until_nothing_else_is_ready()
    assert sorted(came) == list(range(20))


@pytest.fixture
def one_that_never_rests() -> Iterator[None]:
    """Another at work in this process, which is ready again and again."""

    def turn() -> None:
        while True:
            gevent.sleep(0)

    restless = gevent.spawn(turn)
    yield
    restless.kill()


def ends(pause: Callable[[], object], *, within_s: float) -> bool:
    """Whether the pause ends at all."""
    return bool(gevent.with_timeout(within_s, pause, timeout_value=NEVER) != NEVER)


@pytest.mark.usefixtures("one_that_never_rests")
def test_a_flood_in_which_the_process_never_rests_does_not_stop_those_who_cast() -> None:
    assert ends(until_nothing_else_is_ready, within_s=30)


@pytest.mark.usefixtures("one_that_never_rests")
def test_without_a_bound_the_flood_would_stop_them() -> None:
    assert not ends(gevent.idle, within_s=0.2)


def test_threads_do_not_wait_for_rest_that_only_gevent_knows_of() -> None:
    assert pause_of_this_process() is let_others_run


def test_gevents_workers_wait_for_rest() -> None:
    done = subprocess.run([sys.executable, "-c", WHICH], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == until_nothing_else_is_ready.__name__
