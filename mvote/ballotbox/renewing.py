"""Renewing: bundles are wanted again when more witnesses have signed than they show.

As when a witness is named long after they were made. What it signs then holds all that came
before, so every bundle can show it.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.ballotbox.log import CITY


def want_renewal(session: Session, *, already: int) -> int:
    """Want anew what shows fewer witnesses than have signed; how many those are.

    Nothing is looked through unless they are more than *already*, the answer of the last time.
    """
    best = session.execute(_BEST, {"city": CITY}).one_or_none()
    if best is None or best.signed <= already:
        return already
    session.execute(_WANT, {"signed": best.signed, "size": best.size})
    return int(best.signed)


_BEST = text(
    "SELECT size, count(*) AS signed FROM (SELECT size FROM cosignature WHERE poll_id = :city"
    " ORDER BY size DESC LIMIT 1000) newest GROUP BY size ORDER BY signed DESC, size DESC LIMIT 1"
)
# Ten a second: there may be many, and the shuffler has other work.
_WANT = text(
    "INSERT INTO bundle_wanted (poll_id, since, look_at)"
    " SELECT poll_id, clock_timestamp(), clock_timestamp()"
    " + (row_number() OVER (ORDER BY poll_id) - 1) * interval '0.1 seconds'"
    " FROM (SELECT DISTINCT ON (poll_id) poll_id, city_size, cosignatures FROM bundle"
    " ORDER BY poll_id, log_size DESC, cosignatures DESC, city_size) AS newest"
    " WHERE cosignatures < :signed AND city_size <= :size ON CONFLICT DO NOTHING"
)
