"""The act of casting as the web does it, whoever has read the request: Flask, or we by hand."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy.orm import Session

from api.crowd import Comer
from api.db import reading, transaction_on
from api.polls.rooms import knows_password
from api.wiring import Wiring
from mvote.ballotbox.casting import Ballot, cast
from mvote.ballotbox.receipts import Receipt
from mvote.ballotbox.vectors import vector_of
from mvote.base import utc_now
from mvote.errors import DomainError, TokenInvalid, TooManyRequests
from mvote.people.voters import Voter
from mvote.polls.definition import FrozenPoll
from mvote.polls.eligibility import reasons_not_to_vote
from mvote.polls.integrity.asking import answered
from mvote.polls.integrity.checking import NOTHING_SAID, Checked, spend
from mvote.polls.integrity.watching import Watch
from mvote.polls.proving import Evidence, Presence, proven_presence

NOBODY_ASKS = Session()
"""Of no database. What a position proves is known when it is looked at: no question is left."""


@dataclass(frozen=True, slots=True, repr=False)
class Paper:
    """A ballot as it was handed in, its shape in order, its content not yet looked at."""

    poll_id: uuid.UUID
    citizen_id: uuid.UUID
    key: str
    selections: list[str]
    evidence: Evidence
    accept_spoilt: bool = False
    room_password: str | None = None


def cast_paper(wiring: Wiring, paper: Paper) -> Receipt:
    """Cast *paper* and return its receipt. Raises what `mvote.ballotbox.casting.cast` raises."""
    poll = frozen_poll(wiring, paper.poll_id)
    now = utc_now()
    voter, presence = seen(wiring, poll, paper.citizen_id, paper.evidence, now)
    ballot = Ballot(
        voter=voter,
        selections=paper.selections,
        key=paper.key,
        presence_token=presence.token,
        accept_spoilt=paper.accept_spoilt,
    )
    reasons = _reasons(wiring, poll, paper, voter, presence)
    accounts, of_place = 0, presence.reasons
    if presence.checked and not reasons:
        # what may be sent again in another way is refused before anything is used up
        vector_of(poll.question, paper.selections, accept_spoilt=paper.accept_spoilt)
        accounts, reasons = _spent(wiring, presence.checked, now)
        of_place = reasons
    sight = _Sight(poll, voter, paper.evidence, presence.checked, accounts, now)
    try:
        receipt = cast(wiring.box, poll, ballot, reasons=reasons)
    except DomainError as refused:
        if refused in of_place:
            sight.note(wiring.watch)
        raise
    if not receipt.is_repeated:
        sight.note(wiring.watch)
    return receipt


@dataclass(frozen=True, slots=True, repr=False)
class _Sight:
    """A position that was sent with a paper. It is noted where a ballot was recorded with it, or
    where it alone stands against the ballot: not when somebody asks for their receipt again, votes
    twice, comes too late or may not vote at all."""

    poll: FrozenPoll
    voter: Voter
    evidence: Evidence
    checked: Checked | None
    accounts: int
    now: dt.datetime

    def note(self, watch: Watch) -> None:
        """Have it watched, if the poll looks at positions."""
        if self.evidence.position is None or self.poll.presence != "area":
            return
        watch.see(
            self.poll.poll_id,
            self.voter.anchor,
            self.evidence.position,
            said=self.evidence.integrity,
            now=self.now,
            nonce_given_at=self.checked.nonce_given_at if self.checked else None,
            accounts=self.accounts,
        )


def _reasons(
    wiring: Wiring, poll: FrozenPoll, paper: Paper, voter: Voter, presence: Presence
) -> list[DomainError]:
    """Why they may not vote. Even too many guesses are a reason among others: a ballot that was
    cast before is answered again before any refusal."""
    try:
        knows = knows_password(wiring, poll, paper.citizen_id, paper.room_password)
    except TooManyRequests as error:
        return [error]
    return reasons_not_to_vote(poll, voter, presence.reasons, knows_password=knows)


def _spent(wiring: Wiring, checked: Checked, now: dt.datetime) -> tuple[int, list[DomainError]]:
    """Use what is good once: what is refused anyway leaves it as it was. Somebody may have been
    quicker, and that is a reason like others. Beside it, how many accounts use the phone.

    In a transaction of its own: in the slot's it would tie whoever asked for it to an envelope.
    No connection is held while a platform is asked: the pool is everybody's.
    """
    checked = answered(partial(transaction_on, wiring.engine), checked, now=now)
    if checked.reasons:
        return 0, checked.reasons
    try:
        with transaction_on(wiring.engine) as session:
            used = spend(session, wiring.owners, checked, now=now)
            return used or 0, []
    except DomainError as error:
        return 0, [error]


def frozen_poll(wiring: Wiring, poll_id: uuid.UUID) -> FrozenPoll:
    """The poll, at hand or read together with others'. Raises NotFound."""
    known = wiring.polls.known(poll_id)
    return known or wiring.polls.keep(poll_id, wiring.definitions.ask(poll_id))


def seen(
    wiring: Wiring,
    poll: FrozenPoll,
    citizen_id: uuid.UUID,
    evidence: Evidence,
    now: dt.datetime,
) -> tuple[Voter, Presence]:
    """Who votes, and where they are, as far as that is proven. Raises TokenInvalid."""
    position = evidence.position if poll.presence == "area" else None
    has_roll = poll.eligibility.roll
    known = wiring.crowd.ask(Comer(citizen_id, poll.poll_id, poll.opens_at, position, has_roll))
    if known.voter is None:
        raise TokenInvalid
    judge = replace(wiring.judge, geofence=known)

    def presence(session: Session) -> Presence:
        return proven_presence(
            session,
            judge=judge,
            poll=poll,
            citizen_id=citizen_id,
            evidence=evidence,
            now=now,
        )

    if evidence.presence_token is None and evidence.integrity is NOTHING_SAID:
        return known.voter, presence(NOBODY_ASKS)
    with reading(wiring.engine) as session:
        return known.voter, presence(session)
