"""Asking a platform that is elsewhere: while nothing is held, and not without end for one person.

Google opens so many tokens a day for all of a city's voters. Somebody who sends made-up ones would
use them up for everybody; so who was refused some times is not asked about any more that day. Whom
Google vouches for leaves no trace here: one beside the box would tell when they voted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace

from sqlalchemy.orm import Session

from mvote.errors import DomainError, TooManyRequests
from mvote.people.limits import Limit, hashes_of_person, is_used_up, use_up_for_person
from mvote.polls.integrity.attesting import Ask, Vouched
from mvote.polls.integrity.checking import Checked, Claim
from mvote.polls.integrity.errors import AttestationInvalid, AttestorAway, PositionNonceInvalid
from mvote.polls.integrity.nonces import use_nonce

REFUSED_TOKENS = Limit("refused-tokens", 10, dt.timedelta(days=1))
LABEL = "mvote/refused-tokens/1"
LATER_S = 3600
Begin = Callable[[], AbstractContextManager[Session]]
"""Begins a transaction, which is kept at the end."""


def answered(begin: Begin, checked: Checked, *, now: dt.datetime) -> Checked:
    """*checked* with the platform's word, or with the reason why there is none.

    Call it with no transaction under way, of what is not refused anyway. A refusal uses up the
    nonce. Where no word is demanded, a platform that cannot be asked is as if none was sent.
    """
    ask = checked.vouched
    if ask is None or isinstance(ask, Vouched):
        return checked
    try:
        return replace(checked, vouched=_asked(begin, ask, checked.claim, now))
    except (AttestorAway, TooManyRequests) as error:
        reasons: list[DomainError] = [] if checked.claim.demand == "none" else [error]
        return replace(checked, vouched=None, reasons=reasons)
    except DomainError as error:
        return replace(checked, vouched=None, reasons=[error])


def _asked(begin: Begin, ask: Ask, claim: Claim, now: dt.datetime) -> Vouched:
    with begin() as session:
        for subject in hashes_of_person(session, claim.citizen_id, LABEL):
            if is_used_up(session, REFUSED_TOKENS, subject_hash=subject, now=now):
                raise TooManyRequests(retry_after_s=LATER_S)
    try:
        return ask()
    except AttestationInvalid:
        with begin() as session:
            _count_refusal(session, claim, now)
        raise


def _count_refusal(session: Session, claim: Claim, now: dt.datetime) -> None:
    citizen_id = claim.citizen_id
    use_up_for_person(session, REFUSED_TOKENS, citizen_id=citizen_id, label=LABEL, now=now)
    if claim.integrity.nonce is not None:
        with suppress(PositionNonceInvalid):  # another request with it was quicker
            use_nonce(session, citizen_id=citizen_id, nonce=claim.integrity.nonce, now=now)
