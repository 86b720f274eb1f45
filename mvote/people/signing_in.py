"""Signing in: a one-time code proves the number, then refresh tokens carry the session on.

Nothing here looks for an account before the number is proved, so that the answer to a request for
a code cannot tell whether there is one. What fails after a count must be kept (a wrong guess, a
token used twice) comes back as None: the caller commits first and refuses then.
"""

from __future__ import annotations

import datetime as dt
import hmac
import uuid
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mvote.ballotbox.keystore import Keystore
from mvote.base import after_commit, random_id
from mvote.people import challenges, sessions
from mvote.people.challenges import MOST_TRIES, Challenge
from mvote.people.limits import Limit, hash_of_address, use_up
from mvote.people.messages import TextMessages
from mvote.people.phones import Phones
from mvote.people.registering import register
from mvote.people.sessions import RefreshToken, SignIn

HOUR = dt.timedelta(hours=1)
CODES_PER_NUMBER = Limit("codes-per-number", 5, HOUR)
CODES_PER_ADDRESS = Limit("codes-per-address", 300, HOUR)
"""Wide, because behind a carrier's address translation thousands share one address."""


@dataclass(frozen=True, kw_only=True)
class FrontDesk:
    """What signing in needs of the world."""

    keystore: Keystore
    phones: Phones
    messages: TextMessages


@dataclass(frozen=True, repr=False)
class SignedIn:
    """Who has signed in, and the token that renews it. Has no repr, so it is never logged."""

    citizen_id: uuid.UUID
    refresh_token: str


def send_code(
    session: Session, *, desk: FrontDesk, number: str, address: str, language: str, now: dt.datetime
) -> Challenge:
    """Send a one-time code to *number* (E.164) for whoever asks from *address*.

    Raises TooManyRequests; MessageNotSent comes after the commit.
    """
    phone_hash = desk.phones.hash_of(number)
    address_hash = hash_of_address(desk.keystore, address)
    use_up(session, CODES_PER_NUMBER, subject_hash=phone_hash, now=now)
    use_up(session, CODES_PER_ADDRESS, subject_hash=address_hash, now=now)
    id_, code = random_id(), challenges.new_code()
    challenge = Challenge(
        id=id_,
        phone_hash=phone_hash,
        phone_sealed=desk.phones.seal(number),
        code_hash=challenges.hash_of_code(desk.keystore, id_, code),
        created_at=now,
        expires_at=now + challenges.LIFETIME,
    )
    session.add(challenge)
    text = challenges.TEXTS[language].format(code=code)
    after_commit(session, lambda: desk.messages.send(to=number, text=text, code=code))
    return challenge


def sign_in(
    session: Session, *, desk: FrontDesk, challenge_id: uuid.UUID, code: str, now: dt.datetime
) -> SignedIn | None:
    """Sign in whoever typed the right *code*; None, to be committed, if it is not."""
    number = _spend(session, desk, challenge_id, code, now)
    if number is None:
        return None
    citizen_id = register(session, number=number, phones=desk.phones)
    started = SignIn(citizen_id=citizen_id, started_at=now, expires_at=now + sessions.LIFETIME)
    session.add(started)
    session.flush()
    return SignedIn(citizen_id, _new_token(session, started.id, now))


def _spend(
    session: Session, desk: FrontDesk, challenge_id: uuid.UUID, code: str, now: dt.datetime
) -> str | None:
    """Use one try of a challenge; the number it proves, if *code* was right."""
    tried = take_try(session, challenge_id=challenge_id, now=now)
    given = challenges.hash_of_code(desk.keystore, challenge_id, code)
    if tried is None or not hmac.compare_digest(tried.code_hash, given):
        return None
    tried.spent_at = now
    return desk.phones.unseal(tried.phone_sealed, phone_hash=tried.phone_hash)


def take_try(session: Session, *, challenge_id: uuid.UUID, now: dt.datetime) -> Challenge | None:
    """Use one try of a challenge, alone with it from now on; None if none is left.

    One statement both checks and counts: guesses at the same moment wait for each other.
    """
    return session.scalars(
        update(Challenge)
        .where(
            Challenge.id == challenge_id,
            Challenge.tries < MOST_TRIES,
            Challenge.spent_at.is_(None),
            Challenge.expires_at > now,
        )
        .values(tries=Challenge.tries + 1)
        .returning(Challenge),
        execution_options={"populate_existing": True},
    ).one_or_none()


def refresh(session: Session, *, token: str, now: dt.datetime) -> SignedIn | None:
    """Trade a refresh token for the next; None, to be committed, if it is not good.

    A token that comes a second time was stolen, before or after: the whole sign-in ends.
    """
    token_hash = sessions.hash_of_token(token)
    signed_in = _locked_sign_in(session, token_hash, now)
    if signed_in is None:
        return None
    unused = session.execute(
        update(RefreshToken)
        .where(RefreshToken.token_hash == token_hash, RefreshToken.used_at.is_(None))
        .values(used_at=now)
        .returning(RefreshToken.sign_in_id)
    ).one_or_none()
    if unused is None:
        session.execute(delete(SignIn).where(SignIn.id == signed_in.id))
        return None
    return SignedIn(signed_in.citizen_id, _new_token(session, signed_in.id, now))


def _locked_sign_in(session: Session, token_hash: bytes, now: dt.datetime) -> SignIn | None:
    """The sign-in that a token belongs to, alone with it: its state is read after the lock."""
    belongs = select(RefreshToken.sign_in_id).where(RefreshToken.token_hash == token_hash)
    id_ = session.execute(belongs).scalar_one_or_none()
    return session.execute(
        select(SignIn).where(SignIn.id == id_, SignIn.expires_at > now).with_for_update()
    ).scalar_one_or_none()


def sign_out(session: Session, *, citizen_id: uuid.UUID) -> None:
    """End all sessions of a citizen. Access tokens given out live on for their few minutes."""
    session.execute(delete(SignIn).where(SignIn.citizen_id == citizen_id))


def _new_token(session: Session, sign_in_id: uuid.UUID, now: dt.datetime) -> str:
    token = sessions.new_refresh_token()
    token_hash = sessions.hash_of_token(token)
    session.add(RefreshToken(token_hash=token_hash, sign_in_id=sign_in_id, issued_at=now))
    return token
