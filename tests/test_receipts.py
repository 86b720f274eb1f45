"""Receipts and the cast check: recomputed here with nothing but the published notation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from api.holders import open_keystore
from mvote.ballotbox.notation import encoded, h, m
from mvote.ballotbox.stock import sealing_key_name
from tests.support.world import World, new_key


def lp(*parts: bytes) -> bytes:
    """Length-prefixed parts, written anew so that a slip in the project shows."""
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def own_h(label: bytes, *parts: bytes) -> bytes:
    return hashlib.sha256(label + b"\0" + lp(*parts)).digest()


@pytest.fixture
def cast(world: World) -> dict[str, Any]:
    """A cast ballot: the poll, the voter, the key and the receipt."""
    poll, voter, key = world.open_poll(), world.citizen(), new_key()
    receipt = world.cast(poll, voter, ["no"], key=key).get_json()
    return {"poll": poll, "voter": voter, "key": key, "receipt": receipt}


def test_the_client_can_compute_its_tracker_itself(cast: dict[str, Any]) -> None:
    poll = uuid.UUID(cast["poll"]["id"]).bytes
    tracker = own_h(b"mvote/tracker/1", poll, cast["voter"].id.bytes, cast["key"].encode())[:16]
    assert cast["receipt"]["tracker"] == tracker.hex()


def test_the_cast_check_shows_that_what_was_sealed_is_what_was_chosen(
    cast: dict[str, Any],
) -> None:
    receipt = cast["receipt"]
    poll, salt = uuid.UUID(receipt["poll_id"]).bytes, bytes.fromhex(receipt["ballot_salt"])
    tracker = bytes.fromhex(receipt["tracker"])
    chosen = b"\x01\x01\x00\x02" + b"\x00\x00" + b"\x00\x01"  # single, two options, the second
    other = b"\x01\x01\x00\x02" + b"\x00\x01" + b"\x00\x00"
    c = own_h(b"mvote/commitment/1", poll, tracker, salt, chosen).hex()
    assert c == receipt["envelope_hash"]
    assert own_h(b"mvote/commitment/1", poll, tracker, salt, other).hex() != c


def test_the_receipt_is_signed_by_the_key_named_in_the_definition(
    world: World, cast: dict[str, Any]
) -> None:
    receipt = cast["receipt"]
    definition = world.client.get(f"/v1/polls/{receipt['poll_id']}/definition").get_json()
    assert receipt["key_id"] == definition["receipt_key_id"]
    public = Ed25519PublicKey.from_public_bytes(
        world.wiring.box.receipts.public()[receipt["key_id"]]
    )
    lines = (
        "mvote-receipt/1",
        definition["origin"],
        receipt["definition_hash"],
        receipt["tracker"],
        receipt["envelope_hash"],
    )
    message = "".join(line + "\n" for line in lines).encode()
    public.verify(base64.b64decode(receipt["signature"]), message)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(receipt["signature"]), message.replace(b"1", b"2", 1))


def test_without_the_cast_check_the_receipt_has_no_salt(world: World) -> None:
    poll = world.open_poll(cast_check=False)
    assert "ballot_salt" not in world.cast(poll, world.citizen()).get_json()


def test_the_sealed_ballot_opens_with_the_polls_private_key_and_holds_the_choice(
    world: World, cast: dict[str, Any]
) -> None:
    world.close(cast["poll"])
    definition = world.client.get(f"/v1/polls/{cast['poll']['id']}/definition").get_json()
    counter = open_keystore(world.settings, "counter")
    secret = counter.get(sealing_key_name(bytes.fromhex(definition["sealing_key"])))
    [(sealed,)] = world.rows("SELECT sealed FROM box")
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    plain = suite.decrypt(bytes(sealed), X25519PrivateKey.from_private_bytes(secret))
    receipt = cast["receipt"]
    assert plain.hex() == (
        "01" + receipt["tracker"] + receipt["ballot_salt"] + "01010002" + "0000" + "0001"
    )


def test_the_labels_of_different_uses_never_give_the_same_value() -> None:
    labels = ["voter", "retry", "ballot", "salt", "tracker", "commitment"]
    values = {m(b"k" * 32, f"mvote/{label}/1", b"x") for label in labels}
    assert len(values) == len(labels)


@given(st.lists(st.binary(max_size=8), max_size=4), st.lists(st.binary(max_size=8), max_size=4))
def test_two_lists_of_parts_are_encoded_alike_only_if_they_are_the_same(
    some: list[bytes], others: list[bytes]
) -> None:
    assert (encoded("l", *some) == encoded("l", *others)) == (some == others)


def test_h_and_m_are_sha256_and_hmac_over_the_documented_encoding() -> None:
    assert h("label", b"ab", b"") == hashlib.sha256(b"label\0\x00\x02ab\x00\x00").digest()
    expected = hmac.new(b"key", b"label\0\x00\x01a", "sha256").digest()
    assert m(b"key", "label", b"a") == expected
