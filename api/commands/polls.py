"""`flask polls progress`: how far the count of each poll is whose voting is over."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from api.commands.plainly import PlainGroup
from api.db import reading
from mvote.ballotbox.figures import CountingProgress
from mvote.ballotbox.progress import counts_under_way
from mvote.base import utc_now
from mvote.polls.poll import Poll
from mvote.wording import counted


@click.group(cls=PlainGroup)
def polls() -> None:
    """What an operator wants to know of polls."""


@polls.command()
@with_appcontext
def progress() -> None:
    """One line for each poll that is closing, being counted, or counted and not published."""
    with reading() as session:
        found = counts_under_way(session)
        lines = [_line(poll, count) for poll, count in found]
    click.echo("\n".join(lines or ["Nothing is being counted."]))


def _line(poll: Poll, count: CountingProgress | None) -> str:
    if count is None or poll.state == "closing":
        return f"{poll.id}  {poll.state}"
    share = count.done / count.size if count.size else 1.0
    took = (count.at - count.began_at).total_seconds()
    silent = (utc_now() - count.at).total_seconds()
    entries = counted(count.size, "entry", "entries")
    return (
        f"{poll.id}  {poll.state}  {count.done:,} of {entries} ({share:.0%})"
        f" in {took:.0f} s, {silent:.0f} s ago"
    )
