"""Phones' keys: registered for one's own account, used with a counter that grows, forgotten."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from api.settings import Settings
from mvote.base import utc_now
from mvote.polls.integrity.app_attestor import AppAttest, device_statement
from mvote.polls.integrity.attesting import Vouched, spelt
from mvote.polls.integrity.devices import (
    KEPT,
    Device,
    DeviceKey,
    accounts_of,
    devices_of,
    forget_device,
    forget_devices_of,
    forget_old_devices,
    use_device,
)
from mvote.polls.integrity.errors import AttestationInvalid
from tests.support.made_up_apple import DAY, Apple, Phone
from tests.support.phones import (
    ANOTHER,
    APPLE,
    ME,
    NONCE,
    STATEMENT,
    attestor_of,
    checked,
    register,
    used,
)

pytestmark = pytest.mark.usefixtures("within_an_hour")


@pytest.fixture
def attestor(settings: Settings) -> AppAttest:
    return attestor_of(settings)


def test_a_registered_key_vouches_for_its_owners_requests_again_and_again(
    session: Session, attestor: AppAttest
) -> None:
    phone = Phone(APPLE)
    register(session, attestor, phone)
    for number in (1, 2, 3):
        vouched = checked(session, attestor, phone, phone.asserted(STATEMENT))
        assert vouched.counter == number
        assert used(session, attestor, vouched) == 1


def test_what_the_database_keeps_names_no_account(session: Session, attestor: AppAttest) -> None:
    device = register(session, attestor, Phone(APPLE))
    row = session.execute(text("SELECT device::text FROM device")).scalar_one()
    assert ME.hex not in row.replace("-", "")
    assert device.owner_tag != attestor.owners.tag(ANOTHER)


def refused(act: object, *given: object) -> str:
    with pytest.raises(AttestationInvalid) as refusal:
        act(*given)  # type: ignore[operator]
    return refusal.value.why


def test_a_counter_that_does_not_grow_is_refused(session: Session, attestor: AppAttest) -> None:
    phone = Phone(APPLE)
    register(session, attestor, phone)
    assertion = phone.asserted(STATEMENT, counter=5)
    vouched = checked(session, attestor, phone, assertion)
    used(session, attestor, vouched)
    assert refused(checked, session, attestor, phone, assertion) == "counter"
    older = phone.asserted(STATEMENT, counter=4)
    assert refused(checked, session, attestor, phone, older) == "counter"
    assert refused(used, session, attestor, vouched) == "counter"
    assert session.scalars(select(DeviceKey.counter)).all() == [5]


def test_checking_alone_writes_nothing(session: Session, attestor: AppAttest) -> None:
    phone = Phone(APPLE)
    register(session, attestor, phone)
    assertion = phone.asserted(STATEMENT)
    for _ in range(2):
        checked(session, attestor, phone, assertion)
    assert session.scalars(select(DeviceKey.counter)).all() == [0]


def test_a_key_that_the_account_did_not_register_vouches_for_nothing(
    session: Session, attestor: AppAttest
) -> None:
    phone, strange = Phone(APPLE), Phone(APPLE)
    register(session, attestor, phone)
    assertion = phone.asserted(STATEMENT)
    assert refused(checked, session, attestor, phone, assertion, ANOTHER) == "unknown-key"
    assertion = strange.asserted(STATEMENT)
    assert refused(checked, session, attestor, strange, assertion) == "unknown-key"


def test_a_key_of_the_other_environment_vouches_for_nothing(
    session: Session, attestor: AppAttest
) -> None:
    phone = Phone(APPLE)
    register(session, attestor, phone)
    other = AppAttest(rules=APPLE.rules(environment="production"), owners=attestor.owners)
    assertion = phone.asserted(STATEMENT)
    assert refused(checked, session, other, phone, assertion) == "unknown-key"


def test_a_known_key_of_the_other_environment_is_not_registered_again(
    session: Session, attestor: AppAttest
) -> None:
    phone = Phone(APPLE)
    register(session, attestor, phone)
    other = AppAttest(rules=APPLE.rules(environment="production"), owners=attestor.owners)
    shared = phone.asserted(device_statement(NONCE, ANOTHER))
    assert refused(register, session, other, phone, ANOTHER, shared) == "unknown-key"
    assert len(session.scalars(select(Device.id)).all()) == 1


def test_a_familys_phone_is_registered_by_each_and_counted(
    session: Session, attestor: AppAttest
) -> None:
    """Apple attests a key once: whoever comes next shows an assertion by it."""
    phone = Phone(APPLE)
    register(session, attestor, phone)
    shared = phone.asserted(device_statement(NONCE, ANOTHER))
    register(session, attestor, phone, ANOTHER, shared)
    digest = session.scalars(select(DeviceKey.digest)).one()
    assert accounts_of(session, digest, now=utc_now()) == 2
    assert session.scalars(select(DeviceKey.counter)).one() == 1
    assert accounts_of(session, digest, now=utc_now() + KEPT) == 0


def test_a_known_key_is_not_registered_with_what_somebody_saw_or_made_up(
    session: Session, attestor: AppAttest
) -> None:
    phone = Phone(APPLE)
    first = phone.attested(device_statement(NONCE, ME))
    register(session, attestor, phone, content=first)
    old = phone.asserted(device_statement(NONCE, ANOTHER))
    register(session, attestor, phone, ANOTHER, old)
    session.flush()
    for content in (
        first,
        old,
        phone.asserted(device_statement(NONCE, ME)),
        phone.asserted(device_statement(spelt(bytes([1] * 32)), ANOTHER)),
        Phone(APPLE).asserted(device_statement(NONCE, ANOTHER), counter=9),
        b"",
    ):
        with session.begin_nested() as savepoint:
            refused(register, session, attestor, phone, ANOTHER, content)
            savepoint.rollback()
    assert session.scalars(select(DeviceKey.counter)).one() == 1
    assert len(session.scalars(select(Device.id)).all()) == 2


def test_a_new_key_is_not_registered_without_apples_word(
    session: Session, attestor: AppAttest
) -> None:
    phone = Phone(APPLE)
    asserted = phone.asserted(device_statement(NONCE, ME))
    of_another = Phone(Apple()).attested(device_statement(NONCE, ME))
    for content in (asserted, of_another, phone.attested(device_statement(NONCE, ANOTHER)), b""):
        refused(register, session, attestor, phone, ME, content)
    assert session.scalars(select(DeviceKey.digest)).all() == []
    assert session.scalars(select(Device.id)).all() == []


def test_keys_of_platforms_that_register_none_are_noted_with_their_use(
    session: Session, attestor: AppAttest
) -> None:
    vouched = Vouched(platform="play-integrity", device_key=bytes(32))
    assert [used(session, attestor, vouched) for _ in range(3)] == [1, 1, 1]
    for number in range(2, 5):
        tag = attestor.owners.tag(uuid.UUID(int=number))
        assert use_device(session, vouched=vouched, owner_tag=tag, now=utc_now()) == number


def test_a_second_use_on_a_day_writes_nothing_about_the_account(
    session: Session, attestor: AppAttest
) -> None:
    phone = Phone(APPLE)
    register(session, attestor, phone)
    tokens = Vouched(platform="play-integrity", device_key=bytes(32))
    used(session, attestor, tokens)
    session.commit()
    written = text("SELECT xmin::text, xmax::text FROM device ORDER BY id")
    before = session.execute(written).all()
    used(session, attestor, checked(session, attestor, phone, phone.asserted(STATEMENT)))
    used(session, attestor, tokens)
    session.commit()
    assert session.execute(written).all() == before
    tag, tomorrow = attestor.owners.tag(ME), utc_now() + DAY
    use_device(session, vouched=tokens, owner_tag=tag, now=tomorrow)
    days = session.scalars(select(Device.last_used_on).order_by(Device.last_used_on)).all()
    assert days == [utc_now().date(), tomorrow.date()]


def test_after_thirty_days_without_use_nothing_is_left(
    session: Session, attestor: AppAttest
) -> None:
    phone, other = Phone(APPLE), Phone(APPLE)
    register(session, attestor, phone)
    register(session, attestor, other)
    kept = checked(session, attestor, other, other.asserted(STATEMENT))
    forget_old_devices(session, now=utc_now() + KEPT)
    assert len(session.scalars(select(Device.id)).all()) == 2
    tag, later = attestor.owners.tag(ME), utc_now() + DAY
    use_device(session, vouched=kept, owner_tag=tag, now=later)
    forget_old_devices(session, now=utc_now() + KEPT + DAY)
    assert session.scalars(select(DeviceKey.digest)).all() == [kept.device_key]
    assert [each.key_digest for each in devices_of(session, tag)] == [kept.device_key]


def test_each_account_forgets_its_own_use_and_the_phone_counts_on(
    session: Session, attestor: AppAttest
) -> None:
    phone = Phone(APPLE)
    mine = register(session, attestor, phone)
    theirs = phone.asserted(device_statement(NONCE, ANOTHER))
    register(session, attestor, phone, ANOTHER, theirs)
    tag, other = attestor.owners.tag(ME), attestor.owners.tag(ANOTHER)
    assert not forget_device(session, device_id=mine.id, owner_tag=other)
    assert forget_device(session, device_id=mine.id, owner_tag=tag)
    assert devices_of(session, tag) == []
    assert len(devices_of(session, other)) == 1
    forget_devices_of(session, other)
    assert devices_of(session, other) == []
    [digest] = session.scalars(select(DeviceKey.digest))
    assert accounts_of(session, digest, now=utc_now()) == 2
    forget_old_devices(session, now=utc_now() + KEPT + DAY)
    assert session.scalars(select(DeviceKey.digest)).all() == []


def test_accounts_that_forget_a_phone_one_after_the_other_are_counted_all(
    session: Session, attestor: AppAttest
) -> None:
    vouched = Vouched(platform="play-integrity", device_key=bytes(32))
    for number in range(1, 6):
        tag = attestor.owners.tag(uuid.UUID(int=number))
        assert use_device(session, vouched=vouched, owner_tag=tag, now=utc_now()) == number
        [device] = devices_of(session, tag)
        assert forget_device(session, device_id=device.id, owner_tag=tag)
        assert devices_of(session, tag) == []


def test_what_is_left_of_a_phone_that_was_forgotten_leads_to_nobody(
    session: Session, attestor: AppAttest
) -> None:
    register(session, attestor, Phone(APPLE))
    tag = attestor.owners.tag(ME)
    [before] = devices_of(session, tag)
    old_id = before.id
    forget_devices_of(session, tag)
    left = session.execute(select(Device.id, Device.owner_tag)).one()
    assert left.id != old_id
    assert left.owner_tag != tag


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE device_key SET counter = counter",
        "UPDATE device_key SET counter = counter - 1",
        "UPDATE device_key SET counter = counter + 1, environment = 'production'",
        "UPDATE device_key SET counter = counter + 1, point = digest || digest || '\\x04'",
    ],
    ids=range(4),
)
def test_the_database_itself_lets_a_counter_only_grow(
    session: Session, owner: Session, attestor: AppAttest, change: str
) -> None:
    register(session, attestor, Phone(APPLE))
    session.commit()
    with pytest.raises(DBAPIError, match="the key of a phone stays"):
        owner.execute(text(change))
