"""Casting a ballot: once, secret, recorded. The whole act, in the order the design gives it."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any, Protocol

from mvote.ballotbox.poll_keys import PollKeyring, PollKeys
from mvote.ballotbox.receipts import Receipt, ReceiptKeys, receipt_message
from mvote.ballotbox.sealing import (
    Tags,
    commitment,
    salt_of,
    seal,
    tags_of,
    tracker_of,
    wrap_outer,
)
from mvote.ballotbox.slot import Outcome, SlotRow
from mvote.ballotbox.vectors import vector_of
from mvote.base import random_id
from mvote.errors import DomainError
from mvote.people.voters import Voter
from mvote.polls.definition import FrozenPoll
from mvote.polls.errors import (
    AlreadyVoted,
    IdempotencyKeyReused,
    PollNotOpen,
    PresenceTokenInvalid,
)


class Slot(Protocol):
    """What takes one row and answers when its fate is durable."""

    def cast(self, poll_id: uuid.UUID, row: SlotRow) -> Outcome:
        """Put *row* into the box of the poll."""


@dataclass(frozen=True, kw_only=True)
class BallotBox:
    """What casting needs beside the ballot itself."""

    keys: PollKeyring
    receipts: ReceiptKeys
    slot: Slot


@dataclass(frozen=True, kw_only=True, repr=False)
class Ballot:
    """A filled paper as it arrives: who casts it, the selections, and the client's random key K."""

    voter: Voter
    selections: list[Any]
    key: str
    presence_token: str | None = None
    #: the voter knows that it breaks a limit, and casts it as a spoilt one
    accept_spoilt: bool = False


def cast(
    box: BallotBox, poll: FrozenPoll, ballot: Ballot, *, reasons: list[DomainError]
) -> Receipt:
    """Cast *ballot* and return its receipt, durably; the same request gives the same receipt.

    A ballot with *reasons* against it goes to the slot all the same, marked not admitted: whether
    it was cast before is decided first. Raises InvalidSelection, IdempotencyKeyReused,
    AlreadyVoted, PollNotOpen, or the first of the reasons.
    """
    vector = vector_of(poll.question, ballot.selections, accept_spoilt=ballot.accept_spoilt)
    keys = box.keys.of(poll.poll_id)
    if keys is None or keys.R is None:
        raise PollNotOpen
    tracker = tracker_of(poll.P, ballot.voter.id, ballot.key)
    tags = tags_of(keys, poll.P, ballot.voter.anchor, tracker, ballot.key, vector)
    salt = salt_of(keys.R, tags.voter_tag, ballot.key, vector)
    c = commitment(poll.P, tracker, salt, vector)
    envelope = _Envelope(tracker=tracker, salt=salt, vector=vector, c=c)
    row = _row(poll, keys, tags, envelope, ballot, admitted=not reasons)
    outcome = box.slot.cast(poll.poll_id, row)
    _raise_unless_recorded(outcome, reasons)
    return _receipt(box.receipts, poll, envelope, is_repeated=outcome == "replay")


@dataclass(frozen=True, kw_only=True, repr=False)
class _Envelope:
    """What is sealed, and the commitment to it."""

    tracker: bytes
    salt: bytes
    vector: bytes
    c: bytes


def _row(
    poll: FrozenPoll,
    keys: PollKeys,
    tags: Tags,
    envelope: _Envelope,
    ballot: Ballot,
    *,
    admitted: bool,
) -> SlotRow:
    envelope_id = random_id()
    outer = b""
    if admitted and keys.L is not None:  # what is not admitted is looked up, never stored
        sealed = seal(poll.sealing_key, envelope.tracker, envelope.salt, envelope.vector)
        outer = wrap_outer(keys.L, poll.P, envelope_id, envelope.tracker, envelope.c, sealed)
    return SlotRow(
        tags=tags,
        admitted=admitted and bool(outer),
        envelope_id=envelope_id,
        outer=outer,
        spends=spent_hash(ballot.presence_token) if ballot.presence_token else None,
    )


def spent_hash(presence_token: str) -> bytes:
    """What is kept of a used presence token, for minutes: a hash of its random part's carrier."""
    return hashlib.sha256(b"mvote/spent/1\x00" + presence_token.encode()).digest()


def _raise_unless_recorded(outcome: Outcome, reasons: list[DomainError]) -> None:
    match outcome:
        case "recorded" | "replay":
            return
        case "key-reused":
            raise IdempotencyKeyReused
        case "already-voted":
            raise AlreadyVoted
        case "token-spent":
            raise PresenceTokenInvalid
        case "refused" if reasons:
            raise reasons[0]
        case "refused" | "not-open":
            raise PollNotOpen


def _receipt(
    receipts: ReceiptKeys, poll: FrozenPoll, envelope: _Envelope, *, is_repeated: bool
) -> Receipt:
    message = receipt_message(poll.origin, poll.hash, envelope.tracker, envelope.c)
    return Receipt(
        poll_id=poll.poll_id,
        tracker=envelope.tracker.hex(),
        envelope_hash=envelope.c.hex(),
        definition_hash=poll.hash.hex(),
        signature=receipts.sign(poll.receipt_key_id, message),
        key_id=poll.receipt_key_id,
        ballot_salt=envelope.salt.hex() if poll.cast_check else None,
        is_repeated=is_repeated,
    )
