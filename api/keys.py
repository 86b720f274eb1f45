"""Which keys the web needs of its keystore, how they are made, and whether all can be read."""

from __future__ import annotations

from api.holders import made_once
from mvote.ballotbox.keystore import DirectoryKeystore
from mvote.budget.applying import PSEUDONYM_KEY
from mvote.moderation.reporting import REPORT_KEY
from mvote.people.challenges import CODE_KEY
from mvote.people.identities import IDENTITY_KEY
from mvote.people.limits import ADDRESS_KEY
from mvote.people.phones import KEY_NAMES
from mvote.people.sessions import REFRESH_KEY
from mvote.polls.integrity.devices import OWNER_KEY
from mvote.polls.onsite.wrapping import SITE_CODE_KEY
from mvote.polls.room_passwords import ROOM_KEY

#: made once and never again: accounts, numbers, seats and site codes would be lost with them
LASTING = (
    *KEY_NAMES,
    CODE_KEY,
    ADDRESS_KEY,
    PSEUDONYM_KEY,
    REFRESH_KEY,
    IDENTITY_KEY,
    SITE_CODE_KEY,
    ROOM_KEY,
    OWNER_KEY,
    REPORT_KEY,
)
#: replaced now and then, so they bear a number
NUMBERED = ("token", "receipt", "presence", "room")
KEPT = {"token": 3, "presence": 3, "room": 3}
"""Enough for every token that is still good, even if keys are changed twice in a hurry."""


def make_missing_keys(keystore: DirectoryKeystore) -> list[str]:
    """Make every key of the api's that is not there yet; the names of those made."""
    missing = missing_keys(keystore)
    for name in missing:
        made_once(keystore, name)
    return missing


def missing_keys(keystore: DirectoryKeystore) -> list[str]:
    """The names of the api's keys that are not there."""
    there = keystore.names("")
    lasting = [name for name in LASTING if name not in there]
    numbered = [
        f"{kind}/000001"
        for kind in NUMBERED
        if not any(name.startswith(f"{kind}/") for name in there)
    ]
    return lasting + numbered


def numbered_keys(keystore: DirectoryKeystore, kind: str) -> list[bytes]:
    """The keys of that *kind*, the newest first; one is made if there is none."""
    if not keystore.names(f"{kind}/"):  # the first may be long gone
        made_once(keystore, f"{kind}/000001")
    return [keystore.get(name) for name in reversed(keystore.names(f"{kind}/"))]


def rotate(keystore: DirectoryKeystore, kind: str) -> str:
    """Make a key of that *kind* (token, presence, room, receipt) that signs from now on; its name.

    The oldest keys of tokens go: what they signed has expired. Every receipt key stays, because a
    poll keeps the one it opened with.
    """
    names = keystore.names(f"{kind}/")
    number = int(names[-1].partition("/")[2]) + 1 if names else 1
    made_once(keystore, f"{kind}/{number:06d}")
    if kept := KEPT.get(kind):
        for old in keystore.names(f"{kind}/")[:-kept]:
            keystore.destroy(old)
    return f"{kind}/{number:06d}"
