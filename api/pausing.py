"""How a process lets others come: before it asks the database, and while it works hard."""

from __future__ import annotations

from collections.abc import Callable

import gevent
from gevent import monkey

from mvote.gathering import Pause, let_others_run
from mvote.polls.room_passwords import Answer, Apart, at_once

LONGEST_S = 0.005


def until_nothing_else_is_ready() -> None:
    """Wait until every request that could go on has done so and waits, too, or for 5 ms.

    No pause of a fixed length is right: short, it leaves out those who come next; long, it leaves
    a processor idle. A flood that never lets the process come to rest must not stop it, either.
    """
    gevent.with_timeout(LONGEST_S, gevent.idle, timeout_value=None)


def pause_of_this_process() -> Pause:
    """With gevent's workers the above; with threads, of which others run anyway, none at all."""
    is_gevent = monkey.is_module_patched("threading")
    return until_nothing_else_is_ready if is_gevent else let_others_run


def in_a_thread(work: Callable[[], Answer], /) -> Answer:
    """Do *work* that keeps a processor busy beside the loop, which serves others meanwhile."""
    done: Answer = gevent.get_hub().threadpool.apply(work)
    return done


def apart_of_this_process() -> Apart:
    """With gevent's workers the above; with threads, where others run anyway, here and now."""
    return in_a_thread if monkey.is_module_patched("threading") else at_once
