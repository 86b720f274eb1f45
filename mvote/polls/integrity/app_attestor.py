"""App Attest as an attestor: keys are registered once, then assert requests, counting them."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.polls.integrity.app_attest import AppAttestRules, asserted_counter, attested_key
from mvote.polls.integrity.attesting import (
    Attestation,
    Platform,
    Vouched,
    digest_of_key,
    key_bytes,
    spelt,
)
from mvote.polls.integrity.devices import Device, DeviceKey, Owners, note_use, use_device
from mvote.polls.integrity.errors import AttestationInvalid

DEVICE_LABEL = "mvote/device/1"
BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(frozen=True, kw_only=True)
class AppAttest:
    """Believes the keys that it has registered; see `app_attest` for what is checked."""

    rules: AppAttestRules
    owners: Owners
    platform: Platform = "app-attest"

    def check(
        self,
        session: Session,
        *,
        statement: bytes,
        attestation: Attestation,
        citizen_id: uuid.UUID,
        now: dt.datetime,
    ) -> Vouched:
        """As `Attestor.check`. The counter is compared here, and raised by whoever uses it."""
        digest = digest_of_key(self.platform, key_bytes(attestation.key_id))
        uses = (Device.key_digest == digest, Device.owner_tag == self.owners.tag(citizen_id))
        known = session.scalar(
            select(DeviceKey).join(Device, Device.key_digest == DeviceKey.digest).where(*uses),
            execution_options={"populate_existing": True},
        )
        if known is None or known.environment != self.rules.environment:
            raise AttestationInvalid("unknown-key")
        counter = asserted_counter(
            self.rules,
            point=known.point,
            statement=statement,
            assertion=decoded(attestation.token),
        )
        if counter <= known.counter:
            raise AttestationInvalid("counter")
        return Vouched(platform=self.platform, device_key=digest, counter=counter)

    def register(
        self,
        session: Session,
        *,
        citizen_id: uuid.UUID,
        nonce: str,
        key_id: str,
        attestation: str,
        now: dt.datetime,
    ) -> Device:
        """Let the account use a phone's key, which vouches for *nonce* and account.

        A key that is new comes with Apple's attestation; one that is known, because somebody else
        uses the phone too, with an assertion: a key is attested only once. The nonce is used up by
        the caller before. Raises AttestationInvalid.
        """
        key, content = key_bytes(key_id), decoded(attestation)
        statement = device_statement(nonce, citizen_id)
        vouched = Vouched(platform=self.platform, device_key=digest_of_key(self.platform, key))
        owner_tag = self.owners.tag(citizen_id)
        known = session.get(DeviceKey, vouched.device_key, with_for_update={"key_share": True})
        if known is None:
            self._add(session, key, statement, content, now)
            note_use(session, vouched=vouched, owner_tag=owner_tag, now=now)
        elif known.environment != self.rules.environment:
            raise AttestationInvalid("unknown-key")
        else:
            counter = asserted_counter(
                self.rules, point=known.point, statement=statement, assertion=content
            )
            counted = Vouched(
                platform=self.platform, device_key=vouched.device_key, counter=counter
            )
            note_use(session, vouched=vouched, owner_tag=owner_tag, now=now)
            use_device(session, vouched=counted, owner_tag=owner_tag, now=now)
        is_it = (Device.key_digest == vouched.device_key, Device.owner_tag == owner_tag)
        return session.scalars(
            select(Device).where(*is_it), execution_options={"populate_existing": True}
        ).one()

    def _add(
        self, session: Session, key: bytes, statement: bytes, content: bytes, now: dt.datetime
    ) -> None:
        """Of two who register one new key at the same moment the later is refused."""
        point = attested_key(self.rules, key=key, statement=statement, attestation=content, now=now)
        added = insert(DeviceKey).values(
            digest=digest_of_key(self.platform, key),
            point=point,
            counter=0,
            environment=self.rules.environment,
        )
        is_new = session.scalar(added.on_conflict_do_nothing().returning(DeviceKey.counter))
        if is_new is None:
            raise AttestationInvalid("known-key")


def device_statement(nonce: str, citizen_id: uuid.UUID) -> bytes:
    """What a key vouches for when an account begins to use it."""
    return "\n".join((DEVICE_LABEL, nonce, str(citizen_id))).encode()


def decoded(text: str) -> bytes:
    """Bytes in base64url, without padding and spelt the one way. Raises AttestationInvalid."""
    if not BASE64URL.fullmatch(text):
        raise AttestationInvalid("form")
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise AttestationInvalid("form") from None
    if spelt(content) != text:
        raise AttestationInvalid("form")
    return content
