"""The counter's stock of sealing keys: private halves in its keystore, public ones on offer."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.tables import SealingKey

STOCK = 32


def sealing_key_name(public_key: bytes) -> str:
    """The name of a private sealing key in the counter's keystore."""
    return f"sealing/{public_key.hex()}"


def fill_stock(session: Session, keystore: Keystore, *, wanted: int = STOCK) -> int:
    """Make key pairs until *wanted* are free; how many were made.

    The private half is durable before the public half is on offer.
    """
    free = select(func.count()).select_from(SealingKey).where(SealingKey.poll_id.is_(None))
    missing = max(0, wanted - session.execute(free).scalar_one())
    for _ in range(missing):
        private = X25519PrivateKey.generate()
        public_key = private.public_key().public_bytes_raw()
        keystore.put(sealing_key_name(public_key), private.private_bytes_raw())
        session.add(SealingKey(public_key=public_key))
    return missing
