"""A web server whose clock jumps by an hour: no poll may be opened or closed at the wrong time."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import psycopg

from mvote.base import utc_now
from ops.bench.polls import OPTIONS
from ops.bench.serving import serving
from ops.bench.stage import Installation
from ops.machine import ROOT
from ops.torture.report import Line
from ops.torture.scene import Scene, free_port

HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Clock:
    """A web server whose clock can be turned, and a line to it."""

    file: Path
    port: int

    def turn(self, by: dt.timedelta) -> None:
        """From now on the clock is off by so much."""
        draft = self.file.with_suffix(".new")
        draft.write_text(f"{by.total_seconds():+.0f}\n", encoding="ascii")
        draft.replace(self.file)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        """One request."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        line.request(method, path, body, {"Content-Type": "application/json", **headers})
        answer = line.getresponse()
        text, shown = answer.read(), answer.getheader("Date") or ""
        line.close()
        return Answer(answer.status, json.loads(text), shown)


@dataclass(frozen=True)
class Answer:
    """Status, document, and the hour that the server believes."""

    status: int
    told: dict[str, object]
    date: str


@contextmanager
def turnable(here: Installation) -> Iterator[Clock]:
    """A web server with a clock that can be turned while it runs."""
    file, port = here.settings.var / "clock", free_port()
    file.parent.mkdir(parents=True, exist_ok=True)
    clock = Clock(file, port)
    clock.turn(dt.timedelta())
    gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
    words = [
        "env",
        f"CLOCK_FILE={file}",
        *gunicorn,
        "--config",
        str(ROOT / "ops/torture/turned.py"),
    ]
    with serving(here, words, port):
        yield clock


@dataclass(frozen=True)
class Case:
    """What a cast and a look at a poll gave, while the clock was wrong."""

    what: str
    wanted: str
    found: str

    @property
    def holds(self) -> bool:
        return self.wanted == self.found


def turn(here: Installation) -> list[Case]:
    """An open poll, one that is to open, one that is over; the clock right, fast and slow."""
    open_now, later, over = (Scene.set(here) for _ in range(3))
    _set_times(later, opens=HOUR / 2, closes=2 * HOUR)
    _set_times(over, opens=-HOUR, closes=-HOUR / 2)
    _set_times(open_now, opens=-HOUR / 2, closes=HOUR / 2)
    cases = []
    with turnable(here) as clock:
        for by in (dt.timedelta(), HOUR, -HOUR):
            clock.turn(by)
            cases.append(_believes(clock, by))
            for scene, wanted in (
                (open_now, "open 201"),
                (later, "scheduled 409 poll-not-open"),
                (over, "closing 409 poll-not-open"),
            ):
                found = _seen(clock, scene, by)
                cases.append(Case(f"{wanted.partition(' ')[0]}, clock off by {by}", wanted, found))
    return cases


def _set_times(scene: Scene, *, opens: dt.timedelta, closes: dt.timedelta) -> None:
    with psycopg.connect(scene.here.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE poll SET opens_at = now() + %s, closes_at = now() + %s WHERE id = %s",
            [opens, closes, scene.poll_id],
        )


def _believes(clock: Clock, by: dt.timedelta) -> Case:
    """That the clock really is wrong, else nothing would be shown."""
    off = parsedate_to_datetime(clock.ask("GET", "/healthz").date) - utc_now()
    near = abs(off - by) < HOUR / 4
    return Case(f"the server's clock is off by {by}", "yes", "yes" if near else f"no, by {off}")


def _seen(clock: Clock, scene: Scene, by: dt.timedelta) -> str:
    """The state of the poll, and the answer to a cast by a new voter, with a token good then."""
    [caster] = scene.casters(1)
    token = scene.app.extensions["tokens"].issue(caster.citizen_id, now=utc_now() + by)
    poll = clock.ask("GET", f"/v1/polls/{scene.poll_id}").told
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid.uuid4().hex}
    body = json.dumps({"selections": [OPTIONS[0]]})
    cast = clock.ask("POST", f"/v1/polls/{scene.poll_id}/ballots", body, **headers)
    return f"{poll.get('status')} {cast.status} {cast.told.get('code', '')}".strip()


def lines(cases: list[Case]) -> list[Line]:
    """What the table says of it."""
    wrong = [case for case in cases if not case.holds]
    first = Line("a clock that jumps an hour", f"{len(cases)} observations")
    second = Line("  wrong state or wrong answer", str(len(wrong)), "0", holds=not wrong)
    return [first, second, *(Line(f"    {case.what}", case.found) for case in wrong)]
