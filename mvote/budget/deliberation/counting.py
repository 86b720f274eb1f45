"""Counting a judgment: its votes, what counts of them now, and what its recounts made of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mvote.budget.deliberation.judgment import Judgment, JudgmentVote, Recount
from mvote.budget.judging import Ballots, Vote
from mvote.budget.proposal import Proposal


def votes_of(session: Session, judgment_id: uuid.UUID) -> dict[uuid.UUID, Vote]:
    """How each seat voted, whether or not it counts."""
    of_it = select(JudgmentVote.seat_id, JudgmentVote.vote)
    rows = session.execute(of_it.where(JudgmentVote.judgment_id == judgment_id))
    return dict(rows.all())


def ballots(
    filled: Sequence[uuid.UUID], recused: Sequence[uuid.UUID], votes: dict[uuid.UUID, Vote]
) -> Ballots:
    """The same as the pure rule counts it."""
    return Ballots(
        filled=frozenset(map(str, filled)),
        recused=frozenset(map(str, recused)),
        votes={str(seat): vote for seat, vote in votes.items()},
    )


def recounts_of(session: Session, judgment_id: uuid.UUID) -> Sequence[Recount]:
    """All recounts, in their order."""
    of_it = select(Recount).where(Recount.judgment_id == judgment_id).order_by(Recount.n)
    return session.scalars(of_it).all()


def judgments_of(session: Session, proposal_id: uuid.UUID) -> Sequence[Judgment]:
    """All that were closed, in that order, and the one that is open, if one is."""
    of_it = select(Judgment).where(
        Judgment.proposal_id == proposal_id, Judgment.state != "abandoned"
    )
    by_time = of_it.order_by(func.coalesce(Judgment.closed_at, func.now()), Judgment.id)
    return session.scalars(by_time).all()


def is_carried(session: Session, judgment: Judgment) -> bool:
    """What counts now: the last recount, else the count at closing."""
    recounts = recounts_of(session, judgment.id)
    return recounts[-1].carried if recounts else bool(judgment.carried)


def body_approved(session: Session, proposal: Proposal) -> bool:
    """Whether the proposal, under review, waits only for another body's confirmation."""
    of_it = [
        each
        for each in judgments_of(session, proposal.id)
        if each.closed_at is not None
        and each.closed_at >= proposal.state_since
        and each.motion == "approve"
    ]
    return bool(of_it) and is_carried(session, of_it[-1])
