"""The witnesses that the settings name, each behind the adapter for its kind of address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import transaction
from api.settings import Misconfigured, Settings
from api.witnesses.directory import DirectoryWitness
from api.witnesses.git import GitWitness
from api.witnesses.http import HttpWitness
from mvote.ballotbox import marks
from mvote.ballotbox.checkpoints import city_origin
from mvote.ballotbox.clerk import Clerk
from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.notes import COSIGNED, MalformedNote, Verifier, parse_vkey
from mvote.ballotbox.witnessing import Witness


def clerk_of(settings: Settings, engine: Engine, keystore: Keystore) -> Clerk:
    """Who signs for the city's log, with the shuffler's login and keys. Raises Misconfigured."""

    @contextmanager
    def one_transaction() -> Iterator[Session]:
        with Session(engine) as session, transaction(session):
            yield session

    return Clerk(
        keystore=keystore,
        transaction=one_transaction,
        city=city_origin(settings.host),
        mark=marks.MarkFile(*mark_paths(settings)),
        witnesses=witnesses_of(settings),
    )


def mark_paths(settings: Settings) -> list[Path]:
    """Where the mark lies: with the shuffler's keys and their copy, in no backup of a database."""
    roots = [root for root in (settings.keystore, settings.keystore_copy) if root]
    return [root / "shuffler" / marks.NAME for root in roots]


def witnesses_of(settings: Settings) -> list[Witness]:
    """The witnesses of WITNESSES. Raises Misconfigured."""
    witness_keys(settings)
    return [_reached(settings, *_parted(entry)) for entry in settings.witnesses]


def witness_keys(settings: Settings) -> list[Verifier]:
    """The witnesses' keys, as they were pinned. Raises Misconfigured."""
    keys = [_parted(entry)[0] for entry in settings.witnesses]
    names = [key.name for key in keys]
    if twice := {name for name in names if names.count(name) > 1}:
        raise Misconfigured(f"WITNESSES names a witness twice: {', '.join(sorted(twice))}")
    return keys


def _parted(entry: str) -> tuple[Verifier, str]:
    vkey, _, url = entry.partition(" ")
    try:
        key = parse_vkey(vkey)
    except MalformedNote as error:
        raise Misconfigured(f"WITNESSES: {vkey[:100]!r} is no key: {error}") from None
    if key.kind != COSIGNED:
        raise Misconfigured(f"WITNESSES: not a key for cosignatures (kind 4): {vkey}")
    return key, url.strip()


def _reached(settings: Settings, key: Verifier, url: str) -> Witness:
    match urlsplit(url).scheme.partition("+"):
        case ("http" | "https", _, _):
            return HttpWitness(key, url)
        case ("file", "", "") if path := unquote(urlsplit(url).path):
            return DirectoryWitness(key, Path(path))
        case ("git", "+", _):
            copy = settings.var / "witnesses" / key.key_hash.hex()
            return GitWitness(key, url.removeprefix("git+"), copy)
        case _:
            raise Misconfigured(
                f"WITNESSES: the address of {key.name} begins with https://, file:// or git+"
            )
