"""Each holder's view of the keystore: the api's, the shuffler's, the counter's, the auditor's."""

from __future__ import annotations

import base64
import logging
import os
from contextlib import suppress
from pathlib import Path

from api.settings import Misconfigured, Settings
from mvote.ballotbox.keystore import (
    DirectoryKeystore,
    Holder,
    KeyMissing,
    KeyUnreadable,
    write_once,
)

KEY_BYTES = 32
log = logging.getLogger("mvote.keys")


def made_once(keystore: DirectoryKeystore, name: str) -> bytes:
    """The key called *name*; a random one is made if there is none.

    What is there is only read: that goes on while a copy of the keystore is away.
    """
    with suppress(KeyMissing):
        return keystore.get(name)
    with suppress(FileExistsError):  # another process was quicker
        keystore.put(name, os.urandom(KEY_BYTES))
    return keystore.get(name)


def open_keystore(settings: Settings, holder: Holder) -> DirectoryKeystore:
    """The keystore as *holder* sees it. Raises Misconfigured without a usable master key."""
    old = settings.old_master_keys.get(holder)
    keystore = DirectoryKeystore(
        settings.keystore,
        holder,
        _master_key(settings, holder),
        old=_decoded(old, f"{holder.upper()}_MASTER_KEY_OLD") if old else None,
        copy=settings.keystore_copy,
    )
    try:
        keystore.introduce()
    except KeyUnreadable as error:
        hint = "the one before goes into *_MASTER_KEY_OLD until `keys rewrap` is done"
        raise Misconfigured(f"{error}; {hint}") from None
    _warn_without_copy(settings)
    return keystore


def _warn_without_copy(settings: Settings) -> None:
    """Reading goes on without the copy: an outage of one disk must not become one of voting."""
    if settings.keystore_copy and not settings.keystore_copy.is_dir():
        log.error("the keystore's copy is away", extra={"folder": str(settings.keystore_copy)})


def _master_key(settings: Settings, holder: Holder) -> bytes:
    given = settings.master_keys.get(holder)
    if given:
        return _decoded(given, f"{holder.upper()}_MASTER_KEY")
    if settings.environment == "production":
        raise Misconfigured(f"production needs {holder.upper()}_MASTER_KEY")
    path = settings.keystore / f"{holder}.master"
    if not path.exists() and _has_keys(settings, holder):
        raise Misconfigured(f"the {holder}'s master key is gone ({path}), but its keys are there")
    return _file_of_development(path)


def _has_keys(settings: Settings, holder: Holder) -> bool:
    roots = filter(None, (settings.keystore, settings.keystore_copy))
    return any((root / holder / "wrapping.pub").exists() for root in roots)


def _decoded(given: str, variable: str) -> bytes:
    try:
        key = base64.b64decode(given, validate=True)
    except ValueError:  # not base64, or not even ASCII
        key = b""
    if len(key) != KEY_BYTES:
        raise Misconfigured(f"{variable} is not the base64 of 32 bytes")
    return key


def _file_of_development(path: Path) -> bytes:
    """A master key in a file beside the keys: fit for a developer's machine, nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):
        write_once(path, os.urandom(KEY_BYTES))
    return path.read_bytes()
