"""What a roll has to do with opening a poll."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from mvote.polls.definition import DEFAULT_PUBLISH_FROM
from mvote.polls.hindrances import Hindrance
from mvote.polls.poll import Poll
from mvote.polls.roll import Roll


def asks_roll(poll: Poll) -> bool:
    """Whether a draft says that it asks only those on its roll."""
    return bool((poll.content.get("eligibility") or {}).get("roll"))


def hindrances_in_roll(session: Session, poll: Poll) -> Iterator[Hindrance]:
    """A roll that is asked for and not there, or there and not asked for. The rolls of contests
    are put together when their poll is opened."""
    if "cycle" in poll.content:
        return
    has_roll = session.get(Roll, poll.id) is not None
    if asks_roll(poll) and not has_roll:
        yield Hindrance("no-roll", "/eligibility/roll")
    if has_roll and not asks_roll(poll):
        yield Hindrance("roll-not-asked", "/eligibility/roll")


def warnings_of_roll(session: Session, poll: Poll) -> Iterator[Hindrance]:
    """A roll so small that its result is never shown."""
    roll = session.get(Roll, poll.id)
    if roll and roll.size < poll.content.get("publish_from", DEFAULT_PUBLISH_FROM):
        yield Hindrance("roll-too-small", "/publish_from")
