"""Votes, recusals and chairs at the same moment: what is counted is what was recorded in time."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mvote.budget.deliberation import closing, voting
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.recusing import recuse
from mvote.errors import DomainError, ImpossibleTransition
from tests.support.governing import twin
from tests.support.judgments import Court
from tests.support.racing import race
from tests.support.waiting import PATIENCE_SECONDS, is_blocked, wait_until
from tests.support.world import World


@pytest.fixture
def court(world: World) -> Court:
    """Five members, one in the chair."""
    return Court(world)


def _unlocked(session: Session, proposal_id: uuid.UUID, _: uuid.UUID | None) -> Proposal:
    return session.scalars(select(Proposal).where(Proposal.id == proposal_id)).one()


@contextmanager
def without_locks(owner: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever votes or closes looks at a proposal without waiting for anybody."""
    monkeypatch.setattr(voting, "locked_proposal", _unlocked)
    share = "FOR KEY SHARE"  # what the keys of the tables take in any case
    with (
        twin(owner, "refuse_the_recused", "FOR UPDATE", share),
        twin(owner, "judgment_guard", "FOR UPDATE", share),
    ):
        yield


def _while_in_flight(court: Court, session: Session, act: Callable[[], Any]) -> None:
    """Do *act* in another thread; once it waits or is done, commit *session*, and wait for it."""
    acting = threading.Thread(target=act)
    acting.start()
    wait_until(lambda: not acting.is_alive() or is_blocked(court.world.admin_url, ""))
    session.commit()
    acting.join(PATIENCE_SECONDS)


# the last vote and the closing


def _closed_while_a_vote_commits(court: Court) -> tuple[int, int]:
    """How many votes the judgment counts, and how many were recorded in it."""
    proposal = court.reviewed()
    court.votes(proposal, yes=3)
    with court.session() as session:
        court.vote_in(session, proposal, court.members[3], "no")
        session.flush()
        _while_in_flight(
            court, session, lambda: court.done(court.close_in, proposal, court.members[0])
        )
    [judgment] = court.judgments(proposal)
    return judgment["present"], len(judgment["votes"])


def test_a_vote_that_was_under_way_when_the_chair_closed_is_counted(court: Court) -> None:
    assert _closed_while_a_vote_commits(court) == (4, 4)


def test_without_the_lock_a_recorded_vote_would_not_be_counted(
    court: Court, owner: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    with without_locks(owner, monkeypatch):
        assert _closed_while_a_vote_commits(court) == (3, 4)


def test_a_vote_that_comes_while_the_chair_closes_is_refused(court: Court) -> None:
    proposal, said = court.reviewed(), list[int]()
    court.votes(proposal, yes=3)
    with court.session() as session:
        court.close_in(session, proposal, court.members[0])
        session.flush()
        _while_in_flight(
            court, session,
            lambda: said.append(court.vote(proposal, court.members[3], "no").status_code),
        )  # fmt: skip
    assert said == [409]
    assert len(court.judgments(proposal)[0]["votes"]) == 3


# a recusal and the closing


def _counted_beside_a_recusal(court: Court, *, closed_first: bool) -> dict[str, Any]:
    """The judgment after a member who voted was recused at the moment of closing."""
    court.seated()
    proposal, recused = court.reviewed(), court.members[1]
    court.votes(proposal, yes=3, no=2)
    if closed_first:
        with court.session() as session:
            court.close_in(session, proposal, court.members[0])
            session.flush()
            _while_in_flight(court, session, lambda: court.step_aside(proposal, recused))
    else:
        with court.session() as session:
            pair = (uuid.UUID(proposal["id"]), uuid.UUID(court.seat_of(recused)))
            recuse(session, grounds={pair: "household"}, how="declared", by=recused.id)
            _while_in_flight(
                court, session, lambda: court.done(court.close_in, proposal, court.members[0])
            )
    [judgment] = court.judgments(proposal)
    counted = judgment["recounts"][-1] if judgment["recounts"] else judgment
    return {name: counted[name] for name in ("entitled", "yes", "no", "carried")}


@pytest.mark.parametrize("closed_first", [False, True])
def test_whoever_is_recused_while_the_chair_closes_is_not_counted(
    court: Court, closed_first: bool
) -> None:
    found = _counted_beside_a_recusal(court, closed_first=closed_first)
    assert found == {"entitled": 5, "yes": 2, "no": 2, "carried": False}


def test_without_the_lock_the_vote_of_a_recused_member_would_stand(
    court: Court, owner: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    with without_locks(owner, monkeypatch):
        found = _counted_beside_a_recusal(court, closed_first=False)
    assert found == {"entitled": 6, "yes": 3, "no": 2, "carried": True}


# two chairs


def _closed_by_two(court: Court) -> tuple[Sequence[object], int]:
    """What two who close at the same moment got, and how often it was closed."""
    proposal = court.reviewed()
    court.votes(proposal, yes=3)
    got = race(
        court.world.engines["api"], 2,
        lambda session: court.close_in(session, proposal, court.members[0]),
    )  # fmt: skip
    closings = court.world.rows("SELECT 1 FROM journal WHERE kind = 'judgment:closed'")
    return got, len(closings)


def test_of_two_who_close_at_once_one_does_and_the_other_is_told(court: Court) -> None:
    got, times = _closed_by_two(court)
    refused = [each for each in got if isinstance(each, DomainError)]
    assert [type(each) for each in refused] == [ImpossibleTransition]
    assert times == 1


def test_without_lock_and_guard_a_judgment_would_be_closed_twice(
    court: Court, owner: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: both count before either has written."""
    counted = threading.Barrier(2)

    def record_together(*args: Any, **more: Any) -> None:
        counted.wait(PATIENCE_SECONDS)
        record(*args, **more)

    record = closing.record
    monkeypatch.setattr(closing, "record", record_together)
    monkeypatch.setattr(closing, "check_has_room", lambda *_: None)  # it takes turns, too
    owner.execute(text("ALTER TABLE judgment DISABLE TRIGGER judgment_guard"))
    owner.commit()
    try:
        with without_locks(owner, monkeypatch):
            _, times = _closed_by_two(court)
    finally:
        owner.execute(text("ALTER TABLE judgment ENABLE TRIGGER judgment_guard"))
        owner.commit()
    assert times == 2
