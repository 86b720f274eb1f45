"""More voters at once than are worked at, who come back when they are told to."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ops.bench.serving import serving
from ops.bench.stage import Installation
from ops.torture.load import Load
from ops.torture.report import Line
from ops.torture.scene import Account, Scene, account, free_port

AT_ONCE = 192
JOIN = 600.0


@dataclass(frozen=True)
class Crowd:
    """What became of them."""

    account: Account
    load: Load
    seconds: float


def crowd_in(here: Installation, *, ballots: int) -> Crowd:
    """192 at once until all have cast; each waits as long as `Retry-After` says."""
    scene = Scene.set(here)
    casters = scene.casters(ballots)
    with serving(here, port=free_port()) as web:
        load = Load(web.port, scene.poll_id, scene.app.extensions["tokens"], at_once=AT_ONCE)
        began = time.monotonic()
        load.begin(casters).result(JOIN)
        seconds = time.monotonic() - began
    scene.close()
    return Crowd(account(scene, casters, load.given), load, seconds)


def lines(crowd: Crowd) -> list[Line]:
    """What the table says of it."""
    found, load = crowd.account, crowd.load
    told = ", ".join(f"{count} × {what}" for what, count in sorted(load.answers.items()))
    each_second = found.acknowledged / crowd.seconds
    return [
        Line(f"{AT_ONCE} at once", f"{found.acknowledged:,} acknowledged ({told})"),
        Line("  acknowledged a second, clients in Python beside it", f"{each_second:,.0f}"),
        Line("  lost, double", f"{found.lost}, {found.doubled}", "0, 0", holds=found.holds),
        Line("  refusals but 429 and 503", f"{len(load.refusals)}", "0", holds=not load.refusals),
    ]
