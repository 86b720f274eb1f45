"""One assertion sent many times at the same moment counts once; one key is registered once."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from api.settings import Settings
from mvote.errors import DomainError
from mvote.polls.integrity.app_attestor import AppAttest, device_statement
from mvote.polls.integrity.attesting import Vouched
from mvote.polls.integrity.devices import Device, DeviceKey
from mvote.polls.integrity.errors import AttestationInvalid
from tests.support.made_up_apple import Phone
from tests.support.phones import APPLE, ME, NONCE, STATEMENT, attestor_of, checked, register, used
from tests.support.racing import race


@pytest.fixture
def attestor(settings: Settings) -> AppAttest:
    return attestor_of(settings)


def sent_at_once(
    engines: dict[str, Engine], session: Session, attestor: AppAttest, use: object
) -> list[object]:
    """What each of eight gets who come with the same assertion at the same moment."""
    phone = Phone(APPLE)
    register(session, attestor, phone)
    session.commit()
    assertion = phone.asserted(STATEMENT)

    def act(session: Session) -> int:
        vouched = checked(session, attestor, phone, assertion)
        return use(session, attestor, vouched)  # type: ignore[operator,no-any-return]

    return list(race(engines["api"], 8, act))


def test_an_assertion_sent_twice_at_once_counts_once(
    engines: dict[str, Engine], session: Session, attestor: AppAttest
) -> None:
    for _ in range(5):
        got = sent_at_once(engines, session, attestor, used)
        assert sorted(not isinstance(each, DomainError) for each in got) == [False] * 7 + [True]


def looked_up_first(session: Session, attestor: AppAttest, vouched: Vouched) -> int:
    """The sabotaged twin: reads the counter, then writes it."""
    known = session.get_one(DeviceKey, vouched.device_key)
    assert vouched.counter is not None
    if known.counter >= vouched.counter:
        raise AttestationInvalid("counter")
    session.execute(
        update(DeviceKey)
        .where(DeviceKey.digest == vouched.device_key)
        .values(counter=DeviceKey.counter + 1)
    )
    return 1


def test_a_twin_that_reads_before_it_writes_takes_an_assertion_more_than_once(
    engines: dict[str, Engine], session: Session, attestor: AppAttest
) -> None:
    taken = 0
    for _ in range(5):
        got = sent_at_once(engines, session, attestor, looked_up_first)
        taken = max(taken, sum(not isinstance(each, DomainError) for each in got))
    assert taken > 1


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
