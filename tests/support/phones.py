"""Phones whose keys accounts use: registering, checking and using one without HTTP."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from api.holders import made_once, open_keystore
from api.settings import Settings
from mvote.base import utc_now
from mvote.polls.integrity.app_attestor import AppAttest, device_statement
from mvote.polls.integrity.attesting import Attestation, Vouched, spelt
from mvote.polls.integrity.devices import OWNER_KEY, Device, Owners, use_device
from tests.support.made_up_apple import Apple, Phone

APPLE = Apple()
ME, ANOTHER = uuid.UUID(int=1), uuid.UUID(int=2)
NONCE = spelt(bytes(32))
STATEMENT = b"mvote/position/1\nand so on"


def register(
    session: Session,
    attestor: AppAttest,
    phone: Phone,
    citizen_id: uuid.UUID = ME,
    content: bytes | None = None,
    now: dt.datetime | None = None,
) -> Device:
    statement = device_statement(NONCE, citizen_id)
    return attestor.register(
        session,
        citizen_id=citizen_id,
        nonce=NONCE,
        key_id=phone.key_id,
        attestation=spelt(phone.attested(statement) if content is None else content),
        now=now or utc_now(),
    )


def checked(
    session: Session,
    attestor: AppAttest,
    phone: Phone,
    assertion: bytes,
    citizen_id: uuid.UUID = ME,
) -> Vouched:
    attestation = Attestation(platform="app-attest", key_id=phone.key_id, token=spelt(assertion))
    return attestor.check(
        session,
        statement=STATEMENT,
        attestation=attestation,
        citizen_id=citizen_id,
        now=utc_now(),
    )


def used(session: Session, attestor: AppAttest, vouched: Vouched) -> int:
    tag = attestor.owners.tag(ME)
    return use_device(session, vouched=vouched, owner_tag=tag, now=utc_now())


def attestor_of(settings: Settings) -> AppAttest:
    """Believes the made-up Apple, with the owners' key of the test's keystore."""
    keystore = open_keystore(settings, "api")
    made_once(keystore, OWNER_KEY)
    return AppAttest(rules=APPLE.rules(), owners=Owners(keystore))
