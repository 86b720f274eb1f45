"""Processor time, by who used it: what a cast costs, however busy the machine is otherwise."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

from ops import server
from ops.bench.stage import CLUSTER
from ops.place import find

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Spent:
    """Seconds of processor time that the web server, PostgreSQL and the load have used so far."""

    web: float
    database: float
    load: float

    def since(self, before: Spent) -> Spent:
        """What was used after *before*."""
        return Spent(
            self.web - before.web, self.database - before.database, self.load - before.load
        )

    def each(self, count: int) -> Spent:
        """Microseconds for each of *count* casts."""
        return Spent(*(1e6 * part / count for part in (self.web, self.database, self.load)))

    @property
    def total(self) -> float:
        return self.web + self.database + self.load


def spent(web: int) -> Spent:
    """Used until now by the family of process *web*, by the bench's cluster, by ended children."""
    database = server.running(find(CLUSTER))
    load = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(
        web=_family_s(web),
        database=_family_s(database) if database else 0.0,
        load=load.ru_utime + load.ru_stime,
    )


def _family_s(pid: int) -> float:
    """Used by a process, by its descendants, and by those of them that have ended."""
    return _used_s(pid) + sum(_family_s(child) for child in children_of(pid))


def children_of(pid: int) -> list[int]:
    """The processes that *pid* has started and that live."""
    try:
        return [int(pid) for pid in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _used_s(pid: int) -> float:
    """utime, stime, cutime and cstime of proc(5): fields 14 to 17; 0 of one that ended just now."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS
