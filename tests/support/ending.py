"""A published poll at the end of its keys: what is left of them, and what is still good for."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from api.holders import open_keystore
from jobs import auditor_round, counter_round, keeper_round, shuffler_round
from mvote.ballotbox.destroying import Ends, KeyDestroyed, Terms
from mvote.ballotbox.keystore import HOLDERS
from mvote.ballotbox.sealing import Unreadable, unseal, voter_tag_of
from mvote.ballotbox.stock import sealing_key_name
from tests.support.ballots import frozen
from tests.support.world import World

AT_ONCE = Ends(terms=Terms(appeal=dt.timedelta(), retention=dt.timedelta()))


class City:
    """A published poll whose keys lie in two copies, and the rounds of those who hold them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.poll = world.open_poll(publish_from=2)
        self.voters = world.citizens(3)
        for voter in self.voters:
            assert world.cast(self.poll, voter).status_code == 201
        self.id = uuid.UUID(self.poll["id"])
        self.sealing = sealing_key_name(frozen(world, self.poll).sealing_key)
        world.finish(self.poll)
        for holder in HOLDERS:
            open_keystore(world.settings, holder).mend()

    def a_round(self, ends: Ends = AT_ONCE) -> None:
        """One round of everyone who holds keys; the keeper last, who writes the end down."""
        engines = self.world.engines
        shuffler_round(engines["shuffler"], open_keystore(self.world.settings, "shuffler"))
        counter_round(engines["counter"], open_keystore(self.world.settings, "counter"), ends)
        auditor_round(engines["auditor"], open_keystore(self.world.settings, "auditor"), ends)
        keeper_round(engines["api"], open_keystore(self.world.settings, "api"), ends)

    def traces(self, name: str) -> list[bytes]:
        """The key's bytes, and its wrapped file as every holder has it in every copy."""
        settings = self.world.settings
        found = []
        for holder in HOLDERS:
            keystore = open_keystore(settings, holder)
            if name in keystore.names(""):
                found.append(keystore.get(name))
            for root in (settings.keystore, settings.keystore_copy):
                path = (root or Path()) / holder / f"{name}.key"
                found += [path.read_bytes()] if path.exists() else []
        return found

    def opened(self) -> int:
        """How many sealed ballots open with any key that any holder still has."""
        sealed = [bytes(row[0]) for row in self.world.rows("SELECT sealed FROM box")]
        secrets = self._all_secrets()
        return sum(any(_opens(secret, ballot) for secret in secrets) for ballot in sealed)

    def recognised(self) -> int:
        """How many participations can be tied to a voter with any key that is left."""
        tags = {bytes(row[0]) for row in self.world.rows("SELECT voter_tag FROM participation")}
        anchors = [bytes(row[0]) for row in self.world.rows("SELECT anchor FROM anchor")]
        computed = {
            voter_tag_of(secret, self.id.bytes, anchor)
            for secret in self._all_secrets()
            for anchor in anchors
        }
        return len(tags & computed)

    def _all_secrets(self) -> set[bytes]:
        keystores = [open_keystore(self.world.settings, holder) for holder in HOLDERS]
        secrets = {keystore.get(name) for keystore in keystores for name in keystore.names("")}
        return {secret for secret in secrets if len(secret) == 32}

    def destroyed(self) -> list[str]:
        """The keys whose end is written down, each as often as it is."""
        kind = KeyDestroyed.kind
        rows = self.world.rows("SELECT facts->>'key' FROM journal WHERE kind = %s", kind)
        return sorted(key for (key,) in rows)

    def change(self, statement: str) -> None:
        """Change the poll past every guard, as if time had passed."""
        with psycopg.connect(self.world.admin_url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(statement, {"id": self.poll["id"]})


def _opens(secret: bytes, sealed: bytes) -> bool:
    try:
        unseal(X25519PrivateKey.from_private_bytes(secret), sealed)
    except Unreadable:
        return False
    return True


@contextmanager
def city_with_a_copy(world: World, folder: Path) -> Iterator[City]:
    """A keystore of a test's own would lose the stock's keys: so only the copy is its own."""
    kept = world.settings
    (folder / "copy").mkdir()
    world.settings = replace(kept, keystore_copy=folder / "copy")
    yield City(world)
    world.settings = kept
