"""What is approved has a price that the cycle allows, whatever officers found before."""

from __future__ import annotations

from sqlalchemy.orm import Session

from mvote.budget.assessment import Assessment
from mvote.budget.deliberation.errors import PriceNotAllowed
from mvote.budget.looking_up import cycle_of
from mvote.budget.proposal import Proposal
from mvote.budget.proposal_rules import most_for
from mvote.budget.revision import Revision
from mvote.errors import stands_for

stands_for("proposal_price_allowed", PriceNotAllowed)


def check_price(session: Session, proposal: Proposal) -> None:
    """See that the assessed price is one that it may go onto a ballot at. Raises PriceNotAllowed.

    What is infeasible is assessed at any price, and may be called up, or win its appeal. The
    database's guard of proposals asks the same.
    """
    amount, most = _price_and_cap(session, proposal)
    if not 0 < amount <= most:
        raise PriceNotAllowed(amount=amount, most=most)


def has_price(session: Session, proposal: Proposal) -> bool:
    """Whether its price is allowed."""
    amount, most = _price_and_cap(session, proposal)
    return 0 < amount <= most


def _price_and_cap(session: Session, proposal: Proposal) -> tuple[int, int]:
    key = (proposal.id, int(proposal.revision or 0))
    text, assessment = session.get_one(Revision, key), session.get(Assessment, key)
    amount = assessment.assessed_amount if assessment is not None else text.amount
    return amount, most_for(cycle_of(session, proposal), text.heading, text.kind)
