"""Which keys the web needs of its keystore, how they are made, and whether all can be read."""

from __future__ import annotations

from api.holders import made_once
from mvote.ballotbox.keystore import DirectoryKeystore, KeyMissing, KeyUnreadable
from mvote.people.challenges import CODE_KEY
from mvote.people.limits import ADDRESS_KEY
from mvote.people.phones import KEY_NAMES

#: made once and never again: accounts, anchors and numbers would be lost with them
LASTING = (*KEY_NAMES, CODE_KEY, ADDRESS_KEY)
#: replaced now and then, so they bear a number
NUMBERED = ("token", "receipt", "presence")
TOKEN_KEYS_KEPT = 3
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


def unreadable_keys(keystore: DirectoryKeystore) -> list[str]:
    """The names of keys that are there, but do not open with the holder's master key."""
    return [name for name in keystore.names("") if not _opens(keystore, name)]


def rotate_token_key(keystore: DirectoryKeystore) -> str:
    """Make a token key that signs from now on; the oldest ones go. The new key's name."""
    names = keystore.names("token/")
    number = int(names[-1].partition("/")[2]) + 1 if names else 1
    made_once(keystore, f"token/{number:06d}")
    for old in keystore.names("token/")[:-TOKEN_KEYS_KEPT]:
        keystore.destroy(old)
    return f"token/{number:06d}"


def _opens(keystore: DirectoryKeystore, name: str) -> bool:
    try:
        keystore.get(name)
    except (KeyMissing, KeyUnreadable):
        return False
    return True
