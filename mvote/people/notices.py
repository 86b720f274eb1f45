"""Notices to a citizen about their own account: by text message, once the act is durable."""

from __future__ import annotations

import logging
from functools import partial

from sqlalchemy.orm import Session

from mvote.base import after_commit
from mvote.languages import said
from mvote.people.citizens import Citizen
from mvote.people.errors import MessageNotSent
from mvote.people.signing_in import FrontDesk
from mvote.wording import Message

log = logging.getLogger("mvote.people")


def tell(session: Session, desk: FrontDesk, citizen: Citizen, text: Message) -> None:
    """Send *text* in the citizen's language to the number the account has now, if it has one."""
    number = desk.phones.number_of(citizen)
    if number is not None:
        words = said(text, citizen.language or desk.language)
        after_commit(session, partial(_send, desk, number, words))


def _send(desk: FrontDesk, number: str, text: str) -> None:
    """That a notice cannot be sent undoes nothing: what it says stands in the journal."""
    try:
        desk.messages.send(to=number, text=text)
    except MessageNotSent:
        log.warning("a notice was not sent")
