"""What time takes away: tokens and codes that have expired, polls that are near no more."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, func
from sqlalchemy.orm import Session

from mvote.answers import remove_old_answers
from mvote.ballotbox.tables import SpentToken
from mvote.base import database_time
from mvote.budget.files import forget_orphans
from mvote.moderation.expiring import release_unseen
from mvote.moderation.forgetting import forget_decided_reports
from mvote.people.forgetting import forget_expired
from mvote.polls.integrity.devices import forget_old_devices
from mvote.polls.integrity.nonces import forget_expired_nonces
from mvote.polls.integrity.noticing import forget_sightings
from mvote.polls.onsite.rotation import forget_used_values
from mvote.polls.places import Places
from mvote.polls.rolls.abandoning import give_up_a_roll


def keep_lists(session: Session, places: Places, hold: dt.timedelta) -> None:
    """Take polls whose voting is over out of the search for what is near, and put those back into
    the lists that were held back longer than *hold* without an officer."""
    places.hide_ended(session)
    release_unseen(session, places=places, term=hold)


def remove_expired(session: Session) -> None:
    """Remove rolls of drafts that nobody touches, answers kept long enough, and what tells used
    tokens and values that expired, files that nothing names, phones that were long not used, who
    reported what was decided long ago, and what is left of people who are gone.

    A roll comes first, and is in no transaction with lists: it may take seconds, and of the rest
    there is much that somebody else waits for.
    """
    give_up_a_roll(session)
    remove_old_answers(session)
    forget_orphans(session)
    forget_used_values(session)
    forget_old_devices(session, now=database_time(session))
    forget_expired_nonces(session)
    forget_decided_reports(session)
    forget_sightings(session)
    session.execute(delete(SpentToken).where(SpentToken.expires_at < func.clock_timestamp()))
    forget_expired(session, now=database_time(session))
