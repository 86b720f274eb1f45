"""Keeping budgets: what a worker does again and again, because time passes or something waits."""

from __future__ import annotations

from sqlalchemy.orm import Session

from mvote.budget.returning import lapse_missed
from mvote.budget.reviewing.giving_out import give_out_what_waits
from mvote.budget.reviewing.neighbourhood import Neighbourhood
from mvote.budget.telling.inbox import remove_old_items
from mvote.budget.telling.telling import tell


def keep_budgets(session: Session, *, around: Neighbourhood) -> None:
    """Let lapse what was returned and did not come again; give out what waits for a review; tell
    those whom it concerns what has happened; empty inboxes of what is old."""
    lapse_missed(session)
    give_out_what_waits(session, around=around)
    tell(session)
    remove_old_items(session)
