"""A made-up Google: verdicts, and tokens around them with keys of the test's own."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey

from mvote.polls.integrity.attesting import request_hash, spelt

PACKAGE = "kr.example.mvote"
CERTIFICATE = b"c" * 32


def verdict(statement: bytes, now: dt.datetime) -> dict[str, Any]:
    """What Google says of a genuine request."""
    return {
        "requestDetails": {
            "requestPackageName": PACKAGE,
            "requestHash": spelt(request_hash(statement)),
            "timestampMillis": str(int(now.timestamp() * 1000)),
        },
        "appIntegrity": {
            "appRecognitionVerdict": "PLAY_RECOGNIZED",
            "packageName": PACKAGE,
            "certificateSha256Digest": [spelt(CERTIFICATE)],
            "versionCode": "42",
        },
        "deviceIntegrity": {"deviceRecognitionVerdict": ["MEETS_DEVICE_INTEGRITY"]},
        "accountDetails": {"appLicensingVerdict": "LICENSED"},
    }


@dataclass
class Google:
    """Signs with its key, and seals for a developer's."""

    secret: bytes = field(default_factory=lambda: os.urandom(32))
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))

    @property
    def decryption(self) -> str:
        return base64.b64encode(self.secret).decode()

    @property
    def verification(self) -> str:
        return base64.b64encode(self.key.as_der(private=False)).decode()

    def signed(self, payload: Any) -> str:
        return jws.serialize_compact({"alg": "ES256"}, json.dumps(payload), self.key)

    def sealed(self, content: str) -> str:
        header = {"alg": "A256KW", "enc": "A256GCM"}
        key, allowed = OctKey.import_key(self.secret), [*header.values()]
        return jwe.encrypt_compact(header, content, key, algorithms=allowed)

    def token(self, payload: Any) -> str:
        return self.sealed(self.signed(payload))
