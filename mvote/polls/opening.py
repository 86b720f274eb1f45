"""Opening a poll: every hindrance named at once, then the definition is frozen and hashed."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.methods.runoff import TIES
from mvote.ballotbox.poll_keys import make_poll_keys
from mvote.ballotbox.tables import SealingKey
from mvote.ballotbox.trustees import (
    custody_hindrances,
    in_definition,
    is_trusted,
    take_trustee_key,
)
from mvote.base import database_time, instant
from mvote.journal import Event, write_down
from mvote.people.anchors import hold_still
from mvote.polls.cautions import cautions_of
from mvote.polls.definition import DEFAULT_K, DEFAULT_PUBLISH_FROM, METHODS, canonical
from mvote.polls.errors import NotReadyToOpen
from mvote.polls.hindrances import Hindrance
from mvote.polls.images import freeze_images, image_hindrances
from mvote.polls.integrity.demanding import demand_of, hindrances_in_demand
from mvote.polls.lookalikes import lookalikes
from mvote.polls.lots import commit_lot
from mvote.polls.places import Places
from mvote.polls.poll import Poll, PollDefinition, after
from mvote.polls.roll import described
from mvote.polls.rolls.hindering import asks_roll, hindrances_in_roll, warnings_of_roll

FEWEST_OPTIONS = 2
LONGEST_PERIOD = dt.timedelta(days=366)
DEFAULT_AREA_BASIS = ["home"]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What opening takes from outside the database."""

    keystore: Keystore
    places: Places
    receipt_key_id: str
    #: the public host, for the origin of the poll's log and receipts
    host: str
    time_zone: str
    #: those that can vouch for an app
    platforms: Collection[str] = ()


class Obstacle(Protocol):
    """Something that keeps a poll from opening, or that its author is warned of."""

    def shown(self) -> dict[str, Any]:
        """As it stands in the answer: a code, a title in two languages, and more."""


@dataclass(frozen=True, kw_only=True)
class PollOpened(Event):
    kind: ClassVar[str] = "poll:opened"
    definition_hash: str


def open_poll(
    session: Session,
    *,
    poll: Poll,
    actor_id: uuid.UUID,
    around: Surroundings,
    obstacles: Iterable[Obstacle] = (),
    at: dt.datetime | None = None,
) -> Sequence[Obstacle]:
    """Freeze the poll; voting runs from `opens_at` (at once if past or missing) to `closes_at`.

    The poll's row must be locked. *obstacles* hinder it as others would. *at*: the database's time
    since `hold_still`, from whoever has settled already who votes. Returns warnings, which never
    hinder. Raises ImpossibleTransition, or NotReadyToOpen with all that hinders.
    """
    state = after(poll.state, "open")
    hold_still(session)  # who is one person is settled for this poll when it opens
    now = at or database_time(session)
    hindrances: list[Obstacle] = [*obstacles, *_hindrances(session, poll, around, now)]
    custody = None if hindrances else _take_custody(session, poll)
    if not hindrances and custody is None:
        hindrances.append(_nothing_taken(poll))
    if custody is None:
        raise NotReadyToOpen(hindrances=[each.shown() for each in hindrances])
    _make_keys(around.keystore, poll)
    poll.opens_at = begins(poll, now)
    definition = _frozen(session, poll, custody, around)
    session.add(definition)
    freeze_images(session, poll.content)
    session.flush()  # only a draft gets a definition, only a poll with one opens
    poll.frozen_at, poll.state = now, state
    session.flush()
    around.places.show(session, poll_id=poll.id)
    event = PollOpened(definition_hash=definition.hash.hex())
    write_down(session, event, actor_id=actor_id, subject_id=poll.id)
    return [*_warnings(session, poll, around.places)]


def begins(poll: Poll, now: dt.datetime) -> dt.datetime:
    """When voting begins in a poll that is opened now."""
    return max(poll.opens_at or now, now)


def _hindrances(
    session: Session, poll: Poll, around: Surroundings, now: dt.datetime
) -> Iterator[Hindrance]:
    yield from _hindrances_in_time(poll, now)
    yield from _hindrances_in_question(poll.content.get("question"))
    yield from _hindrances_in_figures(poll.content)
    yield from _hindrances_in_place(session, poll, around.places)
    yield from hindrances_in_demand(poll.content, around.platforms)
    yield from hindrances_in_roll(session, poll)
    yield from image_hindrances(session, poll.content)
    yield from custody_hindrances(session, poll)


def _hindrances_in_time(poll: Poll, now: dt.datetime) -> Iterator[Hindrance]:
    if poll.closes_at is None:
        yield Hindrance("no-closing-time", "/closes_at")
    elif poll.closes_at <= now:
        yield Hindrance("closes-in-the-past", "/closes_at")
    elif poll.closes_at - begins(poll, now) > LONGEST_PERIOD:
        yield Hindrance("period-too-long", "/closes_at")
    elif poll.opens_at is not None and poll.opens_at - now > LONGEST_PERIOD:
        yield Hindrance("opens-too-late", "/opens_at")


def _hindrances_in_question(question: dict[str, Any] | None) -> Iterator[Hindrance]:
    if question is None:
        yield Hindrance("no-question", "/question")
        return
    options = question["options"]
    is_of_projects = "limits" in question  # of one, too: what else would bring its cycle on?
    if len(options) < (1 if is_of_projects else FEWEST_OPTIONS):
        yield Hindrance("too-few-options", "/question/options")
    if question["max_selections"] > len(options):
        yield Hindrance("more-selections-than-options", "/question/max_selections")
    for place in lookalikes(options) if not is_of_projects else ():
        yield Hindrance("options-look-alike", f"/question/options/{place}/title")


def _hindrances_in_figures(content: dict[str, Any]) -> Iterator[Hindrance]:
    """Who won by ranks may turn with every batch, and what turned it would show."""
    kind = (content.get("question") or {}).get("kind")
    if kind == "ranking" and content.get("results") == "live":
        yield Hindrance("live-with-ranking", "/results")


def _hindrances_in_place(session: Session, poll: Poll, places: Places) -> Iterator[Hindrance]:
    presence = poll.content.get("presence") or {}
    if presence.get("rule") == "area" and not presence.get("area"):
        yield Hindrance("no-area", "/presence/area")
    codes = (poll.content.get("eligibility") or {}).get("areas") or []
    unknown = places.unknown_areas(session, area_codes=codes)
    yield from (Hindrance("unknown-area", f"/eligibility/areas/{codes.index(c)}") for c in unknown)


def _warnings(session: Session, poll: Poll, places: Places) -> Iterator[Hindrance]:
    if places.is_narrow(session, poll_id=poll.id):
        yield Hindrance("narrow-area", "/presence/area")
    yield from warnings_of_roll(session, poll)


def _make_keys(keystore: Keystore, poll: Poll) -> None:
    """Without keys that lie in every copy nothing is opened. Raises NotReadyToOpen."""
    try:
        make_poll_keys(keystore, poll.id)
    except OSError:  # a copy is out of reach, or a disk is full
        hindrance = Hindrance("keystore-away", "")
        raise NotReadyToOpen(hindrances=[hindrance.shown()]) from None


def _take_custody(session: Session, poll: Poll) -> dict[str, Any] | None:
    """What the definition says of the key that seals the ballots, which the poll has from now on;
    None if there is none to be had."""
    if is_trusted(poll.content):
        record = take_trustee_key(session, poll)
        return None if record is None else in_definition(record)
    key = _take_sealing_key(session, poll)
    return None if key is None else {"custody": "server", "sealing_key": key.hex()}


def _nothing_taken(poll: Poll) -> Hindrance:
    if is_trusted(poll.content):
        return Hindrance("trustee-key-used", "/trustee_key")
    return Hindrance("no-sealing-key", "")


def _take_sealing_key(session: Session, poll: Poll) -> bytes | None:
    """A key pair's public half from the counter's stock, never used for another poll."""
    free = (
        select(SealingKey.public_key)
        .where(SealingKey.poll_id.is_(None))
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )
    public_key: bytes | None = session.scalars(free).one_or_none()
    if public_key is not None:
        taken = update(SealingKey).where(SealingKey.public_key == public_key)
        session.execute(taken.values(poll_id=poll.id))
    return public_key


def _frozen(
    session: Session, poll: Poll, custody: dict[str, Any], around: Surroundings
) -> PollDefinition:
    content = canonical(_document(session, poll, custody, around))
    return PollDefinition(poll_id=poll.id, canonical=content, hash=hashlib.sha256(content).digest())


def _document(
    session: Session, poll: Poll, custody: dict[str, Any], around: Surroundings
) -> dict[str, Any]:
    content = poll.content
    assert poll.opens_at is not None and poll.closes_at is not None  # noqa: S101, PT018  # hindrances
    document = {
        "format": "mvote-definition/1",
        "poll_id": str(poll.id),
        "origin": f"{around.host}/mvote/poll/{poll.id}",
        "by": poll.origin,
        "title": content["title"],
        "description": content.get("description"),
        "images": content.get("images") or None,
        "question": _question(content["question"]),
        "cycle": content.get("cycle"),
        "lot": None if content.get("cycle") else commit_lot(session, poll.id).hex(),
        "opens_at": instant(poll.opens_at),
        "closes_at": instant(poll.closes_at),
        "time_zone": around.time_zone,
        "eligibility": _eligibility(content.get("eligibility") or {}),
        "roll": _roll(session, poll),
        "presence": _presence(session, poll, around.places),
        "room": poll.is_private or None,
        "results": content.get("results", "after_close"),
        "records": content.get("records") or default_records(content["question"]["kind"]),
        "cast_check": content.get("cast_check", True),
        "k": content.get("k", DEFAULT_K),
        "publish_from": content.get("publish_from", DEFAULT_PUBLISH_FROM),
        "receipt_key_id": around.receipt_key_id,
        **custody,
    }
    document["cautions"] = cautions_of(
        results=document["results"],
        records=document["records"],
        publish_from=document["publish_from"],
        kind=document["question"]["kind"],
    )
    return {key: value for key, value in document.items() if value is not None}


def _question(question: dict[str, Any]) -> dict[str, Any]:
    """The question with the method that counts its ballots, and how that breaks ties on the way."""
    found = {"method": METHODS[question["kind"]][0]} | question
    return found | {"elimination_ties": TIES} if found["method"] == "instant_runoff" else found


def default_records(kind: str) -> str:
    """Full records for a single choice; totals for the rest, where a vector can be a signature."""
    return "full" if kind == "single" else "totals"


def _eligibility(rules: dict[str, Any]) -> dict[str, Any]:
    """The rules with what they say by saying nothing: an area is where one lives."""
    return {"area_basis": DEFAULT_AREA_BASIS} | rules if rules.get("areas") else rules


def _roll(session: Session, poll: Poll) -> dict[str, Any] | None:
    return described(session, poll.id) if asks_roll(poll) else None


def _presence(session: Session, poll: Poll, places: Places) -> dict[str, Any]:
    presence: dict[str, Any] = {"rule": (poll.content.get("presence") or {}).get("rule", "none")}
    if presence["rule"] == "area":
        presence["area"] = places.described_area(session, poll_id=poll.id)
    if (demand := demand_of(poll.content)) != "none":  # unsaid, as in all that was frozen before
        presence["integrity"] = demand
    return presence
