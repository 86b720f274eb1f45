"""Does a log extend what is known of it? Whoever signs asks this first, and after a restore most.

Known is what was signed or witnessed: by the mark file, by the database itself, by the witnesses.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from mvote.ballotbox import log as logs
from mvote.ballotbox.log import CITY, EMPTY, TreeHead
from mvote.ballotbox.marks import MarkFile
from mvote.ballotbox.merkle import verify_consistency


class NotExtended(ValueError):
    """The city's log here lacks what was signed or witnessed, or contradicts it: sign nothing."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """The city's log had at least this *size*, says *who*; with this *root*, unless it is None."""

    who: str
    size: int
    root: bytes | None


def known_here(session: Session, mark: MarkFile) -> list[Known]:
    """What the mark file and the database say was signed last. Raises MarkUnreadable, OSError."""
    known = []
    if marked := mark.read():
        known.append(Known(who="the mark file", size=marked.size, root=marked.root))
    if signed := logs.signed_checkpoint(session, CITY):
        known.append(Known(who="the database", size=signed.size, root=signed.root))
    return known


def require_extended(session: Session, known: Iterable[Known]) -> None:
    """Raise NotExtended unless the city's log contains all that is *known* of it."""
    size = logs.size_of(session, CITY)
    for each in known:
        if each.size > size:
            raise NotExtended(
                f"{each.who} knows a city log of size {each.size}, here its size is {size}:"
                " was the database restored to an earlier state?"
            )
        if each.root is not None and logs.root_at(session, CITY, each.size) != each.root:
            raise NotExtended(
                f"{each.who} knows another city log: other entries among the first {each.size}"
            )


def extends(session: Session, log_id: uuid.UUID, old: TreeHead, new: TreeHead) -> bool:
    """Whether the stored tree proves that *new* is a state of the log, and extends *old*."""
    try:
        if old == EMPTY:
            return logs.root_at(session, log_id, new.size) == new.root
        if old.size > new.size:
            return False
        proof = logs.consistency(session, log_id, old=old.size, new=new.size)
    except LookupError:  # a part of the tree is gone
        return False
    return verify_consistency(old.size, new.size, old.root, new.root, proof)
