"""Renewing: bundles are wanted again when more of the witnesses have signed than they show.

As when a witness is named long after they were made, or in the place of another. What it signs then
holds all that came before, so every bundle can show it. Only witnesses that are asked now count:
what others have signed once is shown, and replaces nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.ballotbox.log import CITY
from mvote.ballotbox.notes import parse_note

SIGNER = (
    "(s.witness || '+'"
    " || encode(substr(decode(split_part(s.line, ' ', 3), 'base64'), 1, 4), 'hex'))"
)
"""SQL: whose key made the cosignature `s`, as `signer_of` tells it."""
NEWEST_FIRST = "log_size DESC, made_at DESC"
"""SQL: the order of a poll's bundles; the first is served."""


def signer_of(vkey: str) -> str:
    """The name and the hash of a witness's key, out of `name+hash+key`."""
    name, key_hash, _ = vkey.split("+", 2)
    return f"{name}+{key_hash}"


def shows_all(note: bytes, witnesses: Sequence[str]) -> bool:
    """Whether a cosigned checkpoint has the signatures of all *witnesses* (`name+hash+key`)."""
    shown = {f"{each.name}+{each.key_hash.hex()}" for each in parse_note(note).signatures}
    return shown.issuperset(map(signer_of, witnesses))


def want_renewal(session: Session, *, witnesses: Sequence[str], already: int) -> int:
    """Want anew what shows fewer of *witnesses* than have signed one state; how many those are.

    Nothing is looked through unless they are more than *already*, the answer of the last time for
    the same witnesses (their keys, `name+hash+key`).
    """
    wanted = {"city": CITY, "wanted": list(map(signer_of, witnesses))}
    best = session.execute(_BEST, wanted).one_or_none()
    if best is None or best.signed <= already:
        return already
    session.execute(_WANT, wanted | {"signed": best.signed, "size": best.size})
    return int(best.signed)


_BEST = text(
    "SELECT size, count(*) AS signed FROM"  # noqa: S608
    " (SELECT size, witness, line FROM cosignature"
    " WHERE poll_id = :city ORDER BY size DESC LIMIT 1000) s"
    f" WHERE {SIGNER} = ANY(:wanted) GROUP BY size ORDER BY signed DESC, size DESC LIMIT 1"
)
# Ten a second: there may be many, and the shuffler has other work.
_WANT = text(
    "INSERT INTO bundle_wanted (poll_id, since, look_at)"  # noqa: S608
    " SELECT poll_id, clock_timestamp(), clock_timestamp()"
    " + (row_number() OVER (ORDER BY poll_id) - 1) * interval '0.1 seconds'"
    " FROM (SELECT DISTINCT ON (poll_id) poll_id, city_size, city_checkpoint FROM bundle"
    f" ORDER BY poll_id, {NEWEST_FIRST}) AS newest"
    " WHERE city_size <= :size AND :signed > (SELECT count(*) FROM cosignature s"
    f" WHERE s.poll_id = :city AND s.size = newest.city_size AND {SIGNER} = ANY(:wanted)"
    " AND position(convert_to(s.line, 'UTF8') IN newest.city_checkpoint) > 0)"
    " ON CONFLICT DO NOTHING"
)
