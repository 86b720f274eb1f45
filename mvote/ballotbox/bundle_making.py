"""Making bundles: the shuffler's part. A manifest is signed once all that it speaks of is there."""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import orjson
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.ballotbox.bundle_tables import Bundle, BundleWanted, ReceiptKey
from mvote.ballotbox.bundling import (
    HEADING,
    has_statement,
    manifest_of,
    parts_of,
    place_in_city,
)
from mvote.ballotbox.checkpoints import city_origin
from mvote.ballotbox.log import CITY, head_of
from mvote.ballotbox.log_tables import Checkpoint, LogKey
from mvote.ballotbox.notes import log_verifier
from mvote.ballotbox.receipts import ReceiptKeys
from mvote.ballotbox.renewing import SIGNER, shows_all, signer_of
from mvote.polls.definition import canonical
from mvote.polls.results import definition_of

AT_ONCE = 100
PAUSE = dt.timedelta(seconds=5)
PATIENCE = dt.timedelta(days=1)
"""So long a bundle is made anew when more witnesses have signed."""

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:poll_id, 3))")


class Signer(Protocol):
    """What signs for a log under its name."""

    def sign(self, text: str, *, origin: str) -> str:
        """The note of *text*: the text, an empty line, a signature line for each key."""


class CityState(NamedTuple):
    """A signed checkpoint of the city with the lines of those who cosigned it."""

    size: int
    note: str
    lines: Sequence[str]

    @property
    def witnessed(self) -> bytes:
        """The note with all signatures."""
        return (self.note + "".join(self.lines)).encode()


def publish_receipt_keys(session: Session, keys: ReceiptKeys) -> None:
    """Let the shuffler and everyone know the public halves of the receipt keys."""
    known = set(session.scalars(select(ReceiptKey.key_id)))
    rows = [
        {"key_id": key_id, "public_key": public_key}
        for key_id, public_key in keys.public().items()
        if key_id not in known
    ]
    if rows:
        session.execute(insert(ReceiptKey).on_conflict_do_nothing(), rows)


def bundles_due(session: Session) -> list[uuid.UUID]:
    """Polls whose bundle may be made, or made better, now."""
    due = select(BundleWanted.poll_id).where(BundleWanted.look_at <= func.clock_timestamp())
    return list(session.scalars(due.order_by(BundleWanted.look_at).limit(AT_ONCE)))


def make_bundle(
    session: Session, *, poll_id: uuid.UUID, signer: Signer, witnesses: Sequence[str]
) -> Bundle | None:
    """Sign what is public of the poll now; None if there is nothing new, or something is missing.

    *witnesses* are the keys (name+hash+key) of those that are asked to cosign. What is missing
    (a signature, the city's, the statement in the log) is looked for again a little later.
    """
    if not session.execute(_TRY_LOCK, {"poll_id": str(poll_id)}).scalar_one():
        return None
    bundle = _unsigned(session, poll_id, witnesses)
    new = bundle is not None and session.get(Bundle, _identity(bundle)) is None
    if bundle is not None and new:
        _sign(session, bundle, signer)
        session.add(bundle)
    complete = bundle is not None and shows_all(bundle.city_checkpoint, witnesses)
    _look_later(session, poll_id, complete=complete)
    return bundle if new else None


def _identity(bundle: Bundle) -> tuple[Any, ...]:
    return bundle.poll_id, bundle.log_size, bundle.city_size, bundle.cosignatures


def _unsigned(session: Session, poll_id: uuid.UUID, witnesses: Sequence[str]) -> Bundle | None:
    """The bundle of the newest state, or None as long as anything is missing for it."""
    size = head_of(session, poll_id).size
    signed = session.get(Checkpoint, (poll_id, size))
    held = place_in_city(session, poll_id, size)
    city = held and _best_city_state(session, held.idx, witnesses)
    keys = _keys(session, poll_id, witnesses)
    ready = signed is not None and signed.note is not None and has_statement(session, poll_id)
    if not (ready and city and keys):
        return None
    return Bundle(
        poll_id=poll_id,
        log_size=size,
        city_size=city.size,
        cosignatures=len(city.lines),
        keys=keys,
        city_checkpoint=city.witnessed,
    )


def _best_city_state(session: Session, index: int, witnesses: Sequence[str]) -> CityState | None:
    """Of the city's signed states that hold entry *index*, the one with most of *witnesses*."""
    wanted = list(map(signer_of, witnesses))
    bound = {"city": CITY, "index": index, "wanted": wanted}
    found = session.execute(_CITY_STATES, bound).one_or_none()
    return CityState(*found) if found else None


# Many states may follow. A witness that signs at all signs one of the first thousand; one that was
# named later, one of the newest.
_CITY_STATES = text(
    "WITH first AS (SELECT size FROM checkpoint"  # noqa: S608
    " WHERE poll_id = :city AND size > :index"
    " AND note IS NOT NULL ORDER BY size LIMIT 1000),"
    " newest AS (SELECT size FROM cosignature WHERE poll_id = :city AND size > :index"
    " ORDER BY size DESC LIMIT 1000)"
    " SELECT c.size, c.note, array_remove(array_agg(s.line ORDER BY s.witness), NULL) AS lines"
    " FROM checkpoint c LEFT JOIN cosignature s ON s.poll_id = c.poll_id AND s.size = c.size"
    " WHERE c.poll_id = :city AND c.note IS NOT NULL"
    " AND c.size IN (SELECT size FROM first UNION SELECT size FROM newest)"
    " GROUP BY c.size, c.note ORDER BY"
    f" count(s.line) FILTER (WHERE {SIGNER} = ANY(:wanted)) DESC,"
    " count(s.line) DESC, c.size LIMIT 1"
)


def _keys(session: Session, poll_id: uuid.UUID, witnesses: Sequence[str]) -> bytes | None:
    """The bytes of keys.json: the logs', the one that signed the poll's receipts, witnesses'."""
    definition = orjson.loads(definition_of(session, poll_id) or b"{}")
    receipt_key = session.get(ReceiptKey, definition["receipt_key_id"])
    if receipt_key is None:
        return None
    origin = definition["origin"]
    names = (origin, city_origin(origin.partition("/mvote/poll/")[0]))
    publics = session.scalars(select(LogKey.public_key).order_by(LogKey.made_at)).all()
    public = base64.b64encode(receipt_key.public_key).decode()
    return canonical(
        {
            "log_keys": [log_verifier(name, key).vkey for key in publics for name in names],
            "receipt_keys": {receipt_key.key_id: public},
            "witnesses": list(witnesses),
        }
    )


def _sign(session: Session, bundle: Bundle, signer: Signer) -> None:
    bundle.manifest = manifest_of(bundle, parts_of(session, bundle))
    signed = (HEADING + bundle.manifest).decode()
    note = signer.sign(signed, origin=orjson.loads(bundle.manifest)["origin"])
    bundle.signature = note[len(signed) + 1 :].encode()


def _look_later(session: Session, poll_id: uuid.UUID, *, complete: bool) -> None:
    """Forget the poll until its log grows; or look again, the longer the older the wish is."""
    mine = BundleWanted.poll_id == poll_id
    over = BundleWanted.since < func.clock_timestamp() - PATIENCE
    session.execute(delete(BundleWanted).where(mine, over | complete))
    waited = (func.clock_timestamp() - BundleWanted.since) / 20
    soon = func.clock_timestamp() + func.greatest(waited, PAUSE)
    session.execute(update(BundleWanted).where(mine).values(look_at=soon))
