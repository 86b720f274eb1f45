"""Signing in: a one-time code proves the number, then a session begins (see `refreshing`).

Nothing here looks for an account before the number is proved, so that the answer to a request for
a code cannot tell whether there is one. A wrong guess, whose count must be kept, comes back as
None: the caller commits first and refuses then.
"""

from __future__ import annotations

import datetime as dt
import hmac
import uuid
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.orm import Session

from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.notation import h
from mvote.base import after_commit, random_id
from mvote.languages import said
from mvote.people import challenges, sessions
from mvote.people.challenges import MOST_TRIES, Challenge, Purpose
from mvote.people.limits import Limit, hash_of_address, use_up
from mvote.people.messages import TextMessages
from mvote.people.phones import Phones
from mvote.people.registering import register
from mvote.people.sessions import How, RefreshToken, SignIn

HOUR = dt.timedelta(hours=1)
CODES_PER_PAIR = Limit("codes-per-number-and-address", 5, HOUR)
CODES_PER_NUMBER = Limit("codes-per-number", 15, HOUR)
"""Three times what one address has of it: nobody alone can keep a chosen voter signed out."""
CODES_PER_ADDRESS = Limit("codes-per-address", 300, HOUR)
"""Wide, because behind a carrier's address translation thousands share one address."""


@dataclass(frozen=True, kw_only=True)
class FrontDesk:
    """What signing in needs of the world."""

    keystore: Keystore
    phones: Phones
    messages: TextMessages
    #: of the city: for who has chosen none
    language: str = "ko"


@dataclass(frozen=True, kw_only=True, repr=False)
class Typed:
    """A code as it was typed back, and what for."""

    challenge_id: uuid.UUID
    code: str
    purpose: Purpose


@dataclass(frozen=True, repr=False)
class SignedIn:
    """Who has signed in, and the token that renews it. Has no repr, so it is never logged."""

    citizen_id: uuid.UUID
    session_id: uuid.UUID
    refresh_token: str


def send_code(
    session: Session,
    *,
    desk: FrontDesk,
    number: str,
    purpose: Purpose,
    address: str,
    language: str,
    now: dt.datetime,
) -> Challenge:
    """Send a one-time code for *purpose* to *number* (E.164) for whoever asks from *address*.

    Raises TooManyRequests; MessageNotSent comes after the commit.
    """
    phone_hash = desk.phones.hash_of(number)
    address_hash = hash_of_address(desk.keystore, address)
    pair = h("mvote/codes-per-number-and-address/1", phone_hash, address_hash)
    use_up(session, CODES_PER_PAIR, subject_hash=pair, now=now)
    use_up(session, CODES_PER_NUMBER, subject_hash=phone_hash, now=now)
    use_up(session, CODES_PER_ADDRESS, subject_hash=address_hash, now=now)
    id_, code = random_id(), challenges.new_code()
    challenge = Challenge(
        id=id_,
        purpose=purpose,
        phone_hash=phone_hash,
        phone_sealed=desk.phones.seal(number),
        code_hash=challenges.hash_of_code(desk.keystore, id_, code),
        created_at=now,
        expires_at=now + challenges.LIFETIME,
    )
    session.add(challenge)
    text = said(challenges.TEXTS[purpose].format(code=code), language)
    after_commit(session, lambda: desk.messages.send(to=number, text=text, code=code))
    return challenge


def sign_in(
    session: Session,
    *,
    desk: FrontDesk,
    challenge_id: uuid.UUID,
    code: str,
    now: dt.datetime,
    device: str | None = None,
) -> SignedIn | None:
    """Sign in whoever typed the right *code*; None, to be committed, if it is not."""
    typed = Typed(challenge_id=challenge_id, code=code, purpose="sign-in")
    number = spend_code(session, desk=desk, typed=typed, now=now)
    if number is None:
        return None
    citizen_id = register(session, number=number, phones=desk.phones)
    return begin(session, citizen_id=citizen_id, how="phone", device=device, now=now)


def begin(
    session: Session, *, citizen_id: uuid.UUID, how: How, device: str | None, now: dt.datetime
) -> SignedIn:
    """Begin a session of a citizen who has proved *how* it is them."""
    ends = now + sessions.LIFETIME
    started = SignIn(
        citizen_id=citizen_id,
        started_at=now,
        last_used_at=now,
        expires_at=ends,
        how=how,
        device=device,
    )
    session.add(started)
    session.flush()  # the token refers to it
    token = sessions.new_refresh_token()
    keep_token(session, token, sign_in_id=started.id, now=now)
    return SignedIn(citizen_id, started.id, token)


def keep_token(session: Session, token: str, *, sign_in_id: uuid.UUID, now: dt.datetime) -> None:
    """Let *token* renew a session, once."""
    token_hash = sessions.hash_of_token(token)
    session.add(RefreshToken(token_hash=token_hash, sign_in_id=sign_in_id, issued_at=now))


def spend_code(session: Session, *, desk: FrontDesk, typed: Typed, now: dt.datetime) -> str | None:
    """Use one try of a challenge; the number it proves, if the code was right."""
    tried = take_try(session, typed=typed, now=now)
    given = challenges.hash_of_code(desk.keystore, typed.challenge_id, typed.code)
    if tried is None or not hmac.compare_digest(tried.code_hash, given):
        return None
    tried.spent_at = now
    return desk.phones.unseal(tried.phone_sealed, phone_hash=tried.phone_hash)


def take_try(session: Session, *, typed: Typed, now: dt.datetime) -> Challenge | None:
    """Use one try of a challenge, alone with it from now on; None if none is left.

    One statement both checks and counts: guesses at the same moment wait for each other.
    """
    return session.scalars(
        update(Challenge)
        .where(
            Challenge.id == typed.challenge_id,
            Challenge.purpose == typed.purpose,
            Challenge.tries < MOST_TRIES,
            Challenge.spent_at.is_(None),
            Challenge.expires_at > now,
        )
        .values(tries=Challenge.tries + 1)
        .returning(Challenge),
        execution_options={"populate_existing": True},
    ).one_or_none()
