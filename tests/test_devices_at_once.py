"""One assertion sent many times at the same moment counts once; one key is registered once."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from api.db import transaction
from api.settings import Settings
from mvote.base import utc_now
from mvote.errors import DomainError, TokenInvalid
from mvote.people.citizens import Citizen
from mvote.polls.integrity.app_attestor import AppAttest, device_statement
from mvote.polls.integrity.attesting import Vouched
from mvote.polls.integrity.devices import (
    KEPT,
    Device,
    DeviceKey,
    forget_devices_of,
    forget_old_devices,
    use_device_of,
)
from mvote.polls.integrity.errors import AttestationInvalid
from tests.support.made_up_apple import DAY, Phone
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
from tests.support.racing import Beside, meeting_of, race
from tests.support.waiting import wait_until_blocked
from tests.support.world import World

AT_ONCE = 8


@pytest.fixture
def attestor(settings: Settings) -> AppAttest:
    return attestor_of(settings)


def sent_at_once(
    engines: dict[str, Engine], session: Session, attestor: AppAttest, use: object
) -> list[object]:
    """What each gets of all who come with the same assertion at the same moment."""
    phone = Phone(APPLE)
    register(session, attestor, phone)
    session.commit()
    assertion = phone.asserted(STATEMENT)

    def act(session: Session) -> int:
        vouched = checked(session, attestor, phone, assertion)
        return use(session, attestor, vouched)  # type: ignore[operator,no-any-return]

    return list(race(engines["api"], AT_ONCE, act))


def test_an_assertion_sent_twice_at_once_counts_once(
    engines: dict[str, Engine], session: Session, attestor: AppAttest
) -> None:
    for _ in range(5):
        got = sent_at_once(engines, session, attestor, used)
        assert sum(not isinstance(each, DomainError) for each in got) == 1


def test_a_twin_that_reads_before_it_writes_takes_an_assertion_more_than_once(
    engines: dict[str, Engine], session: Session, attestor: AppAttest
) -> None:
    all_have_read = meeting_of(AT_ONCE)

    def looked_up_first(session: Session, _: AppAttest, vouched: Vouched) -> int:
        """The sabotaged twin: reads the counter, then writes it."""
        known = session.get_one(DeviceKey, vouched.device_key)
        all_have_read.wait()
        assert vouched.counter is not None
        if known.counter >= vouched.counter:
            raise AttestationInvalid("counter")
        session.execute(
            update(DeviceKey)
            .where(DeviceKey.digest == vouched.device_key)
            .values(counter=DeviceKey.counter + 1)
        )
        return 1

    assert sent_at_once(engines, session, attestor, looked_up_first) == [1] * AT_ONCE


def test_a_new_key_registered_twice_at_once_is_there_once(
    engines: dict[str, Engine], session: Session, attestor: AppAttest
) -> None:
    phone = Phone(APPLE)
    content = phone.attested(device_statement(NONCE, ME))
    got = race(
        engines["api"], 6, lambda session: register(session, attestor, phone, content=content).id
    )
    assert sum(not isinstance(each, DomainError) for each in got) == 1
    assert len(session.scalars(select(Device.id)).all()) == 1


def test_whoever_votes_while_the_account_is_deleted_leaves_no_phone_of_it(
    world: World, engines: dict[str, Engine]
) -> None:
    citizen, owners = world.citizen(), world.wiring.owners
    vouched = Vouched(platform="play-integrity", device_key=bytes(32))

    def vote() -> None:
        with Session(engines["api"]) as session, transaction(session):
            use_device_of(
                session, vouched=vouched, citizen_id=citizen.id, owners=owners, now=utc_now()
            )

    beside = Beside(vote)
    with Session(engines["api"]) as session:
        session.execute(delete(Citizen).where(Citizen.id == citizen.id))
        forget_devices_of(session, owners.tag(citizen.id))
        with beside:
            wait_until_blocked(world.admin_url, "pg_advisory_xact_lock")
            session.commit()
    assert isinstance(beside.error, TokenInvalid)
    assert world.count("device") == 0


def test_a_phone_that_another_account_registers_just_now_keeps_its_key(
    world: World, engines: dict[str, Engine]
) -> None:
    attestor, phone, later = attestor_of(world.settings), Phone(APPLE), utc_now() + KEPT + DAY
    with Session(engines["api"]) as session, transaction(session):
        register(session, attestor, phone)

    def forget() -> None:
        with Session(engines["api"]) as session, transaction(session):
            forget_old_devices(session, now=later)

    shared = phone.asserted(device_statement(NONCE, ANOTHER))
    with Session(engines["api"]) as session:
        register(session, attestor, phone, ANOTHER, shared, later)
        with Beside(forget):
            wait_until_blocked(world.admin_url, "device_key")
            session.commit()
    assert world.count("device_key") == world.count("device") == 1
