"""The definition: everything that decides a poll, frozen at opening, hashed, served as bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

import orjson
import rfc8785

from mvote.budget.balloting.rules import BallotRules, read_rules
from mvote.polls.integrity.checking import Demand

Kind = Literal["single", "multiple", "ranking", "points"]
METHODS: dict[Kind, tuple[str, ...]] = {
    "single": ("plurality",),
    "multiple": ("approval",),
    "ranking": ("schulze", "instant_runoff", "borda"),
    "points": ("points",),
}
"""How ballots of a kind are counted; the first where the question names none. A project ballot
has the method of its contest."""
PresenceRule = Literal["none", "area", "site"]
SMALLEST_FULL_RECORDS = 50
DEFAULT_K = 50
"""By default and at least."""
DEFAULT_PUBLISH_FROM = 5


def canonical(document: dict[str, Any]) -> bytes:
    """The one way to write *document* down (RFC 8785); what is served is what is hashed."""
    return rfc8785.dumps(document)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked, as far as a ballot must fit it."""

    kind: Kind
    #: keys of the options, in the order of the vector
    options: tuple[str, ...]
    min_selections: int
    max_selections: int
    method: str
    #: of points: how many a ballot gives at most, together and to one option
    points: int | None = None
    max_points: int | None = None
    #: of a project ballot: they alone decide what is too few or too many
    rules: BallotRules | None = None


@dataclass(frozen=True, kw_only=True)
class Eligibility:
    """Who may vote. An empty tuple or None is no rule."""

    areas: tuple[str, ...] = ()
    area_basis: tuple[str, ...] = ("home",)
    min_age: int | None = None
    max_age: int | None = None
    genders: tuple[str, ...] = ()
    occupations: tuple[str, ...] = ()
    verified_only: bool = False
    #: no area in particular, but one by the basis there must be
    anywhere: bool = False
    #: attributes that keep out whoever has them
    excluded: tuple[str, ...] = ()
    #: only those on the poll's roll
    roll: bool = False


@dataclass(frozen=True, kw_only=True)
class FrozenPoll:
    """A definition, read. It never changes, so it may be kept in memory."""

    poll_id: uuid.UUID
    document: dict[str, Any]
    hash: bytes
    question: Question
    eligibility: Eligibility
    presence: PresenceRule
    opens_at: dt.datetime
    #: the year in which ages are counted: the city's, at opening
    year: int
    origin: str
    sealing_key: bytes
    receipt_key_id: str
    cast_check: bool
    records: Literal["full", "totals"]
    publish_from: int
    #: so many envelopes stay back at each shuffle while the poll is open
    k: int
    #: whether it asks for the password of its room
    is_private: bool = False
    #: what it asks of a position beside its place
    integrity: Demand = "none"

    @property
    def is_live(self) -> bool:
        """Whether figures are shown while it is open: then each batch is counted as it comes."""
        return bool(self.document["results"] == "live")

    @property
    def may_spoil(self) -> bool:
        """Whether ballots that break a limit are taken, and counted as spoilt."""
        return self.question.rules is not None and self.question.rules.may_spoil

    @property
    def P(self) -> bytes:  # noqa: N802
        """The poll's 16 bytes, as the notation of the ballot box has them."""
        return self.poll_id.bytes


def read_definition(content: bytes) -> FrozenPoll:
    """The frozen poll of its canonical bytes."""
    document = orjson.loads(content)
    opens_at = dt.datetime.fromisoformat(document["opens_at"])
    return FrozenPoll(
        poll_id=uuid.UUID(document["poll_id"]),
        document=document,
        hash=hashlib.sha256(content).digest(),
        question=question_in(document["question"]),
        eligibility=eligibility_in(document["eligibility"]),
        presence=document["presence"]["rule"],
        opens_at=opens_at,
        year=opens_at.astimezone(ZoneInfo(document["time_zone"])).year,
        origin=document["origin"],
        sealing_key=bytes.fromhex(document["sealing_key"]),
        receipt_key_id=document["receipt_key_id"],
        cast_check=document["cast_check"],
        records=document["records"],
        publish_from=document["publish_from"],
        k=document["k"],
        is_private=document.get("room", False),
        integrity=document["presence"].get("integrity", "none"),
    )


def question_in(question: dict[str, Any]) -> Question:
    """The question of a definition, as far as a ballot must fit it."""
    return Question(
        kind=question["kind"],
        options=tuple(option["key"] for option in question["options"]),
        min_selections=question["min_selections"],
        max_selections=question["max_selections"],
        method=question.get("method", METHODS[question["kind"]][0]),
        points=question.get("points"),
        max_points=question.get("max_points"),
        rules=read_rules(question),
    )


def eligibility_in(rules: dict[str, Any]) -> Eligibility:
    """The rules of a poll's content, read."""
    known: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in rules.items()
    }
    return Eligibility(**known)
