"""The worker's part that sends invitations: one message after another, at a set rate."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import transaction
from api.people.messages import messages_of
from api.settings import Settings
from mvote.ballotbox.keystore import DirectoryKeystore, Keystore
from mvote.people.errors import MessageNotSent
from mvote.people.messages import TextMessages
from mvote.polls.inviting.sending import Letter, Outcome, claim, destroy_finished, settle, tidy

AT_ONCE = 100
"""So many in a round; then is looked whether to stop."""


@dataclass(kw_only=True)
class Messenger:
    """Sends what is due; `do_round` is repeated by the worker."""

    engine: Engine
    keystore: Keystore
    messages: TextMessages
    url: str
    time_zone: str
    per_second: int
    sleep: Callable[[float], None] = time.sleep

    def do_round(self) -> None:
        """Give up what is lost or too late, then send up to AT_ONCE messages."""
        with Session(self.engine) as session, transaction(session):
            finished = tidy(session)
        destroy_finished(self.keystore, finished)
        for _ in range(AT_ONCE):
            if not self.send_one():
                return
            self.sleep(1 / self.per_second)

    def send_one(self) -> bool:
        """Claim, send and settle one message; whether there was one."""
        with Session(self.engine, expire_on_commit=False) as session, transaction(session):
            letter = claim(session, keystore=self.keystore, url=self.url, time_zone=self.time_zone)
        if letter is None:
            return False
        became = self._sent(letter)
        with Session(self.engine) as session, transaction(session):
            settle(session, letter, became)
        return True

    def _sent(self, letter: Letter) -> Outcome:
        try:
            self.messages.send(to=letter.to, text=letter.text)
        except MessageNotSent as error:
            if error.is_for_good:
                return "refused"
            return "not taken" if error.is_certain else "unknown"
        return "sent"


def start_messenger(
    settings: Settings, engine: Engine, keystore: DirectoryKeystore
) -> Callable[[], None]:
    """A messenger as the settings have it."""
    messenger = Messenger(
        engine=engine,
        keystore=keystore,
        messages=messages_of(settings),
        url=settings.public_url,
        time_zone=settings.city_time_zone,
        per_second=settings.invitations_per_second,
    )
    return messenger.do_round
