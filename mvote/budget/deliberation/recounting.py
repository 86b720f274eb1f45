"""Recounting: a recusal found after the judgment annuls that member's vote, whatever it was."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import any_, select
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.cycle import Cycle
from mvote.budget.deliberation.counting import (
    ballots,
    is_carried,
    judgments_of,
    recounts_of,
    votes_of,
)
from mvote.budget.deliberation.following import follow, reject
from mvote.budget.deliberation.judgment import Judgment, Motion, Recount
from mvote.budget.deliberation.pricing import has_price
from mvote.budget.deliberation.rules import review_of, rule_of_review
from mvote.budget.judging import Judgment as Count
from mvote.budget.judging import judge
from mvote.budget.looking_up import cycle_of, locked_proposals
from mvote.budget.proposal import Proposal, State
from mvote.budget.reviewing.recusal import Recusal
from mvote.journal import Event, write_down

DECIDED_BY: dict[State, tuple[Motion, ...]] = {
    "approved": ("approve", "confirm"),
    "rejected": ("approve", "confirm", "reject", "appeal"),
    "under_review": ("approve", "call_up", "appeal"),
}
"""In these states a proposal may still go elsewhere; later ones have their own ways out."""


@dataclass(frozen=True, kw_only=True)
class JudgmentRecounted(Event):
    kind: ClassVar[str] = "judgment:recounted"
    judgment_id: uuid.UUID
    yes: int
    no: int
    abstain: int
    carried: bool


def recount_after(session: Session, *, proposals: Iterable[uuid.UUID]) -> list[Recount]:
    """Count again whatever was closed with votes of members who are recused by now.

    To be called, in the same transaction, by whoever writes recusals down. Where the outcome is
    another, the proposal goes where that leads, as long as it is not on the ballot.
    """
    affected = _affected(session, set(proposals))
    recounts: list[Recount] = []
    for proposal in locked_proposals(session, affected).values() if affected else ():
        for judgment in judgments_of(session, proposal.id):
            if judgment.state == "closed":
                recounts.extend(_recount(session, proposal, judgment))
    return recounts


def _affected(session: Session, proposals: set[uuid.UUID]) -> set[uuid.UUID]:
    """Those with a closed judgment that a recused seat was entitled to vote in."""
    closed = (
        select(Judgment.proposal_id)
        .join(Recusal, Recusal.proposal_id == Judgment.proposal_id)
        .where(
            Judgment.proposal_id.in_(proposals),
            Judgment.state == "closed",
            Recusal.ground != "took_part",
            Recusal.seat_id == any_(Judgment.roll),
        )
    )
    return set(session.scalars(closed))


def _recount(session: Session, proposal: Proposal, judgment: Judgment) -> Iterable[Recount]:
    """The new count, if it differs from the last."""
    cycle, before = cycle_of(session, proposal), recounts_of(session, judgment.id)
    roll = judgment.roll or []
    out = recused_of(session, proposal.id, roll)
    if len(roll) - len(out) == (before[-1].entitled if before else len(roll)):
        return
    was_carried = is_carried(session, judgment)
    count = judge(
        ballots(roll, out, votes_of(session, judgment.id)), rule_of_review(review_of(cycle))
    )
    recount = _write(session, judgment, count, n=len(before) + 1)
    yield recount
    if (count.carried, count.quorate) != (was_carried, True) and _still_decides(
        session, proposal, judgment
    ):
        _turn(session, cycle, proposal, judgment, recount)


def recused_of(session: Session, proposal_id: uuid.UUID, roll: list[uuid.UUID]) -> list[uuid.UUID]:
    """Of those entitled, whoever is recused; who took part before an appeal did so rightly."""
    of_it = select(Recusal.seat_id).where(
        Recusal.proposal_id == proposal_id,
        Recusal.seat_id.in_(roll),
        Recusal.ground != "took_part",
    )
    return list(session.scalars(of_it))


def _write(session: Session, judgment: Judgment, count: Count, *, n: int) -> Recount:
    recount = Recount(
        judgment_id=judgment.id, n=n, entitled=count.entitled, yes=count.yes, no=count.no,
        abstain=count.abstain, quorate=count.quorate, carried=count.carried,
        at=database_time(session),
    )  # fmt: skip
    session.add(recount)
    session.flush()
    event = JudgmentRecounted(
        judgment_id=judgment.id, yes=count.yes, no=count.no, abstain=count.abstain,
        carried=count.carried,
    )  # fmt: skip
    write_down(session, event, actor_id=None, subject_id=judgment.proposal_id)
    return recount


def _still_decides(session: Session, proposal: Proposal, judgment: Judgment) -> bool:
    """Whether the proposal is where this judgment, the last one, has led it."""
    closed = [each for each in judgments_of(session, proposal.id) if each.state == "closed"]
    return closed[-1].id == judgment.id and judgment.motion in DECIDED_BY.get(proposal.state, ())


def _turn(
    session: Session, cycle: Cycle, proposal: Proposal, judgment: Judgment, recount: Recount
) -> None:
    """Undo what the judgment led to; without a quorum it is judged anew, else by the new count,
    unless that would approve it at a price that is not allowed."""
    now = recount.at
    if judgment.motion == "call_up":
        reject(session, cycle, proposal, now)
        return
    if proposal.state != "under_review":
        proposal.move("recount", now=now)
        session.flush()
    if judgment.motion == "appeal":  # dismissed, it is allowed now; allowed, it is dismissed
        if recount.quorate and not recount.carried:
            reject(session, cycle, proposal, now)
    elif recount.quorate and (not recount.carried or has_price(session, proposal)):
        follow(session, cycle, proposal, judgment, is_carried=recount.carried)
