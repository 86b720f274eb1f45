"""Each holder's view of the keystore: the api's, the shuffler's, the counter's, the auditor's."""

from __future__ import annotations

import base64
import binascii
import os
from contextlib import suppress
from pathlib import Path

from api.settings import Misconfigured, Settings
from mvote.ballotbox.keystore import DirectoryKeystore, Holder, KeyUnreadable, write_once

KEY_BYTES = 32


def made_once(keystore: DirectoryKeystore, name: str) -> bytes:
    """The key called *name*; a random one is made if there is none."""
    try:
        keystore.put(name, os.urandom(KEY_BYTES))
    except FileExistsError:
        return keystore.get(name)
    return keystore.get(name)


def open_keystore(settings: Settings, holder: Holder) -> DirectoryKeystore:
    """The keystore as *holder* sees it. Raises Misconfigured without a usable master key."""
    keystore = DirectoryKeystore(settings.keystore, holder, _master_key(settings, holder))
    try:
        keystore.introduce()
    except KeyUnreadable as error:
        raise Misconfigured(str(error)) from None
    return keystore


def _master_key(settings: Settings, holder: Holder) -> bytes:
    given = settings.master_keys.get(holder)
    if given:
        return _decoded(given, holder)
    if settings.environment == "production":
        raise Misconfigured(f"production needs {holder.upper()}_MASTER_KEY")
    return _file_of_development(settings.keystore / f"{holder}.master")


def _decoded(given: str, holder: Holder) -> bytes:
    try:
        key = base64.b64decode(given, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise Misconfigured(f"{holder.upper()}_MASTER_KEY is not the base64 of 32 bytes")
    return key


def _file_of_development(path: Path) -> bytes:
    """A master key in a file beside the keys: fit for a developer's machine, nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):
        write_once(path, os.urandom(KEY_BYTES))
    return path.read_bytes()


def add_token_key(keystore: DirectoryKeystore, number: int) -> None:
    """Make token key *number*; a process that does so at the same moment may win."""
    with suppress(FileExistsError):
        keystore.put(f"token/{number:06d}", os.urandom(KEY_BYTES))
