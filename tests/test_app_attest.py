"""App Attest, with a made-up Apple: what is true is taken, what is forged in one place is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.base import utc_now
from mvote.polls.integrity.app_attest import AAGUIDS, asserted_counter, attested_key
from mvote.polls.integrity.errors import AttestationInvalid
from tests.support.made_up_apple import DAY, Apple, Forging, Issuing, Phone, authority

STATEMENT = b"mvote/device/1\nnonce\ncitizen"
APPLE = Apple()
PHONE = Phone(APPLE)
GOOD = PHONE.attested(STATEMENT)
ASSERTED = PHONE.asserted(STATEMENT, counter=7)


def taken(attestation: bytes, phone: Phone = PHONE, **changed: Any) -> bytes:
    given: dict[str, Any] = {
        "key": phone.key_hash,
        "statement": STATEMENT,
        "attestation": attestation,
        "now": utc_now(),
    }
    rules = changed.pop("rules", APPLE.rules())
    return attested_key(rules, **(given | changed))


def refused(attestation: bytes, **changed: Any) -> str:
    with pytest.raises(AttestationInvalid) as refusal:
        taken(attestation, **changed)
    return refusal.value.why


def test_a_key_that_apple_vouches_for_is_taken() -> None:
    assert taken(GOOD) == PHONE.point


def test_every_forged_twin_differs_from_one_that_is_taken() -> None:
    assert taken(PHONE.attested(STATEMENT, Forging())) == PHONE.point


STRANGE = authority("Made-up CA 1")
EXPIRED = authority("Made-up CA 1", APPLE.root, Issuing(begins=-3 * DAY, ends=-DAY))
NO_AUTHORITY = authority("Made-up CA 1", APPLE.root, Issuing(ca=False))
UNSAID = authority("Made-up CA 1", APPLE.root, Issuing(without_constraints=True))
FOR_LISTS = authority("Made-up CA 1", APPLE.root, Issuing(may_sign_certificates=False))
TOO_DEEP = authority("Made-up CA 2", APPLE.between)


def by(*signers: Any) -> bytes:
    """A leaf signed by the first, with the certificates of all."""
    phone, how = PHONE, Forging(signer=signers[0])
    whole = cbor2.loads(phone.attested(STATEMENT, how))
    leaf = whole["attStmt"]["x5c"][0]
    between = [each.certificate.public_bytes(Encoding.DER) for each in signers]
    return phone.attested(STATEMENT, replace(how, chain=(leaf, *between)))


@pytest.mark.parametrize(
    ("attestation", "why"),
    [
        (PHONE.attested(STATEMENT, Forging(fmt="packed")), "format"),
        (PHONE.attested(STATEMENT, Forging(more={"more": 1})), "form"),
        (PHONE.attested(STATEMENT, Forging(app_id="1A2B3C4D5E.kr.example.other")), "app"),
        (PHONE.attested(STATEMENT, Forging(counter=1)), "counter"),
        (PHONE.attested(STATEMENT, Forging(flags=0)), "environment"),
        (PHONE.attested(STATEMENT, Forging(aaguid=AAGUIDS["production"])), "environment"),
        (PHONE.attested(STATEMENT, Forging(aaguid=bytes(16))), "environment"),
        (PHONE.attested(STATEMENT, Forging(credential=bytes(32))), "credential"),
        (PHONE.attested(STATEMENT, Forging(credential=PHONE.key_hash + b"x")), "credential"),
        (PHONE.attested(STATEMENT, Forging(nonce=bytes(32))), "nonce"),
        (PHONE.attested(STATEMENT, Forging(without_nonce=True)), "nonce"),
        (PHONE.attested(STATEMENT, Forging(nonce_prefix=bytes.fromhex("3024a2220420"))), "nonce"),
        (PHONE.attested(b"another statement"), "nonce"),
        (PHONE.attested(STATEMENT, Forging(leaf=Issuing(ca=True))), "chain-chain"),
        (PHONE.attested(STATEMENT, Forging(leaf_may_sign=False)), "chain-chain"),
        (PHONE.attested(STATEMENT, Forging(critical="1.2.3.4")), "chain-chain"),
        (
            PHONE.attested(STATEMENT, Forging(leaf=Issuing(ca=False, begins=-3 * DAY, ends=-DAY))),
            "chain-chain",
        ),
        (
            PHONE.attested(STATEMENT, Forging(leaf=Issuing(ca=False, begins=DAY, ends=3 * DAY))),
            "chain-chain",
        ),
        (PHONE.attested(STATEMENT, Forging(signer=STRANGE)), "chain-chain"),
        (by(STRANGE), "chain-chain"),
        (by(EXPIRED), "chain-chain"),
        (by(NO_AUTHORITY), "chain-chain"),
        (by(UNSAID), "chain-chain"),
        (by(FOR_LISTS), "chain-chain"),
        (by(TOO_DEEP, APPLE.between), "chain-chain"),
        (by(APPLE.between, TOO_DEEP, STRANGE), "chain-shape"),
        (PHONE.attested(STATEMENT, Forging(chain=(b"x", b"y"))), "chain-certificate"),
        (PHONE.attested(STATEMENT, Forging(chain=(b"x" * 5000, b"y"))), "chain-shape"),
        (PHONE.attested(STATEMENT, Forging(chain=("text", "text"))), "chain-shape"),  # type: ignore[arg-type]
        (PHONE.attested(STATEMENT, Forging(chain=(b"x",))), "chain-shape"),
        (GOOD + b"\x00", "form"),
        (GOOD[:-1], "form"),
        (b"", "form"),
        (b"\xa0", "form"),
        (ASSERTED, "form"),
        (b"\x81" * 11_000, "form"),
        (GOOD + bytes(12_000), "form"),
    ],
    ids=range(37),
)
def test_what_is_forged_in_one_place_is_refused(attestation: bytes, why: str) -> None:
    assert refused(attestation) == why


def test_a_member_twice_is_refused() -> None:
    body = GOOD[1:]
    twice = b"\xa4" + body + cbor2.dumps("fmt") + cbor2.dumps("apple-appattest")
    assert refused(twice) == "form"


def test_a_longer_spelling_of_the_same_is_refused() -> None:
    longer = GOOD.replace(b"cfmt", b"\x78\x03fmt", 1)
    assert cbor2.loads(longer) == cbor2.loads(GOOD)
    assert refused(longer) == "form"


def test_a_key_by_the_name_of_another_is_refused() -> None:
    assert refused(GOOD, key=Phone(APPLE).key_hash) == "key"


def test_another_roots_word_counts_for_nothing() -> None:
    assert refused(GOOD, rules=Apple().rules()) == "chain-chain"


def test_a_chain_that_ran_out_meanwhile_is_refused() -> None:
    assert refused(GOOD, now=utc_now() + 400 * DAY) == "chain-chain"
    assert refused(GOOD, now=utc_now() - 2 * DAY) == "chain-chain"


def test_what_is_for_production_takes_no_key_made_while_developing() -> None:
    production = APPLE.rules(environment="production")
    assert refused(GOOD, rules=production) == "environment"
    made = PHONE.attested(STATEMENT, Forging(aaguid=AAGUIDS["production"]))
    assert taken(made, rules=production) == PHONE.point


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()], ids=lambda each: each.name)
def test_a_key_on_another_curve_is_refused(curve: ec.EllipticCurve) -> None:
    phone = Phone(APPLE, key=ec.generate_private_key(curve))
    assert refused(phone.attested(STATEMENT), phone=phone).startswith("chain-")


def counted(assertion: bytes, phone: Phone = PHONE, **changed: Any) -> int:
    given: dict[str, Any] = {"point": phone.point, "statement": STATEMENT, "assertion": assertion}
    return asserted_counter(changed.pop("rules", APPLE.rules()), **(given | changed))


def test_an_assertion_of_the_statement_tells_its_counter() -> None:
    assert counted(ASSERTED) == 7


@pytest.mark.parametrize(
    ("assertion", "why"),
    [
        (PHONE.asserted(b"another statement"), "signature"),
        (PHONE.asserted(STATEMENT, key=Phone(APPLE).key), "signature"),
        (PHONE.asserted(STATEMENT, app_id="1A2B3C4D5E.kr.example.other"), "app"),
        (PHONE.asserted(STATEMENT, counter=0), "counter"),
        (PHONE.asserted(STATEMENT, tail=b"x"), "form"),
        (ASSERTED + b"\x00", "form"),
        (cbor2.dumps(cbor2.loads(ASSERTED) | {"signature": b""}), "signature"),
        (cbor2.dumps(cbor2.loads(ASSERTED) | {"signature": "text"}), "form"),
        (cbor2.dumps(cbor2.loads(ASSERTED) | {"authenticatorData": b""}), "form"),
        (cbor2.dumps(cbor2.loads(ASSERTED) | {"signature": bytes(300)}), "form"),
        (GOOD, "form"),
    ],
    ids=range(11),
)
def test_an_assertion_that_is_forged_in_one_place_is_refused(assertion: bytes, why: str) -> None:
    with pytest.raises(AttestationInvalid) as refusal:
        counted(assertion)
    assert refusal.value.why == why


@given(st.binary(max_size=600))
def test_no_bytes_at_all_are_an_attestation_or_break_anything(content: bytes) -> None:
    refused(content)
    with pytest.raises(AttestationInvalid):
        counted(content)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_good_attestation_with_a_changed_bit_is_taken_as_something_else(
    data: st.DataObject,
) -> None:
    """What Apple's receipt says is not read: there alone may a bit change."""
    place = data.draw(st.integers(0, len(GOOD) - 1))
    broken = bytearray(GOOD)
    broken[place] ^= 1 << data.draw(st.integers(0, 7))
    receipt = GOOD.index(b"receipt" * 2)
    if receipt <= place < receipt + 700:
        assert taken(bytes(broken)) == PHONE.point
    else:
        refused(bytes(broken))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(ASSERTED) - 1), st.integers(0, 7))
def test_no_assertion_with_a_changed_bit_is_taken(place: int, bit: int) -> None:
    broken = bytearray(ASSERTED)
    broken[place] ^= 1 << bit
    with pytest.raises(AttestationInvalid):
        counted(bytes(broken))
