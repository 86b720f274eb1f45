"""Joins what `mvote` asks of the world (keys, messages, places) with what satisfies it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Flask, current_app
from sqlalchemy import Engine

from api.attestation.attestors import attestors_of, owners_of
from api.crowd import Comer, Seen, crowd, definitions
from api.db import db, driving
from api.holders import made_once, open_keystore
from api.keys import numbered_keys
from api.pausing import apart_of_this_process, pause_of_this_process
from api.settings import Settings
from api.sightings import watch
from geo.places import CityPlaces
from mvote.ballotbox.casting import BallotBox
from mvote.ballotbox.keystore import DirectoryKeystore
from mvote.ballotbox.poll_keys import PollKeyring
from mvote.ballotbox.receipts import ReceiptKeys
from mvote.ballotbox.writer import SlotWriter
from mvote.gathering import Gathered
from mvote.moderation.reporting import REPORT_KEY, Desk
from mvote.people.tokens import SigningKey, Tokens
from mvote.polls.frozen import FrozenPolls
from mvote.polls.integrity.attesting import Attestors
from mvote.polls.integrity.day_keys import DayKeys
from mvote.polls.integrity.devices import Owners
from mvote.polls.integrity.watching import Watch
from mvote.polls.onsite.scanning import Gate
from mvote.polls.onsite.wrapping import SITE_CODE_KEY, CodeSecrets
from mvote.polls.opening import Surroundings
from mvote.polls.presence_tokens import PresenceTokens
from mvote.polls.proving import Judge
from mvote.polls.rolls.entries import RollKeys
from mvote.polls.room_passes import RoomPasses
from mvote.polls.room_passwords import ROOM_KEY, RoomPasswords


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What views hand to use cases, made once for each process."""

    settings: Settings
    keystore: DirectoryKeystore
    tokens: Tokens
    presence_tokens: PresenceTokens
    gate: Gate
    room_passwords: RoomPasswords
    room_passes: RoomPasses
    places: CityPlaces
    attestors: Attestors
    owners: Owners
    watch: Watch
    judge: Judge
    engine: Engine
    crowd: Gathered[Comer, Seen]
    roll_keys: RollKeys
    definitions: Gathered[uuid.UUID, bytes | None]
    polls: FrozenPolls
    box: BallotBox
    moderation: Desk

    @property
    def around(self) -> Surroundings:
        """What opening a poll takes from outside the database."""
        return Surroundings(
            keystore=self.keystore,
            places=self.places,
            receipt_key_id=self.box.receipts.current_id,
            host=self.settings.host,
            time_zone=self.settings.city_time_zone,
            platforms=self.attestors.platforms,
        )


def connect(app: Flask, settings: Settings) -> None:
    """Give *app* its keys, its box and its places; keys are made at first sight if missing."""
    keystore = open_keystore(settings, "api")
    tokens = Tokens(issuer=settings.public_url, keys=token_keys(keystore))
    presence_tokens = PresenceTokens(numbered_keys(keystore, "presence"))
    numbered_keys(keystore, "receipt")
    places, roll_keys = CityPlaces(), RollKeys(keystore)
    attestors = attestors_of(settings, keystore)
    with app.app_context():
        engine = db.engine
    box = ballot_box(keystore, engine)
    zone = ZoneInfo(settings.city_time_zone)
    sightings = watch(engine, DayKeys(keystore), box.keys, zone)
    app.extensions["keystore"] = keystore
    app.extensions["tokens"] = tokens
    app.extensions["wiring"] = Wiring(
        settings=settings,
        keystore=keystore,
        tokens=tokens,
        presence_tokens=presence_tokens,
        gate=Gate(
            sites=places,
            tokens=presence_tokens,
            attestors=attestors,
            owners=owners_of(keystore),
            watch=sightings,
            secrets=CodeSecrets(made_once(keystore, SITE_CODE_KEY)),
        ),
        room_passwords=RoomPasswords(made_once(keystore, ROOM_KEY), apart_of_this_process()),
        room_passes=RoomPasses(numbered_keys(keystore, "room")),
        places=places,
        attestors=attestors,
        owners=owners_of(keystore),
        watch=sightings,
        judge=Judge(geofence=places, tokens=presence_tokens, attestors=attestors),
        engine=engine,
        crowd=crowd(engine, roll_keys),
        roll_keys=roll_keys,
        definitions=definitions(engine),
        polls=FrozenPolls(),
        box=box,
        moderation=Desk(
            key=made_once(keystore, REPORT_KEY), places=places, to_hold=settings.reports_to_hold
        ),
    )


def ballot_box(keystore: DirectoryKeystore, engine: Engine) -> BallotBox:
    """The box with a casting writer that has connections of its own of *engine*."""
    return BallotBox(
        keys=PollKeyring(keystore),
        receipts=ReceiptKeys(keystore),
        slot=SlotWriter(lambda: driving(engine), pause=pause_of_this_process()),
    )


def wiring() -> Wiring:
    """The wiring of the current app."""
    found: Wiring = current_app.extensions["wiring"]
    return found


def token_keys(keystore: DirectoryKeystore) -> list[SigningKey]:
    """The token keys, the newest first; one is made if there is none."""
    return [SigningKey.of(secret) for secret in numbered_keys(keystore, "token")]
